/* A history that is cut, or brought along. */
#include "chat_fixture.h"
#include "core/text/text.h"
#include "unit.h"

#include <stdio.h>

#define WORDS "I moved to Lisbon in the spring of that year, and the rent is high there. "
#define LONG WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS
/* Three exchanges, of which history = trim takes out some, and a question. */
#define HISTORY                                                                                    \
	USER("one " LONG)                                                                          \
	"," ASSISTANT("a") "," USER("two " LONG) "," ASSISTANT("b") "," USER(                      \
		"three") "," ASSISTANT("c")

/* ---- history = trim ---- */

static void begin_trimmed(struct chat_fixture *f)
{
	chat_fixture_begin(f, MODE_SUMMARY);
	f->settings.trims = true;
	f->view.answers = f->view.next_ordinal = 3;
	f->view.has_summary = true;
	f->view.summary = (struct summary){.text = SLICE("A trip to Portugal."), .covers = 100};
}

START_TEST(a_history_that_memory_holds_is_cut)
{
	struct chat_fixture f;
	begin_trimmed(&f);
	ck_assert_int_eq(chat_fixture_decide(&f, HISTORY "," USER("Where?")), CHAT_RECALL);
	ck_assert_uint_eq(f.chat.decided.cut.first, 0);
	ck_assert_uint_eq(f.chat.decided.cut.end, 4);
	ck_assert_uint_eq(f.chat.decided.cut.cut_before, 2);
	ck_assert_uint_eq(f.recall.carried_from, 2); /* what was taken out may be recalled */
	ck_assert(f.recall.only_conversation);
	struct slice body = chat_fixture_inject(&f);
	ck_assert(!unit_has(body, "Lisbon"));
	ck_assert(unit_has(body, "three"));
	ck_assert(unit_has(body, "Portugal"));
	ck_assert_uint_eq(chat_tokens_saved(&f.chat), f.chat.decided.cut.tokens);
	ck_assert(unit_has(chat_receipt(&f.chat, &f.arena).text, "\"messages_removed\":4"));
	ck_assert(chat_fixture_append(&f, (struct reply){.text = SLICE("There.")}, false));
	ck_assert_uint_eq(f.append.frozen->cut_before, 2);
	ck_assert_uint_eq(f.append.frozen->covers, 100);
	ck_assert_ptr_null(f.append.history);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_history_that_memory_does_not_hold_goes_up_whole)
{
	for (int i = 0; i < 4; i++) {
		struct chat_fixture f;
		begin_trimmed(&f);
		f.settings.trims = i != 0;
		f.view.conversation = i != 1;
		f.view.carried_from = i == 2 ? UINT32_MAX : 0;
		if (i == 3) { /* no summary tells of it, and its turns are gone */
			f.view.has_summary = false;
			f.view.begin_is_lost = true;
		}
		(void)chat_fixture_decide(&f, HISTORY "," USER("Where?"));
		ck_assert_uint_eq(f.chat.decided.cut.end, 0);
		ck_assert(unit_has(chat_fixture_inject(&f), "Lisbon"));
		ck_assert_uint_eq(chat_tokens_saved(&f.chat), 0);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(what_the_summary_does_not_cover_is_cut_while_it_can_be_recalled)
{
	struct chat_fixture f;
	struct turn turns[] = {
		chat_fixture_turn(99, 1, 0, ROLE_USER, "covered"),
		chat_fixture_turn(101, 2, 0, ROLE_USER, "of another conversation"),
		chat_fixture_turn(102, 1, 1, ROLE_USER, "not covered"),
	};
	begin_trimmed(&f);
	f.view.turns = turns;
	f.view.turn_count = 3;
	(void)chat_fixture_decide(&f, HISTORY "," USER("Where?"));
	ck_assert_uint_eq(f.chat.decided.cut.cut_before, 2);
	f.view.begin_is_lost = true;
	(void)chat_fixture_decide(&f, HISTORY "," USER("Where?"));
	ck_assert_uint_eq(f.chat.decided.cut.cut_before, 1);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(within_a_loop_of_tool_calls_the_cut_stays)
{
	struct chat_fixture f;
	begin_trimmed(&f);
	f.view.has_frozen = true;
	f.view.frozen = (struct frozen){.mode = MODE_SUMMARY, .block = SLICE("BLOCK")};
	f.view.frozen.cut_before = 1;
	ck_assert_int_eq(chat_fixture_decide(&f, HISTORY "," USER("Where?") "," CALL "," RESULT),
			 CHAT_READY);
	ck_assert_uint_eq(f.chat.decided.cut.cut_before, 1);
	ck_assert(f.chat.decided.stands);
	ck_assert(unit_has(chat_fixture_inject(&f), "BLOCK"));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_compaction_is_given_what_stands_and_teaches_nothing)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_VECTOR);
	f.view.has_frozen = true;
	f.view.frozen = (struct frozen){.mode = MODE_BUFFER, .block = SLICE("BLOCK")};
	ck_assert_int_eq(
		chat_fixture_decide(&f,
				    HISTORY "," USER("Provide a detailed prompt for continuing our "
						     "conversation above.")),
		CHAT_READY);
	ck_assert(unit_has(chat_fixture_inject(&f), "BLOCK"));
	ck_assert(!chat_learns_from(&f.chat, 200));
	chat_fixture_end(&f);
}
END_TEST

/* ---- a history that is brought along ---- */

static size_t imported(struct chat_fixture *f, const char *messages)
{
	(void)chat_fixture_decide(f, messages);
	ck_assert(chat_fixture_append(f, (struct reply){.text = SLICE("Fine.")}, false));
	return f->append.history_count;
}

START_TEST(a_history_that_is_new_to_memory_is_remembered_by_twos)
{
	static const struct {
		const char *messages;
		size_t count;
	} cases[] = {
		{USER("a") "," ASSISTANT("b") "," USER("c"), 2},
		{SYSTEM("s") "," USER("a") "," ASSISTANT("b") "," USER("c") "," ASSISTANT(
			 "d") "," USER("e"),
		 4},
		{USER("a") "," USER("b") "," ASSISTANT("c") "," USER("d"), 2},
		{USER("a") "," CALL "," RESULT "," ASSISTANT("b") "," USER("c"), 2},
		{USER("c"), 0},
		{ASSISTANT("b") "," USER("c"), 0},
		{USER("a") "," ASSISTANT("b") "," ASSISTANT("b") "," USER("c"), 0},
		{USER("a") "," CALL "," RESULT "," USER("b") "," ASSISTANT("c") "," USER("d"), 0},
		{USER("a") "," ASSISTANT("b") "," USER("x") "," SYSTEM("s") "," USER("c"), 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_BUFFER);
		f.settings.trims = true;
		f.view.conversation = 0;
		ck_assert_uint_eq(imported(&f, cases[i].messages), cases[i].count);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(what_is_imported_reads_as_it_was_said)
{
	const char *messages =
		USER("My key is sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH.") "," ASSISTANT(
			"<think>Hm.</think>Noted.") "," USER("c");
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_BUFFER);
	f.settings.trims = f.settings.secrets_redact = true;
	f.view.conversation = 0;
	ck_assert_uint_eq(imported(&f, messages), 2);
	const struct imported_turn *turns = f.append.history;
	ck_assert_int_eq(turns[0].role, ROLE_USER);
	ck_assert(unit_has(turns[0].text, "My key is "));
	ck_assert(!unit_has(turns[0].text, "abcdefghijklmnop"));
	ck_assert_int_eq(turns[1].role, ROLE_ASSISTANT);
	unit_assert_slice(turns[1].text, "Noted.");
	ck_assert_uint_eq(turns[1].hash, text_hash(SLICE("Noted.")));
	ck_assert(turns[0].created_at < CHAT_NOW && turns[1].created_at < CHAT_NOW);
	f.settings.secrets_redact = false;
	ck_assert_uint_eq(imported(&f, messages), 2);
	ck_assert(unit_has(f.append.history[0].text, "abcdefghijklmnop"));
	f.settings.trims = false;
	ck_assert_uint_eq(imported(&f, messages), 0);
	f.settings.trims = true;
	f.view.conversation = 1; /* memory holds it */
	ck_assert_uint_eq(imported(&f, messages), 0);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_history_of_too_many_turns_is_not_imported)
{
	enum { MOST = 1000, EACH = 128 };
	static char messages[(MOST + 2) * EACH];
	for (int exchanges = MOST; exchanges <= MOST + 1; exchanges++) {
		struct chat_fixture f;
		size_t size = 0;
		for (int i = 0; i < exchanges; i++)
			size += (size_t)snprintf(messages + size, EACH, "%s,%s,", USER("a"),
						 ASSISTANT("b"));
		(void)snprintf(messages + size, EACH, "%s", USER("c"));
		chat_fixture_begin(&f, MODE_BUFFER);
		f.settings.trims = true;
		f.view.conversation = 0;
		ck_assert_uint_eq(imported(&f, messages), exchanges == MOST ? 2 * MOST : 0);
		chat_fixture_end(&f);
	}
}
END_TEST

UNIT_MAIN("chat_history", a_history_that_memory_holds_is_cut,
	  a_history_that_memory_does_not_hold_goes_up_whole,
	  what_the_summary_does_not_cover_is_cut_while_it_can_be_recalled,
	  within_a_loop_of_tool_calls_the_cut_stays,
	  a_compaction_is_given_what_stands_and_teaches_nothing,
	  a_history_that_is_new_to_memory_is_remembered_by_twos,
	  what_is_imported_reads_as_it_was_said, a_history_of_too_many_turns_is_not_imported)
