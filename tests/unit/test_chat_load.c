/* Whether memory takes part in a chat, what the store is asked, and which turn is the newest. */
#include "chat_fixture.h"
#include "core/text/text.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* ---- who asks, and in which mode ---- */

START_TEST(a_mode_is_the_configured_one_or_the_one_that_is_asked_for)
{
	static const struct {
		enum mode configured;
		bool mode_header;
		const char *word, *session;
		enum chat_verdict verdict;
		enum mode mode;
		const char *given_back;
		bool learn;
	} cases[] = {
		{MODE_VECTOR, true, "", "", CHAT_LOAD, MODE_VECTOR, "vector", true},
		{MODE_VECTOR, true, "buffer", "", CHAT_LOAD, MODE_BUFFER, "buffer", true},
		{MODE_VECTOR, true, "off", "", CHAT_PASS, MODE_OFF, "off", true},
		{MODE_VECTOR, true, "readonly", "", CHAT_LOAD, MODE_VECTOR, "readonly", false},
		{MODE_OFF, true, "readonly", "", CHAT_LOAD, MODE_HYBRID, "readonly", false},
		{MODE_OFF, true, "", "", CHAT_PASS, MODE_OFF, "off", true},
		{MODE_VECTOR, false, "buffer", "", CHAT_LOAD, MODE_VECTOR, "vector", true},
		{MODE_VECTOR, false, "nonsense", "", CHAT_LOAD, MODE_VECTOR, "vector", true},
		{MODE_VECTOR, true, "nonsense", "", CHAT_REFUSED, MODE_VECTOR, "vector", true},
		{MODE_VECTOR, true, "buffer", "temporary:1", CHAT_PASS, MODE_OFF, "off", true},
		{MODE_VECTOR, true, "", "local:1", CHAT_PASS, MODE_OFF, "off", true},
		{MODE_VECTOR, true, "", "locality", CHAT_LOAD, MODE_VECTOR, "vector", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, cases[i].configured);
		f.settings.mode_header = cases[i].mode_header;
		f.asked.mode = slice_of(cases[i].word);
		f.asked.identity.session = slice_of(cases[i].session);
		ck_assert_int_eq(chat_fixture_enter(&f, "", USER("Hello")), cases[i].verdict);
		ck_assert_int_eq(f.chat.mode, cases[i].mode);
		ck_assert_str_eq(f.chat.mode_word, cases[i].given_back);
		ck_assert_int_eq(f.chat.learn, cases[i].learn);
		if (cases[i].verdict == CHAT_PASS)
			ck_assert_int_eq(f.chat.status, CHAT_OFF);
		if (cases[i].verdict == CHAT_REFUSED) {
			ck_assert_int_eq(f.chat.refusal.status, 400);
			ck_assert_str_eq(f.chat.refusal.code, "invalid_memory_mode");
		}
		chat_fixture_end(&f);
	}
}
END_TEST

static void assert_passes(struct chat_fixture *f, const char *before, const char *messages,
			  const char *status)
{
	ck_assert_int_eq(chat_fixture_enter(f, before, messages), CHAT_PASS);
	ck_assert_str_eq(chat_status_name(f->chat.status), status);
	ck_assert(!chat_learns_from(&f->chat, 200));
	chat_fixture_end(f);
}

START_TEST(what_memory_takes_no_part_in_passes_and_says_why)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	f.asked.identity.user = (struct slice){0};
	assert_passes(&f, "", USER("Hello"), "anonymous");
	chat_fixture_begin(&f, MODE_VECTOR);
	assert_passes(&f, "\"messages\":[],", USER("Hello"), "bypassed");
	chat_fixture_begin(&f, MODE_VECTOR);
	f.asked.identity.task = true;
	assert_passes(&f, "", USER("Hello"), "side");
	chat_fixture_begin(&f, MODE_VECTOR);
	assert_passes(&f, "", SYSTEM("Be brief.") "," USER("<session>\\nHi\\n</session>"), "side");
}
END_TEST

START_TEST(a_dry_run_of_what_cannot_be_read_is_refused)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	f.asked.dry_run = true;
	ck_assert_int_eq(chat_fixture_enter(&f, "\"messages\":[],", USER("Hello")), CHAT_REFUSED);
	ck_assert_int_eq(f.chat.refusal.status, 400);
	ck_assert_str_eq(f.chat.refusal.code, "invalid_request_body");
	ck_assert_int_eq(chat_fixture_enter(&f, "", USER("Hello")), CHAT_LOAD);
	chat_read(&f.chat, &dialect_chat, f.chat.read.body, true, &f.arena);
	ck_assert(!f.chat.read.scanned);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(only_a_good_reply_to_a_turn_that_memory_took_part_in_teaches)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	(void)chat_fixture_decide(&f, USER("Hello"));
	ck_assert(chat_learns_from(&f.chat, 200));
	ck_assert(chat_learns_from(&f.chat, 299));
	ck_assert(!chat_learns_from(&f.chat, 199));
	ck_assert(!chat_learns_from(&f.chat, 300));
	f.settings.learn = false;
	(void)chat_fixture_decide(&f, USER("Hello"));
	ck_assert(!chat_learns_from(&f.chat, 200));
	f.settings.learn = true;
	(void)chat_fixture_decide(&f, SYSTEM("Greet."));
	ck_assert(!chat_learns_from(&f.chat, 200));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(turns_have_vectors_where_they_are_recalled)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	for (int embeds = 0; embeds < 2; embeds++) {
		for (int trims = 0; trims < 2; trims++) {
			f.settings.embeds = embeds;
			f.settings.trims = trims;
			f.asked.mode = SLICE("vector");
			(void)chat_fixture_enter(&f, "", USER("Hello"));
			ck_assert_int_eq(chat_wants_vectors(&f.chat), embeds);
			f.asked.mode = SLICE("buffer");
			(void)chat_fixture_enter(&f, "", USER("Hello"));
			ck_assert_int_eq(chat_wants_vectors(&f.chat), embeds && trims);
		}
	}
	chat_fixture_end(&f);
}
END_TEST

/* ---- what the store is asked ---- */

START_TEST(each_mode_asks_for_what_it_injects)
{
	static const struct {
		enum mode mode;
		bool trims;
		unsigned turns;
		bool uncovered, facts, question;
		size_t conversations;
	} cases[] = {
		{MODE_BUFFER, false, 20, false, false, false, 0},
		{MODE_BUFFER, true, 20, true, false, true, 0},
		{MODE_SUMMARY, false, 0, true, false, false, 0},
		{MODE_ENTITY, false, 8, false, true, true, 0},
		{MODE_VECTOR, false, 8, false, true, true, 0},
		{MODE_HYBRID, false, 8, true, true, true, 0},
		{MODE_AUTO, false, 20, true, true, true, 3},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, cases[i].mode);
		f.settings.trims = cases[i].trims;
		(void)chat_fixture_decide(&f, USER("Where did I live before?"));
		ck_assert_uint_eq(f.load.newest_turns, cases[i].turns);
		ck_assert_int_eq(f.load.uncovered_text > 0, cases[i].uncovered);
		ck_assert_int_eq(f.load.uncovered_text == SIZE_MAX, cases[i].trims);
		ck_assert_int_eq(f.load.trims, cases[i].trims);
		ck_assert_int_eq(f.load.facts, cases[i].facts);
		ck_assert_int_eq(f.chat.read.question.text.size > 0, cases[i].question);
		ck_assert_uint_eq(f.load.conversations, cases[i].conversations);
		ck_assert_uint_eq(f.load.newest_hash, text_hash(SLICE("Where did I live before?")));
		ck_assert_ptr_null(f.load.open);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(the_conversation_is_looked_up_by_its_answers)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	(void)chat_fixture_decide(&f,
				  ASSISTANT("Hi!") "," USER("a") "," CALL "," RESULT
								 "," ASSISTANT("b") "," USER("c"));
	ck_assert_uint_eq(f.load.fingerprint_count, 3);
	ck_assert_uint_eq(f.load.fingerprints[0].hash, text_hash(SLICE("Hi!")));
	ck_assert_uint_eq(f.load.fingerprints[0].user_hash, 0);
	ck_assert(f.load.fingerprints[1].tool_calls);
	ck_assert_uint_eq(f.load.fingerprints[1].user_hash, text_hash(SLICE("a")));
	ck_assert(!f.load.fingerprints[2].tool_calls);
	ck_assert_uint_eq(f.load.fingerprints[2].hash, text_hash(SLICE("b")));
	/* The text that the reply is to continue is none of them. */
	(void)chat_fixture_decide(&f, USER("a") "," ASSISTANT("Once"));
	ck_assert_uint_eq(f.load.fingerprint_count, 0);
	ck_assert_ptr_nonnull(f.load.open);
	ck_assert_uint_eq(f.load.open->hash, text_hash(SLICE("Once")));
	ck_assert_uint_eq(f.load.open->user_hash, text_hash(SLICE("a")));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(of_many_answers_the_newest_are_looked_up)
{
	struct chat_fixture f;
	enum { ANSWERS = 300, MARKS = 256 };
	static char messages[ANSWERS * 128];
	size_t size = 0;
	for (int i = 0; i < ANSWERS; i++)
		size += (size_t)snprintf(messages + size, sizeof(messages) - size,
					 "{\"role\":\"user\",\"content\":\"q%d\"},"
					 "{\"role\":\"assistant\",\"content\":\"a%d\"},",
					 i, i);
	(void)snprintf(messages + size, sizeof(messages) - size, "%s", USER("Hello"));
	chat_fixture_begin(&f, MODE_VECTOR);
	(void)chat_fixture_decide(&f, messages);
	ck_assert_uint_eq(f.load.fingerprint_count, MARKS);
	ck_assert_uint_eq(f.load.earlier_answers, ANSWERS - MARKS);
	ck_assert_uint_eq(f.load.fingerprints[0].hash, text_hash(SLICE("a44")));
	ck_assert_uint_eq(f.load.fingerprints[0].user_hash, text_hash(SLICE("q44")));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(of_huge_messages_the_ends_and_the_newest_are_read)
{
	enum { HUGE_TEXT = 5 << 20, MESSAGES = 4 };
	static char messages[MESSAGES * (HUGE_TEXT + 200)];
	const uint64_t unread = text_hash((struct slice){0});
	struct chat_fixture f;
	char *at = messages;
	for (int i = 0; i < MESSAGES; i++) {
		at = stpcpy(at, "{\"role\":\"user\",\"content\":\"Begin ");
		memset(at, 'x', HUGE_TEXT);
		at = stpcpy(at + HUGE_TEXT, i < MESSAGES - 1 ? "\"}," ASSISTANT("b") "," : "\"}");
	}
	chat_fixture_begin(&f, MODE_VECTOR);
	(void)chat_fixture_decide(&f, messages);
	ck_assert(slice_starts_with(f.chat.read.own_text, SLICE("Begin x")));
	ck_assert_uint_le(f.chat.read.own_text.size, TURN_TEXT_LIMIT);
	ck_assert_uint_eq(f.load.fingerprint_count, MESSAGES - 1);
	ck_assert_uint_eq(f.load.fingerprints[0].user_hash, unread);
	ck_assert_uint_ne(f.load.fingerprints[2].user_hash, unread);
	chat_fixture_end(&f);
}
END_TEST

/* ---- what a program says ---- */

START_TEST(an_answer_that_a_program_made_up_is_none)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	const char *asked = "Continue from where you left off.";
	struct slice messages =
		arena_printf(&f.arena, "%s,{\"role\":\"user\",\"content\":\"%s\"},%s",
			     USER("a") "," ASSISTANT("b"), asked,
			     ASSISTANT("No response requested.") "," USER("Now?"));
	(void)chat_fixture_decide(&f, messages.data);
	ck_assert_uint_eq(f.load.fingerprint_count, 1);
	unit_assert_slice(f.chat.read.own_text, "Now?");
	chat_fixture_end(&f);
}
END_TEST

#define REMINDER USER("<system-reminder>a file</system-reminder>")

START_TEST(what_a_program_says_behind_a_tools_result_begins_no_turn)
{
	static const struct {
		const char *messages, *own;
		bool is_last;
	} cases[] = {
		{USER("a") "," CALL "," RESULT "," REMINDER, "a", false},
		{USER("a") "," CALL "," RESULT "," REMINDER "," REMINDER, "a", false},
		{USER("a") "," CALL "," RESULT "," REMINDER "," CALL "," RESULT "," REMINDER, "a",
		 false},
		{USER("a") "," CALL "," RESULT "," REMINDER "," USER("b"), "b", true},
		{USER("a") "," CALL "," RESULT "," USER("b") "," CALL "," RESULT "," REMINDER, "b",
		 false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_BUFFER);
		ck_assert_int_eq(chat_fixture_enter(&f, "", cases[i].messages), CHAT_LOAD);
		unit_assert_slice(f.chat.read.own_text, cases[i].own);
		ck_assert_int_eq(f.chat.read.newest.is_last, cases[i].is_last);
		chat_fixture_end(&f);
	}
}
END_TEST

#define IMAGE "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}"

START_TEST(what_a_program_says_behind_an_answer_begins_no_turn)
{
	static const struct {
		const char *messages;
		size_t count;
	} cases[] = {
		{USER("a") "," ASSISTANT("x") "," REMINDER, 0},
		{USER("a") "," ASSISTANT("x") "," REMINDER "," SYSTEM("s"), 0},
		{USER("a") "," ASSISTANT("x") "," REMINDER "," CALL "," RESULT, 0},
		{REMINDER, 0},
		{USER(""), 0},
		{USER("a") "," ASSISTANT("x") "," REMINDER "," USER("b"), 2},
		{USER("a") "," ASSISTANT("x") "," IMAGE, 1},
		{USER("a") "," ASSISTANT("Action: look") "," USER("Observation: 4"), 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_BUFFER);
		(void)chat_fixture_decide(&f, cases[i].messages);
		ck_assert_uint_eq(f.chat.read.newest.count, cases[i].count);
		ck_assert_int_eq(chat_learns_from(&f.chat, 200), cases[i].count > 0);
		chat_fixture_end(&f);
	}
}
END_TEST

UNIT_MAIN("chat_load", a_mode_is_the_configured_one_or_the_one_that_is_asked_for,
	  what_memory_takes_no_part_in_passes_and_says_why,
	  a_dry_run_of_what_cannot_be_read_is_refused,
	  only_a_good_reply_to_a_turn_that_memory_took_part_in_teaches,
	  turns_have_vectors_where_they_are_recalled, each_mode_asks_for_what_it_injects,
	  the_conversation_is_looked_up_by_its_answers, of_many_answers_the_newest_are_looked_up,
	  of_huge_messages_the_ends_and_the_newest_are_read,
	  an_answer_that_a_program_made_up_is_none,
	  what_a_program_says_behind_a_tools_result_begins_no_turn,
	  what_a_program_says_behind_an_answer_begins_no_turn)
