/* Tests the choice of `auto` and the records of a chat. */
#include "chat_fixture.h"
#include "core/text/text.h"
#include "unit.h"

#define WORDS "I moved to Lisbon in the spring of that year, and the rent is high there. "
#define LONG WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS
/* Three exchanges, of which history = trim takes out some, and a question. */
#define HISTORY                                                                                    \
	USER("one " LONG)                                                                          \
	"," ASSISTANT("a") "," USER("two " LONG) "," ASSISTANT("b") "," USER(                      \
		"three") "," ASSISTANT("c")

/* ---- the branches of auto ---- */

START_TEST(auto_goes_by_the_sessions_and_the_length_of_the_conversation)
{
	static const struct {
		size_t conversations;
		uint32_t conversation, answers;
		const char *messages;
		enum chat_branch branch;
		enum mode injects;
		const char *because;
	} cases[] = {
		{1, 1, 1, USER("Hi"), BRANCH_SHORT, MODE_BUFFER, "a short conversation"},
		{1, 1, 2, USER("Hi"), BRANCH_LONG, MODE_SUMMARY, "a long conversation"},
		{1, 1, 0, USER("a") "," ASSISTANT("b") "," USER("c"), BRANCH_SHORT, MODE_BUFFER,
		 "short"},
		{1, 1, 0, HISTORY "," USER("Hi"), BRANCH_LONG, MODE_SUMMARY, "long"},
		{3, 1, 0, USER("Hi"), BRANCH_SESSIONS, MODE_HYBRID, "more than one session"},
		{2, 0, 0, USER("Hi"), BRANCH_SESSIONS, MODE_HYBRID, "more than one session"},
		{1, 1, 1, USER("Quote it word for word."), BRANCH_WORDING, MODE_BUFFER,
		 "exact wording"},
		{1, 1, 2, USER("Quote it word for word."), BRANCH_WORDING, MODE_BUFFER,
		 "exact wording"},
		{3, 1, 0, USER("Quote it word for word."), BRANCH_WORDING, MODE_HYBRID,
		 "exact wording"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_AUTO);
		f.view.conversations = cases[i].conversations;
		f.view.conversation = cases[i].conversation;
		f.view.answers = f.view.next_ordinal = cases[i].answers;
		(void)chat_fixture_decide(&f, cases[i].messages);
		ck_assert_int_eq(f.chat.decided.branch, cases[i].branch);
		ck_assert_int_eq(f.chat.decided.injects, cases[i].injects);
		ck_assert(unit_has(chat_receipt(&f.chat, &f.arena).text, cases[i].because));
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(what_quotes_an_answer_at_length_is_a_side_request)
{
	struct chat_fixture f;
	struct turn turns[] = {
		chat_fixture_turn(1, 1, 0, ROLE_USER, "Where?"),
		chat_fixture_turn(2, 1, 0, ROLE_ASSISTANT, LONG),
	};
	chat_fixture_begin(&f, MODE_VECTOR);
	f.view.turns = turns;
	f.view.turn_count = 2;
	ck_assert_int_eq(chat_fixture_decide(&f, USER("Name this: " LONG)), CHAT_READY);
	ck_assert_uint_eq(f.load.newest_turns, 40);
	ck_assert_int_eq(f.chat.status, CHAT_SIDE);
	ck_assert(!chat_learns_from(&f.chat, 200));
	unit_assert_slice(chat_fixture_inject(&f), arena_string(&f.arena, f.chat.read.body));
	/* A user's own text, and a quote within a conversation, is a turn. */
	f.view.turn_count = 1;
	(void)chat_fixture_decide(&f, USER("Name this: " LONG));
	ck_assert_int_eq(f.chat.status, CHAT_EMPTY);
	f.view.turn_count = 2;
	(void)chat_fixture_decide(&f, USER("a") "," ASSISTANT("b") "," USER("Again: " LONG));
	ck_assert_int_eq(f.chat.status, CHAT_EMPTY);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(where_nothing_is_injected_it_is_still_learned)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_HYBRID);
	f.settings.inject = false;
	f.view.has_summary = true;
	f.view.summary = (struct summary){.text = SLICE("A trip to Portugal."), .covers = 7};
	ck_assert_int_eq(chat_fixture_decide(&f, USER("Hello")), CHAT_READY);
	unit_assert_slice(chat_fixture_inject(&f), arena_string(&f.arena, f.chat.read.body));
	ck_assert_int_eq(f.chat.status, CHAT_EMPTY);
	ck_assert(chat_learns_from(&f.chat, 200));
	chat_fixture_end(&f);
}
END_TEST

/* ---- what is journalled ---- */

START_TEST(a_reply_is_kept_as_far_as_it_came)
{
	static const struct {
		struct reply reply;
		bool broke_off, kept, complete, journal;
	} cases[] = {
		{{.text = SLICE("Yes"), .finished = true}, false, true, true, true},
		{{.text = SLICE("Yes")}, true, true, false, true},
		{{.text = SLICE("Yes"), .failed = true}, false, true, false, true},
		{{.text = SLICE("Yes"), .unreadable = true}, false, true, false, true},
		{{.failed = true}, false, false, false, false},
		{{.failed = true}, true, false, false, false},
		{{.unreadable = true}, false, false, false, false},
		{{.unreadable = true}, true, true, false, true},
		{{.finished = true}, false, false, false, false},
		{{.done = false}, true, true, false, true},
		{{.truncated = true}, false, true, true, true},
		{{.has_tool_calls = true, .tool_calls_hash = 9}, false, true, true, false},
		{{.has_tool_calls = true, .tool_calls_hash = 9}, true, true, false, true},
		{{.text = SLICE("No."), .end = END_REFUSED}, false, false, false, false},
		{{.text = SLICE("All so far"), .end = END_NOTHING}, false, false, false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_BUFFER);
		(void)chat_fixture_decide(&f, USER("Is it?"));
		ck_assert_int_eq(chat_fixture_append(&f, cases[i].reply, cases[i].broke_off),
				 cases[i].kept);
		if (cases[i].kept) {
			ck_assert_int_eq(f.append.complete, cases[i].complete);
			ck_assert_int_eq(f.append.journal, cases[i].journal);
			ck_assert_uint_eq(f.append.answer_hash,
					  cases[i].journal ? text_hash(cases[i].reply.text) : 9);
			unit_assert_slice(f.append.user_text, "Is it?");
		}
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(an_answer_that_goes_on_in_another_reply_is_not_journalled_yet)
{
	static const enum reply_end ends[] = {END_PAUSED, END_PENDING, END_RETRIED};
	for (size_t i = 0; i < 3; i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_BUFFER);
		(void)chat_fixture_decide(&f, USER("Is it?"));
		ck_assert(chat_fixture_append(
			&f, (struct reply){.text = SLICE("I will"), .end = ends[i]}, false));
		ck_assert(!f.append.journal);
		ck_assert_uint_eq(f.append.answer_hash, 0);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(an_append_says_whose_it_is_and_what_it_replaces)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_BUFFER);
	f.asked.mode = SLICE("entity");
	f.asked.identity.session = SLICE("s");
	f.view.same_exchange = 12;
	f.view.branches = true;
	f.view.branch_from = 4;
	f.view.next_ordinal = 5;
	f.view.forget_epoch = 6;
	(void)chat_fixture_decide(&f, USER("a") "," ASSISTANT("b") "," USER("c"));
	ck_assert(chat_fixture_append(&f, (struct reply){.text = SLICE("d")}, false));
	unit_assert_slice(f.append.user, "alex");
	unit_assert_slice(f.append.session, "s");
	unit_assert_slice(f.append.model, "m");
	ck_assert_uint_eq(f.append.same_exchange, 12);
	ck_assert_uint_eq(f.append.branch_from, 4);
	ck_assert_uint_eq(f.append.ordinal, 5);
	ck_assert_uint_eq(f.append.forget_epoch, 6);
	ck_assert(f.append.supersede && f.append.carries_history && f.append.learn);
	ck_assert(f.append.explicit_mode);
	ck_assert_int_eq(f.append.mode, MODE_ENTITY);
	ck_assert_int_eq(f.append.started_at, CHAT_NOW);
	ck_assert_int_eq(f.append.now, CHAT_NOW + 5);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(an_answer_in_a_format_is_known_again_but_not_kept)
{
	struct chat_fixture f;
	chat_fixture_begin(&f, MODE_BUFFER);
	ck_assert_int_eq(chat_fixture_enter(&f, "\"response_format\":{\"type\":\"json_object\"},",
					    USER("a")),
			 CHAT_LOAD);
	chat_load(&f.chat, CHAT_NOW, &f.load, &f.arena);
	(void)chat_decide(&f.chat, &f.view, CHAT_NOW, &f.arena);
	ck_assert(chat_fixture_append(&f, (struct reply){.text = SLICE("{}")}, false));
	ck_assert_uint_eq(f.append.answer_text.size, 0);
	ck_assert_uint_eq(f.append.answer_hash, text_hash(SLICE("{}")));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(what_a_framework_says_is_no_users_word)
{
	static const struct {
		const char *messages, *own;
	} cases[] = {
		{USER("Q") "," ASSISTANT("Action: look") "," USER("Observation: 4"), ""},
		{USER("Q") "," ASSISTANT("I looked.") "," USER("Observation: 4"), "Observation: 4"},
		{USER("Observation: 4"), "Observation: 4"},
		{USER("Q") "," ASSISTANT("{") "," USER("Validation feedback:\\nno\\n\\n"
						       "Fix the errors and try again."),
		 ""},
		{USER("Q") "," ASSISTANT("{") "," USER(
			 "Use a tool.\\n\\n(this is automated feedback, "
			 "not a message from the user)"),
		 ""},
		{USER("<context>doc</context>") "," USER("Mine."), "Mine."},
		{USER("Mine.") "," USER("Also."), "Mine.\n\nAlso."},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_VECTOR);
		(void)chat_fixture_decide(&f, cases[i].messages);
		unit_assert_slice(f.chat.read.own_text, cases[i].own);
		ck_assert_int_eq(f.chat.read.question.text.size > 0, cases[i].own[0] != '\0');
		ck_assert(chat_fixture_append(&f, (struct reply){.text = SLICE("d")}, false));
		ck_assert_int_eq(f.append.learn, cases[i].own[0] != '\0');
		chat_fixture_end(&f);
	}
}
END_TEST

UNIT_MAIN("chat_append", auto_goes_by_the_sessions_and_the_length_of_the_conversation,
	  what_quotes_an_answer_at_length_is_a_side_request,
	  where_nothing_is_injected_it_is_still_learned, a_reply_is_kept_as_far_as_it_came,
	  an_answer_that_goes_on_in_another_reply_is_not_journalled_yet,
	  an_append_says_whose_it_is_and_what_it_replaces,
	  an_answer_in_a_format_is_known_again_but_not_kept, what_a_framework_says_is_no_users_word)
