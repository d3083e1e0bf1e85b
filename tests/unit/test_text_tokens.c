#include "core/text/text.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

/* `tokens` is what o200k_base counts. */
static const struct {
	const char *kind;
	size_t tokens;
	const char *text;
} samples[] = {
	{"English chat", 156,
	 "[2026-03-02] user: Hey Maria! Did you hear back from the "
	 "clinic about Thursday?\n"
	 "[2026-03-02] user: Not yet, but Tom said they'd call by 5 "
	 "pm. How was your run this morning?\n"
	 "[2026-03-04] user: Great, thanks! I did 12 km along the "
	 "river and only stopped once, to take a photo of the "
	 "herons.\n"
	 "[2026-03-09] user: My sister's wedding is on June 14th, so "
	 "I need to book the flights to Lisbon before prices go up "
	 "again.\n"
	 "[2026-03-10] user: Sounds good. I finished that book you "
	 "lent me, by the way - the ending made me cry!\n"},
	{"English prose", 53,
	 "The lighthouse keeper had lived alone for so many years "
	 "that he no longer noticed the silence. Each evening he "
	 "climbed the narrow staircase, trimmed the lamp and wrote a "
	 "few lines about the weather in a heavy leather notebook, as "
	 "his father and grandfather had done before him.\n"},
	{"C", 47,
	 "static bool take_byte(struct scanner *scanner, char byte)\n"
	 "{\n"
	 "\tif (scanner->at == scanner->size || "
	 "scanner->data[scanner->at] != byte)\n"
	 "\t\treturn false;\n"
	 "\tscanner->at++;\n"
	 "\treturn true;\n"
	 "}\n"},
	{"JSON", 52,
	 "{\"role\": \"assistant\", \"tool_calls\": [{\"id\": "
	 "\"call_1\", \"type\": \"function\", \"function\": "
	 "{\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": "
	 "\\\"Lisbon\\\", \\\"days\\\": 3}\"}}]}"},
	{"German", 99,
	 "Hallo! Ich bin letzte Woche nach Köln umgezogen und suche "
	 "noch einen guten Zahnarzt. Kannst du mir helfen, einen "
	 "Einkaufszettel fürs Wochenende zu schreiben? Meine "
	 "Schwester Anna kommt am 14. März 2026 zu Besuch, sie ist "
	 "Vegetarierin und mag keine Pilze. Übrigens habe ich mir ein "
	 "Lastenfahrrad gekauft, damit ich die Kinder in die Kita "
	 "bringen kann. Die Geschwindigkeitsbegrenzung hier nervt "
	 "allerdings ziemlich."},
	{"French", 78,
	 "Salut ! J'ai déménagé à Lyon la semaine dernière et je "
	 "cherche encore un bon médecin. Tu peux m'aider à préparer "
	 "une liste de courses pour le week-end ? Ma sœur Élodie "
	 "arrive le 14 mars 2026, elle est végétarienne et n'aime pas "
	 "les champignons. D'ailleurs j'ai acheté un vélo pour "
	 "emmener les enfants à l'école."},
	{"Russian", 84,
	 "Привет! На прошлой неделе я переехал в Казань и всё ещё ищу "
	 "хорошего стоматолога. Можешь помочь составить список "
	 "покупок на выходные? Моя сестра Аня приедет 14 марта 2026 "
	 "года, она вегетарианка и не любит грибы. Кстати, я купил "
	 "велосипед, чтобы возить детей в садик."},
	{"Greek", 56,
	 "Γεια σου! Μετακόμισα την περασμένη εβδομάδα στη Θεσσαλονίκη "
	 "και ακόμα ψάχνω έναν καλό οδοντίατρο. Μπορείς να με "
	 "βοηθήσεις με μια λίστα για ψώνια;"},
	{"Hebrew", 60,
	 "היי! עברתי בשבוע שעבר לחיפה ואני עדיין מחפש רופא שיניים "
	 "טוב. אתה יכול לעזור לי להכין רשימת קניות לסוף השבוע? אחותי "
	 "נועה מגיעה ב-14 במרץ, היא צמחונית ולא אוהבת פטריות."},
	{"Arabic", 65,
	 "مرحبا! انتقلت الأسبوع الماضي إلى الإسكندرية وما زلت أبحث عن "
	 "طبيب أسنان جيد. هل يمكنك مساعدتي في كتابة قائمة مشتريات "
	 "لعطلة نهاية الأسبوع؟ أختي ليلى ستزورني يوم ١٤ مارس ٢٠٢٦، "
	 "وهي نباتية ولا تحب الفطر."},
	{"Hindi", 73,
	 "नमस्ते! मैं पिछले हफ्ते पुणे आ गया हूँ और अभी भी एक अच्छे "
	 "दंत चिकित्सक की तलाश में हूँ। क्या आप सप्ताहांत की खरीदारी "
	 "की सूची बनाने में मेरी मदद कर सकते हैं? मेरी बहन नेहा 14 "
	 "मार्च को आ रही है, वह शाकाहारी है और उसे मशरूम पसंद नहीं।"},
	{"Thai", 80,
	 "สวัสดีครับ ผมเพิ่งย้ายมาอยู่เชียงใหม่เมื่ออาทิตย์ที่แล้ว "
	 "กำลังหาหมอฟันดีๆ อยู่ "
	 "ช่วยทำรายการซื้อของสำหรับสุดสัปดาห์ให้หน่อยได้ไหม "
	 "น้องสาวชื่อแนนจะมาเยี่ยมวันที่ 14 มีนาคม "
	 "เธอกินมังสวิรัติและไม่ชอบเห็ด"},
	{"Vietnamese", 64,
	 "Chào bạn! Tuần trước mình mới chuyển đến Đà Nẵng và vẫn "
	 "đang tìm một nha sĩ tốt. Bạn giúp mình lập danh sách mua "
	 "sắm cuối tuần được không? Em gái mình tên Lan sẽ đến chơi "
	 "ngày 14 tháng 3, em ăn chay và không thích nấm."},
	{"Chinese", 90,
	 "你好!我上周搬到了杭州,还在找一个好的牙医。你能帮"
	 "我列一个周末的购物清单吗?我妹妹小丽三月十四号来看"
	 "我,她吃素,不喜欢蘑菇。对了,我买了一辆自行车,"
	 "这样可以送孩子去幼儿园。昨天的会议改到下周二下午三点了,记得提醒我。"},
	{"Japanese", 110,
	 "こんにちは!先週福岡に引っ越したばかりで、まだいい"
	 "歯医者を探しています。週末の買い物リストを作るのを"
	 "手伝ってくれませんか?妹のゆきが3月14日に遊びに"
	 "来るんですが、ベジタリアンでキノコが苦手なんです。"
	 "ちなみに、子供を保育園に送るために自転車を買いました。パソコンのアップデートもし"
	 "ないと。"},
	{"Korean", 90,
	 "안녕하세요! 지난주에 부산으로 이사했는데 아직 좋은 치과를 찾고 있어요. 주말 "
	 "장보기 목록을 만드는 걸 "
	 "도와줄 수 있나요? 여동생 지민이가 3월 14일에 놀러 오는데 채식주의자이고 버섯을 "
	 "싫어해요. 참, "
	 "아이들을 어린이집에 데려다주려고 자전거를 샀어요."},
	{"emoji", 29,
	 "That's amazing 😍😍 can't wait!! 🎉 See you on Saturday 🙌 "
	 "happy birthday 🎂🥳 👍🏽 🇩🇪"},
};

START_TEST(the_estimate_is_near_what_a_tokenizer_counts)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t estimate = text_tokens(slice_of(samples[i].text));
		ck_assert_msg(estimate * 100 >= samples[i].tokens * 84, "%s: %zu of %zu",
			      samples[i].kind, estimate, samples[i].tokens);
		ck_assert_msg(estimate * 100 <= samples[i].tokens * 140, "%s: %zu of %zu",
			      samples[i].kind, estimate, samples[i].tokens);
	}
}
END_TEST

START_TEST(english_chat_is_about_four_bytes_a_token)
{
	struct slice chat = SLICE(
		"[2026-03-02] user: Hey Maria! Did you hear back from the clinic about Thursday, "
		"or do we have to call them again and ask?\n"
		"[2026-03-02] user: Not yet, but Tom said that they would call by the end of the "
		"day. How was your run with the others this morning?\n"
		"[2026-03-04] user: Great, thanks! I ran along the river and only stopped once, to "
		"take a photo of the herons near the bridge.\n"
		"[2026-03-09] user: My sister's wedding is on June 14th, so I really need to book "
		"the "
		"flights to Lisbon before prices go up again.\n");
	size_t tokens = text_tokens(chat);
	ck_assert_uint_ge(chat.size * 10, tokens * 40);
	ck_assert_uint_le(chat.size * 10, tokens * 43);
}
END_TEST

START_TEST(no_text_is_free)
{
	ck_assert_uint_eq(text_tokens((struct slice){0}), 0);
	ck_assert_uint_eq(text_tokens(SLICE("a")), 1);
	ck_assert_uint_eq(text_tokens(SLICE("\xff\xff")), 2);
	for (int byte = 0; byte < 256; byte++) {
		char bytes[120];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)byte;
		ck_assert_uint_ge(text_tokens((struct slice){bytes, sizeof(bytes)}),
				  sizeof(bytes) / 12);
	}
}
END_TEST

START_TEST(a_whole_counts_no_more_than_its_pieces)
{
	struct random random = {11};
	for (int round = 0; round < 2000; round++) {
		struct buffer whole;
		size_t sum = 0;
		size_t pieces = 0;
		buffer_init(&whole, 64 * 1024);
		for (size_t left = 1 + random_below(&random, 4); left > 0; left--)
			random_text(&random, &whole);
		struct slice text = buffer_slice(&whole);
		for (size_t at = 0; at < text.size; pieces++) {
			size_t end = at + 1 + random_below(&random, text.size - at);
			sum += text_tokens(slice_part(text, at, end));
			at = end;
		}
		ck_assert_uint_le(text_tokens(text), sum);
		/* Each piece is rounded up, and that is all the difference. */
		ck_assert_uint_ge(text_tokens(text) + pieces, sum);
		buffer_finish(&whole);
	}
}
END_TEST

UNIT_MAIN("text_tokens", the_estimate_is_near_what_a_tokenizer_counts,
	  english_chat_is_about_four_bytes_a_token, no_text_is_free,
	  a_whole_counts_no_more_than_its_pieces)
