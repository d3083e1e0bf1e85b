/* Polish, whose words are all in core/text/languages/polish.txt: a sample of what a language's file
 * is for. Written before that file was filled. */
#include "core/clients/forms.h"
#include "core/learn/said.h"
#include "core/pii/pii.h"
#include "core/recall/recall.h"
#include "core/text/text.h"
#include "tests/unit/learn_fixture.h"
#include "tests/unit/recall_fixture.h"

/* ---- learning ---- */

struct told {
	const char *said;
	const char *quote;
	const char *entity;
	const char *key;
	const char *value;
};

/* How many facts come of it. */
static size_t learned(const struct told *told)
{
	struct lesson lesson = lesson_of(told->said);
	const struct slice answer =
		arena_printf(&lesson.arena,
			     "{\"entities\":[{\"entity\":\"%s\",\"key\":\"%s\",\"value\":\"%s\","
			     "\"quote\":\"%s\",\"op\":\"set\"}]}",
			     told->entity, told->key, told->value, told->quote);
	ck_assert(learn_facts_read(&lesson.turn, answer, &lesson.learning, &lesson.arena));
	size_t count = 0;
	for (size_t i = 0; i < lesson.learning.change_count; i++) {
		const struct fact *fact = &lesson.learning.changes[i].fact;
		count += slice_equal(fact->value, slice_of(told->value)) &&
			 slice_equal(fact->key, slice_of(told->key)) &&
			 slice_equal(fact->entity, slice_of(told->entity));
	}
	arena_finish(&lesson.arena);
	return count;
}

START_TEST(what_polish_users_say_of_themselves_is_learned)
{
	static const struct told told[] = {
		{"Mam na imię Zofia i mieszkam w Gdańsku.", "Mam na imię Zofia", "user", "name",
		 "Zofia"},
		{"Mam na imię Zofia i mieszkam w Gdańsku.", "mieszkam w Gdańsku", "user", "city",
		 "Gdańsku"},
		{"Pracuję jako pielęgniarka w szpitalu.", "Pracuję jako pielęgniarka", "user",
		 "job", "pielęgniarka"},
		{"Jestem uczulona na orzechy.", "Jestem uczulona na orzechy", "user", "allergy",
		 "orzechy"},
		{"Nazywam się Marek, miło mi.", "Nazywam się Marek", "user", "name", "Marek"},
		{"Urodziłam się w Radomiu, a mieszkam w Łodzi.", "Urodziłam się w Radomiu", "user",
		 "hometown", "Radomiu"},
		{"Moja siostra Kasia jest lekarką.", "Moja siostra Kasia jest lekarką", "Kasia",
		 "job", "lekarką"},
		{"Uwielbiam chodzić po górach.", "Uwielbiam chodzić po górach", "user", "hobby",
		 "chodzić po górach"},
		{"Mam psa, który wabi się Burek.", "Mam psa, który wabi się Burek", "user", "pet",
		 "Burek"},
		{"W projekcie Wisła używamy PostgreSQL.", "W projekcie Wisła używamy PostgreSQL",
		 "Wisła", "database", "PostgreSQL"},
		{"Odpowiadaj mi zawsze krótko, proszę.", "Odpowiadaj mi zawsze krótko", "user",
		 "answer_style", "krótko"},
		{"Gram na wiolonczeli i na pianinie.", "Gram na wiolonczeli", "user", "instrument",
		 "wiolonczeli"},
		{"Już nie palę, teraz biegam.", "teraz biegam", "user", "hobby", "biegam"},
		{"Nie lubię kawy.", "Nie lubię kawy", "user", "dislikes", "kawy"},
		{"Mój mąż Tomek jest strażakiem, a ja uczę chemii.", "a ja uczę chemii", "user",
		 "job", "uczę chemii"},
	};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		ck_assert_msg(learned(&told[i]) == 1, "%s: %s", told[i].said, told[i].key);
}
END_TEST

START_TEST(what_polish_users_do_not_say_of_themselves_is_not_learned)
{
	static const struct told told[] = {
		{"Gdybym mieszkał w Krakowie, jeździłbym tramwajem.", "mieszkał w Krakowie", "user",
		 "city", "Krakowie"},
		{"Moja siostra mieszka w Poznaniu.", "mieszka w Poznaniu", "user", "city",
		 "Poznaniu"},
		{"Nie mieszkam w Warszawie.", "mieszkam w Warszawie", "user", "city", "Warszawie"},
		{"Czy mieszkam w Łodzi?", "mieszkam w Łodzi", "user", "city", "Łodzi"},
		{"Moja szefowa Ola mieszka w Lublinie.", "mieszka w Lublinie", "user", "city",
		 "Lublinie"},
		{"Nigdy nie byłem weganinem.", "byłem weganinem", "user", "diet", "weganinem"},
		{"Kiedyś byłem kucharzem, teraz szukam pracy.", "Kiedyś byłem kucharzem", "user",
		 "job", "kucharzem"},
		{"Wyobraź sobie, że byłabym pilotką.", "byłabym pilotką", "user", "job", "pilotką"},
		{"Jeśli jestem lekarzem, to kim jesteś ty?", "jestem lekarzem", "user", "job",
		 "lekarzem"},
		{"Gdyby było inaczej, miałbym trzy koty.", "miałbym trzy koty", "user", "pet",
		 "trzy koty"},
		{"Mój brat jest weganinem.", "jest weganinem", "user", "diet", "weganinem"},
		{"Jasne, uwielbiam stać w korkach, żartuję.", "uwielbiam stać w korkach", "user",
		 "likes", "stać w korkach"},
		{"Już nie gram w szachy.", "gram w szachy", "user", "hobby", "szachy"},
	};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		ck_assert_msg(learned(&told[i]) == 0, "%s", told[i].said);
}
END_TEST

START_TEST(values_that_polish_users_join_are_several)
{
	struct lesson lesson = lesson_of("Mam dwoje dzieci, Ewę i Janka.");
	lesson_must(&lesson,
		    "[{\"key\":\"children\",\"value\":\"Ewę\",\"quote\":\"Mam dwoje dzieci, Ewę\"},"
		    "{\"key\":\"children\",\"value\":\"Janka\",\"quote\":\"Ewę i Janka\"}]",
		    2, 0);
	arena_finish(&lesson.arena);
}
END_TEST

/* ---- wishes ---- */

static bool asks(const char *text)
{
	struct arena arena = {0};
	const struct said said = said_read(slice_of(text), NULL, &arena);
	bool found = false;
	for (size_t i = 0; i < said.count; i++)
		found |= said_asks_to_forget(&said, &said.clauses[i]);
	arena_finish(&arena);
	return found;
}

START_TEST(polish_wishes_to_forget_are_known)
{
	static const char *const wishes[] = {
		"Zapomnij, że mieszkam w Gdańsku.",
		"Proszę, usuń mój adres.",
		"Czy możesz zapomnieć, gdzie pracuję?",
		"Wymaż wszystko o mnie.",
		"A teraz zapomnij o mojej siostrze.",
		"Nie zapamiętuj mojego adresu.",
		"Skasuj to, proszę.",
	};
	static const char *const others[] = {
		"Nie zapomnij o mleku.",         "Nie zapominaj, że jestem uczulona na orzechy.",
		"Ja zawsze zapominam haseł.",    "Ludzie zapominają takie rzeczy.",
		"Zapamiętaj, że lubię herbatę.", "Czy zapomniałeś moje imię?",
	};
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		ck_assert_msg(asks(wishes[i]), "%s", wishes[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!asks(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(a_polish_wish_takes_what_it_describes)
{
	static const struct {
		const char *wish;
		const char *key;
		const char *value;
	} wishes[] = {
		{"Zapomnij, gdzie mieszkam.", "home_city", "Gdańsk"},
		{"Zapomnij mój numer telefonu.", "phone", "601 234 567"},
		{"Zapomnij, gdzie pracuję.", "employer", "Solaris"},
		{"Usuń moje imię.", "name", "Zofia"},
		{"Zapomnij, ile mam lat.", "age", "42"},
	};
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct lesson lesson = lesson_of(wishes[i].wish);
		lesson_knows(&lesson, wishes[i].key, wishes[i].value, HOUR);
		const struct slice answer =
			arena_printf(&lesson.arena,
				     "{\"entities\":[{\"key\":\"%s\",\"forget\":true,"
				     "\"quote\":\"%s\"}]}",
				     wishes[i].key, wishes[i].wish);
		ck_assert(lesson_read(&lesson, answer.data));
		ck_assert_msg(lesson.learning.change_count == 1 &&
				      lesson.learning.changes[0].fact.state == FACT_FORGOTTEN,
			      "%s", wishes[i].wish);
		arena_finish(&lesson.arena);
	}
}
END_TEST

static struct said read_said(const char *text, struct arena *arena)
{
	return said_read(slice_of(text), NULL, arena);
}

START_TEST(polish_users_decline_and_correct)
{
	struct arena arena = {0};
	struct said said = read_said("Nie zapamiętuj tej rozmowy.", &arena);
	ck_assert(said_declines(&said));
	said = read_said("Rozmowa z szefem była długa.", &arena);
	ck_assert(!said_declines(&said));
	said = read_said("Pomyliłam się, to był Sopot.", &arena);
	ck_assert(said_corrects(&said));
	said = read_said("To nieprawda, pracuję w Gdyni.", &arena);
	ck_assert(said_corrects(&said));
	said = read_said("Lubię Sopot.", &arena);
	ck_assert(!said_corrects(&said));
	arena_finish(&arena);
}
END_TEST

/* ---- recall ---- */

static struct arena asked;

static struct recall_question ask(const char *text)
{
	int64_t now;
	ck_assert(text_read_time(SLICE("2024-02-14T12:00:00Z"), &now)); /* a Wednesday */
	struct recall_question question;
	recall_read_question(slice_of(text), now, &question, &asked);
	return question;
}

START_TEST(polish_dates_are_read)
{
	static const char *const dates[][3] = {
		{"Co robiłem w maju 2023?", "2023-05-01", "2023-06-01"},
		{"Gdzie byłam 3 marca 2023?", "2023-03-03", "2023-03-04"},
		{"Co mówiłem wczoraj?", "2024-02-13", "2024-02-14"},
		{"Co mówiłem przedwczoraj?", "2024-02-12", "2024-02-13"},
		{"Co mówiłam dziś rano?", "2024-02-14", "2024-02-15"},
		{"Co robiliśmy w zeszłym tygodniu?", "2024-02-05", "2024-02-12"},
		{"Gdzie byłem w ubiegłym roku?", "2023-01-01", "2024-01-01"},
		{"Co planowałem w tym miesiącu?", "2024-02-01", "2024-03-01"},
		{"Co mówiłem w poniedziałek?", "2024-02-12", "2024-02-13"},
		{"A we wtorek?", "2024-02-13", "2024-02-14"},
		{"Co pisałem 2 dni temu?", "2024-02-12", "2024-02-13"},
		{"Co się stało 31 grudnia 2022?", "2022-12-31", "2023-01-01"},
		{"Co robiłem w lutym 2021?", "2021-02-01", "2021-03-01"},
	};
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		const struct recall_question question = ask(dates[i][0]);
		ck_assert_msg(question.period_count > 0, "%s", dates[i][0]);
		unit_assert_slice(text_date(question.periods[0].from, &asked), dates[i][1]);
		unit_assert_slice(text_date(question.periods[0].until, &asked), dates[i][2]);
	}
	ck_assert_uint_eq(ask("Oni mają dwa koty.").period_count, 0);
	arena_finish(&asked);
}
END_TEST

START_TEST(what_polish_questions_want_is_known)
{
	ck_assert(ask("Zacytuj dosłownie, co napisałam.").wants_words);
	ck_assert(ask("Gdzie wcześniej mieszkałam?").about_past);
	ck_assert(ask("Gdzie dawniej pracowałem?").about_past);
	ck_assert(ask("Co o mnie wiesz?").is_broad);
	ck_assert(ask("Na czym skończyliśmy ostatnim razem?").is_broad);
	ck_assert(ask("Gdzie mieszkam?").about_user);
	ck_assert(ask("Jakie mam alergie?").about_user);
	ck_assert(!ask("Ile kosztuje chleb?").about_user);
	ck_assert(!ask("Cześć, dziękuję!").has_subject);
	arena_finish(&asked);
}
END_TEST

START_TEST(polish_questions_find_polish_turns)
{
	static const char *const turns[] = {
		"Kupiłam sobie wczoraj nowy rower, czerwoną kolarzówkę.",
		"Świetnie! Ile za niego zapłaciłaś?",
		"Moja siostra Julia bierze ślub we wrześniu w Toruniu.",
		"Gratulacje dla nich obojga!",
		"Do bazy danych wybraliśmy PostgreSQL.",
		"To dobry wybór dla danych relacyjnych.",
		"Jestem uczulona na orzechy i nie toleruję mleka.",
		"Pominę jedno i drugie w przepisach.",
		"Nasz pies nazywa się Burek i ma trzy lata.",
		"Jakiej jest rasy?",
		"W przyszłym roku chcemy pojechać w góry do Norwegii.",
		"Szlaki są tam najpiękniejsze w lipcu.",
	};
	static const struct {
		const char *question;
		uint32_t answer;
	} questions[] = {
		{"Jakiego koloru jest mój rower?", 0},
		{"Kiedy jest ślub mojej siostry?", 2},
		{"Jaką bazę danych wybraliśmy?", 4},
		{"Jak wabi się mój pies, jak nazywał się nasz pies?", 8},
		{"Dokąd jedziemy w przyszłym roku?", 10},
		{"Co kupowałam?", 0},
		{"Ile kosztował zakup roweru?", 0},
		{"Na co mam uczulenie?", 6},
		{"Opowiedz o naszym psie.", 8},
	};
	struct recall_fixture memory = {.now = 1700000000000};
	for (uint32_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		recall_fixture_say(&memory,
				   (struct turn){.id = i + 1,
						 .conversation = 1 + i / 4,
						 .role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .created_at = 1690000000000 + i * 60000,
						 .text = slice_of(turns[i])});
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct recall_hit hits[3];
		const size_t found = recall_fixture_ask(&memory, questions[i].question, hits, 3);
		size_t place = 0;
		while (place < found && hits[place].document != questions[i].answer)
			place++;
		ck_assert_msg(place < found, "%s", questions[i].question);
	}
	arena_finish(&memory.arena);
}
END_TEST

/* ---- what is personal, and what others wrote ---- */

static void assert_all_masked(const char *text, const char *expected)
{
	struct arena arena = {0};
	unit_assert_slice(pii_mask(slice_of(text), PII_ALL, &arena, NULL), expected);
	arena_finish(&arena);
}

START_TEST(polish_personal_data_is_masked)
{
	struct arena arena = {0};
	size_t count;
	assert_all_masked("Mój numer telefonu to 601 234 567.",
			  "Mój numer telefonu to [redacted: phone].");
	assert_all_masked("Urodziłam się 3 maja 1990.", "Urodziłam się [redacted: birth_date].");
	unit_assert_slice(secrets_mask(SLICE("Hasło: kotek123!x"), &arena, &count),
			  "Hasło: [redacted: password]");
	ck_assert_uint_eq(count, 1);
	arena_finish(&arena);
}
END_TEST

START_TEST(polish_mail_is_not_the_users)
{
	static const char *const mails[] = {
		"Zobacz.\n\nOd: Jan Nowak <jan@example.org>\nTemat: Urlop\n\nJadę do Zakopanego.",
		"Zobacz.\n\n---- Wiadomość przekazana ----\nJadę do Zakopanego.",
		"Zobacz.\n\nW dniu 3.5.2024 Jan Nowak napisał:\n> Jadę do Zakopanego.\n",
		"Zobacz.\n\nSzanowna Pani,\njadę do Zakopanego.\nPozdrawiam,\nJan Nowak\n",
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		const struct slice own = form_own_words(slice_of(mails[i]), &arena);
		ck_assert_msg(slice_has(own, SLICE("Zobacz")) && !slice_has(own, SLICE("Zakopan")),
			      "%.*s", SLICE_PRINT(own));
	}
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("polish", what_polish_users_say_of_themselves_is_learned,
	  what_polish_users_do_not_say_of_themselves_is_not_learned,
	  values_that_polish_users_join_are_several, polish_wishes_to_forget_are_known,
	  a_polish_wish_takes_what_it_describes, polish_users_decline_and_correct,
	  polish_dates_are_read, what_polish_questions_want_is_known,
	  polish_questions_find_polish_turns, polish_personal_data_is_masked,
	  polish_mail_is_not_the_users)
