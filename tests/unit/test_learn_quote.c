/* Which words of the user an entry must rest on. */
#include "tests/unit/learn_fixture.h"

#include <stdio.h>

static void assert_grounded(const char *user, const char *entry, bool grounded)
{
	struct lesson lesson = lesson_of(user);
	struct slice answer = arena_printf(&lesson.arena, "[%s]", entry);
	lesson.turn.assistant = SLICE("So you are Bob from Paris, and you drive a Tesla.");
	ck_assert(lesson_read(&lesson, answer.data));
	ck_assert_msg(lesson.learning.rejected == (grounded ? 0 : 1), "%s", entry);
	arena_finish(&lesson.arena);
}

START_TEST(a_quote_must_be_the_users_own_words)
{
	const char *user =
		"I\xE2\x80\x99m using  ChromaDB \xE2\x80\x94 for \xE2\x80\x9Cvectors\xE2\x80\x9D.";
	assert_grounded(user,
			"{\"key\":\"store\",\"value\":\"ChromaDB\",\"quote\":\"i'm using chromadb "
			"- for \\\"vectors\\\"\"}",
			true);
	assert_grounded(user,
			"{\"key\":\"store\",\"value\":\"Qdrant\",\"quote\":\"I am using Qdrant for "
			"vectors\"}",
			false);
	assert_grounded(user,
			"{\"key\":\"name\",\"value\":\"Bob\",\"quote\":\"you are Bob from Paris\"}",
			false);
	assert_grounded(user, "{\"key\":\"car\",\"value\":\"Tesla\"}", false);
	assert_grounded(user, "{\"key\":\"car\",\"value\":\"Tesla\",\"quote\":\"I\"}", false);
	assert_grounded(user, "{\"key\":\"db\",\"value\":\"a ChromaDB server\",\"quote\":\"\"}",
			false);
	assert_grounded(user, "{\"key\":\"db\",\"value\":\"the ChromaDB\",\"quote\":\"\"}", true);
}
END_TEST

START_TEST(marks_round_a_quote_and_what_is_invisible_do_not_count)
{
	const char *user = "I live in Bern, near the river. I \xE2\x9D\xA4\xEF\xB8\x8F it.";
	static const char *const quotes[] = {"I live in Bern.",     "\\\"I live in Bern\\\"",
					     "“I live in Bern…”",   "'I live in Bern'",
					     "「I live in Bern」",  "I \xE2\x9D\xA4 it",
					     "live in Be\xC2\xADrn"};
	char entry[128];
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		(void)snprintf(entry, sizeof(entry),
			       "{\"key\":\"city\",\"value\":\"%s\",\"quote\":\"%s\"}",
			       strstr(quotes[i], "it") != NULL ? "\xE2\x9D\xA4" : "Bern",
			       quotes[i]);
		assert_grounded(user, entry, true);
	}
	/* It is kept as the user said it. */
	struct lesson lesson = lesson_of(user);
	lesson_must(&lesson,
		    "[{\"key\":\"city\",\"value\":\"Bern\",\"quote\":\"\\\"I live in Bern.\\\"\"}]",
		    1, 0);
	unit_assert_slice(lesson_change(&lesson, 0)->fact.quote, "I live in Bern");
	arena_finish(&lesson.arena);
	assert_grounded(user, "{\"key\":\"city\",\"value\":\"Bern\",\"quote\":\"Bern. near\"}",
			false);
	assert_grounded(user, "{\"key\":\"city\",\"value\":\"Bern\",\"quote\":\"...\"}", false);
}
END_TEST

START_TEST(other_languages_are_grounded_too)
{
	assert_grounded("Ich wohne in der Straße 5 und heiße Jürgen.",
			"{\"key\":\"name\",\"value\":\"JÜRGEN\"}", true);
	assert_grounded("Ich wohne in der Straße 5 und heiße Jürgen.",
			"{\"key\":\"street\",\"value\":\"5\",\"quote\":\"in der STRASSE 5\"}",
			true);
	assert_grounded("我叫李明，住在上海。", "{\"key\":\"city\",\"value\":\"上海\"}", true);
	assert_grounded("我叫李明，住在上海。",
			"{\"key\":\"name\",\"value\":\"李明\",\"quote\":\"我叫李明\"}", true);
	assert_grounded("我叫李明，住在上海。", "{\"key\":\"city\",\"value\":\"北京\"}", false);
	assert_grounded("我叫李明，住在上海。",
			"{\"key\":\"city\",\"value\":\"北京\",\"quote\":\"住在北京\"}", false);
}
END_TEST

START_TEST(a_removal_without_a_value_rests_on_its_names)
{
	assert_grounded("I have no home city", "{\"key\":\"home_city\",\"op\":\"remove\"}", true);
	assert_grounded("Ask about Maria", "{\"entity\":\"Maria\",\"key\":\"x\",\"op\":\"remove\"}",
			true);
	assert_grounded("Hello there", "{\"key\":\"home_city\",\"op\":\"remove\"}", false);
	assert_grounded("Hello there", "{\"key\":\"home_city\",\"forget\":true}", false);
	assert_grounded("Hello there",
			"{\"key\":\"city\",\"forget\":true,\"quote\":\"forget it all\"}", false);
}
END_TEST

START_TEST(an_ungrounded_request_to_forget_hides_nothing)
{
	struct lesson lesson = lesson_of("Hello there");
	lesson_knows(&lesson, "city", "Berlin", 1000);
	lesson_must(&lesson, "[{\"key\":\"city\",\"value\":\"Berlin\",\"forget\":true}]", 0, 1);
	ck_assert(!lesson.learning.hide_exchange);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_request_to_forget_may_name_the_key_alone)
{
	static const char *const answers[] = {
		"[{\"key\":\"job\",\"forget\":true}]",
		"[{\"key\":\"job\",\"value\":\"welder\",\"forget\":true}]",
	};
	for (size_t i = 0; i < 2; i++) {
		struct lesson lesson = lesson_of("Forget everything about my job");
		lesson_knows(&lesson, "job", "welder", 1000);
		lesson_knows(&lesson, "city", "Berlin", 1000);
		lesson_must(&lesson, answers[i], 1, 0);
		(void)lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
		arena_finish(&lesson.arena);
	}
	assert_grounded("What about my job?", "{\"key\":\"job\",\"value\":\"welder\"}", false);
	/* A value that is not the user's word reaches nothing under other keys, and no turn. */
	struct lesson lesson = lesson_of("Forget everything about my job");
	lesson_knows(&lesson, "hobby", "wood work", 1000);
	lesson_must(&lesson, "[{\"key\":\"job\",\"value\":\"work\",\"forget\":true}]", 0, 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_request_to_forget_takes_the_ordinary_confidence)
{
	for (int sure = 0; sure < 2; sure++) {
		struct lesson lesson = lesson_of("Forget Berlin, please");
		lesson_knows(&lesson, "city", "Berlin", 1000);
		lesson_must(&lesson,
			    sure ? "[{\"value\":\"Berlin\",\"confidence\":0.8,\"forget\":true}]"
				 : "[{\"value\":\"Berlin\",\"confidence\":0.1,\"forget\":true}]",
			    sure ? 1 : 0, sure ? 0 : 1);
		ck_assert(lesson.learning.hide_exchange == (sure == 1));
		arena_finish(&lesson.arena);
	}
}
END_TEST

UNIT_MAIN("learn_quote", a_quote_must_be_the_users_own_words,
	  marks_round_a_quote_and_what_is_invisible_do_not_count, other_languages_are_grounded_too,
	  a_removal_without_a_value_rests_on_its_names,
	  an_ungrounded_request_to_forget_hides_nothing, a_request_to_forget_may_name_the_key_alone,
	  a_request_to_forget_takes_the_ordinary_confidence)
