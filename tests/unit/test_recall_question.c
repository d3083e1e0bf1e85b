#include "core/recall/recall.h"
#include "core/text/text.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

static struct arena arena;

static struct recall_question ask(const char *text)
{
	int64_t now;
	ck_assert(text_read_time(SLICE("2024-02-14T12:00:00Z"), &now)); /* a Wednesday */
	struct recall_question question;
	recall_read_question(slice_of(text), now, &question, &arena);
	return question;
}

/* The first period that the text names, as "FROM UNTIL"; empty: none. */
static void assert_period(const char *text, const char *expected)
{
	struct recall_question question = ask(text);
	struct slice read = SLICE("");
	if (question.period_count > 0)
		read = arena_printf(&arena, "%.*s %.*s",
				    SLICE_PRINT(text_date(question.periods[0].from, &arena)),
				    SLICE_PRINT(text_date(question.periods[0].until, &arena)));
	ck_assert_msg(slice_equal(read, slice_of(expected)), "%s: %.*s", text, SLICE_PRINT(read));
}

START_TEST(dates_in_figures_are_read)
{
	assert_period("What was on 2023-05-07?", "2023-05-07 2023-05-08");
	assert_period("Was war am 7.5.2023?", "2023-05-07 2023-05-08");
	assert_period("What was on 25/12/2023?", "2023-12-25 2023-12-26");
	assert_period("2023年5月7日我做了什么？", "2023-05-07 2023-05-08");
	assert_period("2023年5月の予定は？", "2023-05-01 2023-06-01");
	assert_period("What happened in 2022?", "2022-01-01 2023-01-01");
}
END_TEST

START_TEST(dates_in_words_are_read)
{
	assert_period("What did she do in May 2023?", "2023-05-01 2023-06-01");
	assert_period("on 7 July, 2023", "2023-07-07 2023-07-08");
	assert_period("on July 7th, 2023", "2023-07-07 2023-07-08");
	assert_period("Wo war ich am 3. März 2023?", "2023-03-03 2023-03-04");
	assert_period("el 7 de mayo de 2023", "2023-05-07 2023-05-08");
	assert_period("le 1er août 2023", "2023-08-01 2023-08-02");
	assert_period("12 декабря 2023", "2023-12-12 2023-12-13");
	assert_period("in December 2023", "2023-12-01 2024-01-01");
}
END_TEST

START_TEST(a_month_without_a_year_is_any_that_has_begun)
{
	struct recall_question question = ask("What did we do in June?");
	ck_assert_uint_gt(question.period_count, 1);
	assert_period("What did we do in June?", "2023-06-01 2023-07-01");
	assert_period("Was war im Januar?", "2024-01-01 2024-02-01");
}
END_TEST

START_TEST(relative_dates_are_resolved)
{
	assert_period("What did I eat yesterday?", "2024-02-13 2024-02-14");
	assert_period("last week", "2024-02-05 2024-02-12");
	assert_period("letzten Monat", "2024-01-01 2024-02-01");
	assert_period("l'année dernière", "2023-01-01 2024-01-01");
	assert_period("what happened on Monday", "2024-02-12 2024-02-13");
	assert_period("2 days ago", "2024-02-12 2024-02-13");
	assert_period("vor 2 Tagen", "2024-02-12 2024-02-13");
	assert_period("昨天我说了什么", "2024-02-13 2024-02-14");
	assert_period("去年の旅行", "2023-01-01 2024-01-01");
}
END_TEST

START_TEST(what_is_no_date_is_not_read_as_one)
{
	assert_period("May I ask which 3 dogs you may like?", "");
	assert_period("I have 5 apples and 12 pears", "");
	assert_period("version 3.5 of it, 1234567 times", "");
	assert_period("call me at 555 2023456", "");
}
END_TEST

START_TEST(exact_wording_is_asked_for_in_many_languages)
{
	ck_assert(ask("Give it to me verbatim").wants_words);
	ck_assert(ask("What exactly did I say?").wants_words);
	ck_assert(ask("Please quote me").wants_words);
	ck_assert(ask("Wörtlich bitte!").wants_words);
	ck_assert(ask("请逐字重复").wants_words);
	ck_assert(!ask("What did I say about the inexactly measured parts?").wants_words);
}
END_TEST

START_TEST(the_past_is_asked_about_in_many_languages)
{
	ck_assert(ask("Where did I live before?").about_past);
	ck_assert(ask("Which editor did I use previously?").about_past);
	ck_assert(ask("Wo habe ich früher gewohnt?").about_past);
	ck_assert(ask("我以前住在哪里？").about_past);
	ck_assert(ask("Where did I work last year?").about_past);
	ck_assert(!ask("Where do I live in Chicago?").about_past);
	ck_assert(!ask("What is my name?").about_past);
}
END_TEST

START_TEST(a_greeting_has_no_subject)
{
	ck_assert(!ask("Hi!").has_subject);
	ck_assert(!ask("ok go on").has_subject);
	ck_assert(!ask("Hallo, wie geht's?").has_subject);
	ck_assert(!ask("你好！").has_subject);
	ck_assert(!ask("Good morning 👋").has_subject);
	ck_assert(!ask("").has_subject);
	ck_assert(ask("Which store?").has_subject);
}
END_TEST

/* Searches for one phrase after the other, byte by byte. */
static bool holds_any(struct slice text, const char *const *phrases)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyz\xc3";
	for (; *phrases != NULL; phrases++) {
		struct slice phrase = slice_of(*phrases);
		bool is_open = phrase.data[phrase.size - 1] == '*';
		phrase.size -= is_open;
		for (size_t at = slice_find(text, phrase, 0); at < text.size;
		     at = slice_find(text, phrase, at + 1)) {
			size_t end = at + phrase.size;
			bool begins = at == 0 || (strchr(letters, text.data[at - 1]) == NULL &&
						  text.data[at - 1] != '\xbc');
			bool ends = is_open || end == text.size ||
				    strchr(letters, text.data[end]) == NULL;
			if (begins && ends)
				return true;
		}
	}
	return false;
}

START_TEST(a_phrase_is_found_wherever_it_stands_alone)
{
	static const char *const words[] = {"quote*", "exact word*", "verbatim", "原文", NULL};
	static const char *const past[] = {"früher", "昔", "no longer", "ago", NULL};
	static const char *const pieces[] = {
		"quot", "e", "exact", " word", "verbatim", "原", "文", "früher", "fr", "ü",
		"昔",   "n", "o",     " long", "er",       "a",  "go", "!",      " ",  "\n"};
	struct random random = {.state = 5};
	for (int round = 0; round < 20000; round++) {
		struct slice text = SLICE("");
		for (size_t count = random_below(&random, 8); count > 0; count--)
			text = arena_printf(&arena, "%.*s%s", SLICE_PRINT(text),
					    pieces[random_below(&random, 20)]);
		struct recall_question question = ask(arena_string(&arena, text));
		ck_assert_msg(question.wants_words == holds_any(text, words), "%.*s",
			      SLICE_PRINT(text));
		ck_assert_msg(question.about_past == holds_any(text, past), "%.*s",
			      SLICE_PRINT(text));
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(who_asks_about_himself_is_known_in_languages_that_leave_the_pronoun_out)
{
	ck_assert(ask("Où est-ce que j'habite ?").about_user);
	ck_assert(ask("¿Qué afición tengo fuera del trabajo?").about_user);
	ck_assert(ask("Che mestiere faccio?").about_user);
	ck_assert(ask("Onde é que eu moro?").about_user);
	ck_assert(ask("我对什么过敏？").about_user);
	ck_assert(ask("私のアレルギーは何ですか？").about_user);
	ck_assert(ask("Wo wohne ich?").about_user);
	ck_assert(!ask("写一首关于雪的俳句。").about_user);
	ck_assert(!ask("Was ist 17 mal 23?").about_user);
	ck_assert(!ask("Quelle est la capitale du Canada ?").about_user);
}
END_TEST

START_TEST(all_that_is_known_is_asked_for)
{
	ck_assert(ask("What do you know about me?").is_broad);
	ck_assert(ask("Was weißt du über mich?").is_broad);
	ck_assert(ask("你了解我吗？").is_broad);
	ck_assert(ask("Where did we leave off last time?").is_broad);
	ck_assert(!ask("Write a haiku about snow.").is_broad);
	ck_assert(!ask("Hello, how are you?").is_broad);
}
END_TEST

UNIT_MAIN("recall_question", dates_in_figures_are_read, dates_in_words_are_read,
	  a_month_without_a_year_is_any_that_has_begun, relative_dates_are_resolved,
	  what_is_no_date_is_not_read_as_one, exact_wording_is_asked_for_in_many_languages,
	  the_past_is_asked_about_in_many_languages, a_greeting_has_no_subject,
	  a_phrase_is_found_wherever_it_stands_alone,
	  who_asks_about_himself_is_known_in_languages_that_leave_the_pronoun_out,
	  all_that_is_known_is_asked_for)
