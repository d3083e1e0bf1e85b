#include "tests/unit/unit.h"

#include "tests/unit/recall_fixture.h"

/* A question, and the turn that answers it: it must be among the first three, and of most questions
 * the very first. */
struct asked {
	const char *question;
	uint32_t answer;
};

enum { TURNS = 12, QUESTIONS = 5 };

static size_t place_of(const struct recall_hit *hits, size_t count, uint32_t document)
{
	size_t place = 0;
	while (place < count && hits[place].document != document)
		place++;
	return place;
}

static void assert_answers(const char *const turns[TURNS], const struct asked asked[QUESTIONS])
{
	struct recall_fixture memory = {.now = 1700000000000};
	for (uint32_t i = 0; i < TURNS; i++)
		recall_fixture_say(&memory,
				   (struct turn){.id = i + 1,
						 .conversation = 1 + i / 4,
						 .role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .created_at = 1690000000000 + i * 60000,
						 .text = slice_of(turns[i])});
	unsigned first = 0;
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct recall_hit hits[TURNS];
		size_t found = recall_fixture_ask(&memory, asked[i].question, hits, TURNS);
		size_t place = place_of(hits, found, asked[i].answer);
		ck_assert_msg(place < 3 && place < found, "%s: place %zu of %zu", asked[i].question,
			      place, found);
		first += place == 0;
	}
	ck_assert_uint_ge(first, QUESTIONS - 1);
	arena_finish(&memory.arena);
}

START_TEST(german_questions_find_german_turns)
{
	static const char *const turns[] = {
		"Ich habe mir gestern ein neues Fahrrad gekauft, ein rotes Rennrad.",
		"Schön! Wie viel hast du dafür bezahlt?",
		"Meine Schwester Julia heiratet im September in Heidelberg.",
		"Herzlichen Glückwunsch an die beiden!",
		"Für unsere Datenbank haben wir uns für PostgreSQL entschieden.",
		"Das ist eine gute Wahl für relationale Daten.",
		"Ich bin allergisch gegen Erdnüsse und vertrage keine Milch.",
		"Dann lasse ich beides aus den Rezepten weg.",
		"Unser Hund heißt Bello und ist drei Jahre alt.",
		"Was für eine Rasse ist er?",
		"Nächstes Jahr wollen wir nach Norwegen wandern gehen.",
		"Dort sind die Wanderwege im Juli am schönsten.",
	};
	static const struct asked asked[] = {
		{"Welche Datenbanken benutzen wir?", 4}, {"Wogegen bin ich allergisch?", 6},
		{"Wann heiratet meine Schwester?", 2},   {"Wie heißt mein Hund?", 8},
		{"Wohin wollten wir zum Wandern?", 10},
	};
	assert_answers(turns, asked);
}
END_TEST

START_TEST(chinese_questions_find_chinese_turns)
{
	static const char *const turns[] = {
		"我叫李明，住在上海，做软件工程师。",       "你好李明，很高兴认识你！",
		"我养了一只猫，名字叫小白，今年三岁。",     "真可爱，它喜欢吃什么？",
		"我对花生过敏，不能吃含花生的点心。",       "明白了，推荐食谱时我会避开它。",
		"我们的项目用的是向量数据库 Milvus。",      "这个选择适合大规模检索。",
		"下个月我要去北京出差，参加人工智能大会。", "祝你旅途顺利。",
		"我妹妹在大学学习钢琴，明年毕业。",         "她打算当老师还是演奏家？",
	};
	static const struct asked asked[] = {
		{"我的猫叫什么名字？", 2},          {"我对什么过敏？", 4},
		{"项目使用哪个向量数据库？", 6},    {"我什么时候去北京出差？", 8},
		{"妹妹学习什么乐器，钢琴吗？", 10},
	};
	assert_answers(turns, asked);
}
END_TEST

START_TEST(japanese_questions_find_japanese_turns)
{
	static const char *const turns[] = {
		"東京の出版社で編集者として働いています。",
		"素敵なお仕事ですね。",
		"週末は娘と一緒に水泳教室に通っています。",
		"お嬢さんは何歳ですか？",
		"エビにアレルギーがあるので寿司は気をつけています。",
		"それでは別の料理を提案します。",
		"ベクトルストアにはChromaDBを使っています。",
		"小さな規模なら十分です。",
		"来年の春に京都へ引っ越す予定です。",
		"新しい生活が楽しみですね。",
		"犬の名前はポチで、柴犬です。",
		"散歩はどのくらいしますか？",
	};
	static const struct asked asked[] = {
		{"犬の名前は何ですか？", 10},
		{"私は何のアレルギーがありますか？", 4},
		{"どのベクトルストアを使っていますか？", 6},
		{"いつ京都に引っ越しますか？", 8},
		{"娘と通っている教室は？", 2},
	};
	assert_answers(turns, asked);
}
END_TEST

START_TEST(arabic_questions_find_arabic_turns)
{
	static const char *const turns[] = {
		"اسمي سمير وأعمل مهندسا في شركة اتصالات بالقاهرة.",
		"أهلا سمير، سعيد بمعرفتك.",
		"اشتريت سيارة زرقاء جديدة من المعرض.",
		"مبروك! كم كان ثمنها؟",
		"عندي حساسية من الفول السوداني.",
		"سأتجنب ذلك في الوصفات.",
		"نستخدم قاعدة البيانات بوستجرس في المشروع.",
		"اختيار ممتاز للبيانات العلائقية.",
		"سنسافر إلى المغرب في الصيف مع الأولاد.",
		"رحلة سعيدة لكم جميعا.",
		"أختي ليلى تدرس الطب في الجامعة.",
		"في أي سنة هي؟",
	};
	static const struct asked asked[] = {
		{"ما لون السيارة التي اشتريتها؟", 2},
		{"ما هي الحساسية التي عندي؟", 4},
		{"أي قاعدة بيانات نستخدم؟", 6},
		{"إلى أين سنسافر هذا الصيف؟", 8},
		{"ماذا تدرس أختي؟", 10},
	};
	assert_answers(turns, asked);
}
END_TEST

START_TEST(thai_questions_find_thai_turns)
{
	static const char *const turns[] = {
		"ผมชื่อสมชาย ทำงานเป็นวิศวกรที่เชียงใหม่",
		"ยินดีที่ได้รู้จักครับ",
		"ผมเลี้ยงแมวสีส้มชื่อมะม่วง",
		"น่ารักมาก อายุเท่าไหร่แล้ว",
		"ผมแพ้กุ้งและอาหารทะเล",
		"เข้าใจแล้ว จะไม่แนะนำเมนูนั้น",
		"โปรเจกต์ของเราใช้ฐานข้อมูล MongoDB",
		"เหมาะกับข้อมูลแบบเอกสาร",
		"เดือนหน้าจะไปเที่ยวญี่ปุ่นกับครอบครัว",
		"ขอให้สนุกกับการเดินทาง",
		"น้องสาวเรียนเปียโนมาห้าปี",
		"เก่งมากเลย",
	};
	static const struct asked asked[] = {
		{"แมวของผมชื่ออะไร", 2},    {"ผมแพ้อะไร", 4},        {"เราใช้ฐานข้อมูลอะไร", 6},
		{"จะไปเที่ยวญี่ปุ่นเมื่อไหร่", 8}, {"น้องสาวเรียนอะไร", 10},
	};
	assert_answers(turns, asked);
}
END_TEST

START_TEST(emoji_find_emoji)
{
	static const char *const turns[] = {
		"Friday is 🍕 night at our place",
		"Sounds tasty!",
		"we got a new 🐶 last week 🎉",
		"Congratulations!",
		"my flight ✈️ leaves at nine",
		"Have a safe trip.",
		"training for the 🏃‍♀️ in spring",
		"Which distance?",
		"I play 🎸 in a small band",
		"Nice, what style?",
		"our flag is 🇯🇵 on the boat",
		"It looks great there.",
	};
	static const struct asked asked[] = {
		{"when do we have 🍕?", 0},
		{"what did I say about the 🐶", 2},
		{"✈️ when?", 4},
		{"🎸?", 8},
		{"where did we put the 🇯🇵?", 10},
	};
	assert_answers(turns, asked);
}
END_TEST

UNIT_MAIN("recall_languages", german_questions_find_german_turns,
	  chinese_questions_find_chinese_turns, japanese_questions_find_japanese_turns,
	  arabic_questions_find_arabic_turns, thai_questions_find_thai_turns, emoji_find_emoji)
