#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024 };

static struct answer_fingerprint mark(const char *answer, const char *user_text)
{
	return (struct answer_fingerprint){.hash = fixture_hash(answer),
					   .user_hash = fixture_hash(user_text)};
}

/* Loads memory for a request with this history, from a client that names no session. */
static struct memory_view view_of(struct fixture *fixture, const struct answer_fingerprint *marks,
				  size_t count, const char *newest)
{
	struct load load = {.user = fixture_key("alex"),
			    .fingerprints = marks,
			    .fingerprint_count = count,
			    .newest_hash = fixture_hash(newest),
			    .newest_turns = 100};
	return fixture_load(fixture, &load);
}

static void append_ok(struct fixture *fixture, const struct append *append)
{
	ck_assert_int_eq(fixture_append(fixture, append), STORE_OK);
}

START_TEST(an_unknown_user_is_a_new_conversation)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct answer_fingerprint marks[] = {mark("hello", "hi")};
	struct memory_view view = view_of(&fixture, marks, 1, "and?");
	ck_assert(!view.known);
	ck_assert_uint_eq(view.conversation, 0);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert_uint_eq(view.carried_from, 0);
	ck_assert_uint_eq(view_of(&fixture, NULL, 0, "hi").carried_from, UINT32_MAX);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_exchange_survives_a_restart)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("My name is Alex", "Hello Alex", 100);
	append.session = SLICE("chat");
	append_ok(&fixture, &append);
	fixture_reopen(&fixture);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(view.known);
	ck_assert_uint_eq(view.turn_count, 2);
	ck_assert_int_eq(view.turns[0].role, ROLE_USER);
	unit_assert_slice(view.turns[0].text, "My name is Alex");
	unit_assert_slice(view.turns[0].session, "chat");
	ck_assert_int_eq(view.turns[0].created_at, 99);
	ck_assert_uint_eq(view.turns[0].id, 1);
	unit_assert_slice(view.turns[1].text, "Hello Alex");
	ck_assert_uint_eq(view.turns[1].exchange, 1);
	ck_assert(view.turns[1].complete);
	ck_assert_int_eq(view.last_active, 100);
	ck_assert_uint_eq(view.answers, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_history_of_ids_finds_its_conversation_and_place)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("one?", "one!", 100);
	append.item_hash = 77;
	append_ok(&fixture, &append);
	struct answer_fingerprint named = {.hash = 77, .user_hash = fixture_hash("one?")};
	struct memory_view view = view_of(&fixture, &named, 1, "two?");
	ck_assert_uint_ne(view.conversation, 0);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert_uint_eq(view.carried_from, 0);
	/* An incomplete turn cannot be named. */
	append = fixture_exchange("three?", "thr", 101);
	append.item_hash = 78;
	append.complete = false;
	append_ok(&fixture, &append);
	named = (struct answer_fingerprint){.hash = 78, .user_hash = fixture_hash("three?")};
	ck_assert_uint_eq(view_of(&fixture, &named, 1, "four?").conversation, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_history_finds_its_conversation_and_place)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("one?", "one!", 100);
	append_ok(&fixture, &append);
	struct answer_fingerprint marks[] = {mark("one!", "one?"), mark("two!", "two?")};
	struct memory_view view = view_of(&fixture, marks, 1, "two?");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert_uint_eq(view.carried_from, 0);
	ck_assert_uint_eq(view.same_exchange, 0);

	append = fixture_exchange("two?", "two!", 200);
	append.conversation = view.conversation;
	append.ordinal = view.next_ordinal;
	append_ok(&fixture, &append);
	/* The client dropped the oldest turn: it carries the conversation from 1 on. */
	view = view_of(&fixture, &marks[1], 1, "three?");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.carried_from, 1);
	/* Nothing known in it: a new conversation. */
	struct answer_fingerprint other = mark("else", "what");
	ck_assert_uint_eq(view_of(&fixture, &other, 1, "x").conversation, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_session_leads_to_its_conversation_only)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.session = SLICE("a");
	append_ok(&fixture, &append);
	struct answer_fingerprint marks[] = {mark("hello", "hi")};
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("b"),
			    .fingerprints = marks,
			    .fingerprint_count = 1};
	ck_assert_uint_eq(fixture_load(&fixture, &load).conversation, 0);
	load.session = SLICE("a");
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	/* Only its newest message is sent: the conversation goes on where it stands. */
	load.fingerprint_count = 0;
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert_uint_eq(view.carried_from, UINT32_MAX);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(two_first_requests_of_a_session_share_a_conversation)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append first = fixture_exchange("hi", "hello", 100);
	struct append second = fixture_exchange("hey", "hello there", 101);
	first.session = second.session = SLICE("chat");
	append_ok(&fixture, &first);
	append_ok(&fixture, &second);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.answers, 2);
	for (size_t i = 0; i < view.turn_count; i++)
		ck_assert_uint_eq(view.turns[i].conversation, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_new_answer_takes_the_place_of_the_old_one)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("joke?", "knock", 100);
	append_ok(&fixture, &append);
	struct answer_fingerprint old = mark("knock", "joke?");
	append = fixture_exchange("joke?", "who is there", 200);
	append.conversation = 1;
	append.same_exchange = 1;
	append_ok(&fixture, &append);
	struct memory_view view = fixture_view(&fixture, "");
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[1].text, "who is there");
	ck_assert_uint_eq(view.turns[1].exchange, 1);
	/* One user turn, one job; both answers are found again. */
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_int_eq(jobs.jobs[1].kind, JOB_SUMMARY);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 2);
	ck_assert_uint_eq(view_of(&fixture, &old, 1, "more").conversation, 1);
	struct answer_fingerprint fresh = mark("who is there", "joke?");
	ck_assert_uint_eq(view_of(&fixture, &fresh, 1, "more").next_ordinal, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_turn_asked_again_is_known_again)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("one?", "one!", 100);
	append.session = SLICE("chat");
	append_ok(&fixture, &append);
	append = fixture_exchange("two?", "two!", 200);
	append.conversation = 1;
	append.ordinal = 1;
	append_ok(&fixture, &append);
	struct answer_fingerprint marks[] = {mark("one!", "one?")};
	struct memory_view view = view_of(&fixture, marks, 1, "two?");
	ck_assert_uint_eq(view.same_exchange, 3);
	ck_assert(view.same_learned);
	/* Edited: another turn in the same place. */
	ck_assert_uint_eq(view_of(&fixture, marks, 1, "three?").same_exchange, 0);
	/* Without a history "two?" is said a second time. */
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .newest_hash = fixture_hash("two?")};
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.same_exchange, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(of_a_reply_that_broke_off_only_the_users_turn_is_learned_from)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("long?", "it beg", 100);
	append.session = SLICE("chat");
	append.complete = false;
	append_ok(&fixture, &append);
	struct job_list jobs;
	struct job_input input;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 1);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 1);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 1, &input), STORE_OK);
	ck_assert_uint_eq(input.assistant.text.size, 0);
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .newest_hash = fixture_hash("long?"),
			    .newest_turns = 10};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.answers, 0);
	ck_assert_uint_eq(view.turn_count, 2);
	ck_assert(!view.turns[1].complete);
	ck_assert_uint_eq(view.same_exchange, 1);
	ck_assert(view.same_learned);

	append = fixture_exchange("long?", "it begins and ends", 200);
	append.conversation = view.conversation;
	append.same_exchange = view.same_exchange;
	append_ok(&fixture, &append);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 1);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 2);
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.answers, 1);
	ck_assert_uint_eq(view.turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_message_that_called_tools_leads_to_its_exchange)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("weather?", "", 100);
	append.journal = false;
	append.answer_hash = 77;
	append_ok(&fixture, &append);
	struct answer_fingerprint marks[] = {{.hash = 77, .tool_calls = true}};
	struct memory_view view = view_of(&fixture, marks, 1, "weather?");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.turn_count, 0);
	ck_assert_uint_eq(view.next_ordinal, 0);
	ck_assert_uint_eq(view.carried_from, UINT32_MAX);
	/* A text with the same hash is not the message that called tools. */
	marks[0].tool_calls = false;
	ck_assert_uint_eq(view_of(&fixture, marks, 1, "weather?").conversation, 0);

	append = fixture_exchange("weather?", "sunny", 200);
	append.conversation = 1;
	append_ok(&fixture, &append);
	struct answer_fingerprint history[] = {{.hash = 77, .tool_calls = true},
					       mark("sunny", "weather?")};
	view = view_of(&fixture, history, 2, "and tomorrow?");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert_uint_eq(view.carried_from, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_frozen_context_comes_back_byte_for_byte)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const uint64_t facts[] = {3, 1, UINT64_MAX};
	struct frozen frozen = {.mode = MODE_HYBRID,
				.receipt_items = SLICE("[]"),
				.tokens = 12,
				.block = SLICE("<memory>\0</memory>"),
				.turns = SLICE("2 2:hi"),
				.chat_turns = SLICE("{},"),
				.facts = facts,
				.fact_count = 3};
	struct append append = fixture_exchange("hi", "hello", 100);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append_ok(&fixture, &append);
	/* Without a new one it stays as it was. */
	append = fixture_exchange("more", "sure", 200);
	append.session = SLICE("chat");
	append.conversation = 1;
	append.ordinal = 1;
	append_ok(&fixture, &append);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(view.has_frozen);
	ck_assert(slice_equal(view.frozen.block, frozen.block));
	unit_assert_slice(view.frozen.turns, "2 2:hi");
	unit_assert_slice(view.frozen.chat_turns, "{},");
	unit_assert_slice(view.frozen.receipt_items, "[]");
	ck_assert_uint_eq(view.frozen.fact_count, 3);
	ck_assert_mem_eq(view.frozen.facts, facts, sizeof(facts));
	ck_assert(!fixture_view(&fixture, "other").has_frozen);
	fixture_finish(&fixture);
}
END_TEST

/* The writer reads them when the caller may have freed them. */
START_TEST(what_a_request_was_given_is_copied_from_the_caller)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	uint64_t ids[] = {7};
	const struct frozen frozen = {.mode = MODE_HYBRID,
				      .facts = ids,
				      .fact_count = 1,
				      .given = ids,
				      .given_count = 1,
				      .ended = ids,
				      .ended_count = 1};
	char model[] = "gpt";
	const struct chain_link link = {.is_pending = true,
					.user_text = SLICE("hi"),
					.model = slice_of(model),
					.turns = ids,
					.turn_count = 1};
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.link = &link;
	append.link_ids[0] = SLICE("resp_1");
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ids[0] = 8;
	model[0] = 'x';
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	const struct frozen kept = fixture_view(&fixture, "chat").frozen;
	ck_assert_uint_eq(kept.facts[0], 7);
	ck_assert_uint_eq(kept.given[0], 7);
	ck_assert_uint_eq(kept.ended[0], 7);
	const struct load load = {
		.user = fixture_key("alex"), .previous = SLICE("resp_1"), .now = 200};
	const struct chain_link found = fixture_load(&fixture, &load).link;
	unit_assert_slice(found.model, "gpt");
	ck_assert_uint_eq(found.turns[0], 7);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_newest_turns_and_the_uncovered_ones_are_united)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 10; i++) {
		struct append append = fixture_exchange("question", "answer", 100 + i);
		append.conversation = i == 0 ? 0 : 1;
		append.ordinal = (uint32_t)i;
		append_ok(&fixture, &append);
	}
	struct load load = {.user = fixture_key("alex"), .newest_turns = 3};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.turn_count, 3);
	ck_assert_uint_eq(view.turns[0].id, 18);
	ck_assert_int_eq(fixture_summarized(&fixture, "they asked", 12, 0), STORE_OK);
	load.uncovered_text = SIZE_MAX;
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.turn_count, 8);
	ck_assert_uint_eq(view.turns[0].id, 13);
	load.newest_turns = 15;
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.turn_count, 15);
	for (size_t i = 0; i < view.turn_count; i++)
		ck_assert_uint_eq(view.turns[i].id, 6 + i);
	fixture_finish(&fixture);
}
END_TEST

static struct answer_fingerprint say_numbered(struct fixture *fixture, unsigned number)
{
	char question[16];
	char answer[16];
	(void)snprintf(question, sizeof(question), "query %03u", number);
	(void)snprintf(answer, sizeof(answer), "said %03u", number);
	struct append append = fixture_exchange(question, answer, 100 + number);
	append.session = SLICE("s");
	append.conversation = number == 0 ? 0 : 1;
	append.ordinal = number;
	append_ok(fixture, &append);
	return mark(answer, question);
}

START_TEST(of_the_uncovered_ones_so_much_text_is_given_as_is_wanted)
{
	enum { EXCHANGES = 50, QUESTION = 9, ANSWER = 8, MISSES = 32 };
	struct fixture fixture;
	struct answer_fingerprint marks[2];
	fixture_init(&fixture, MAP);
	for (unsigned i = 0; i < EXCHANGES; i++)
		marks[i % 2] = say_numbered(&fixture, i);
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("s"),
			    .uncovered_text = QUESTION + ANSWER};
	ck_assert_uint_eq(fixture_load(&fixture, &load).turn_count, 2);
	load.uncovered_text++; /* so little that no turn fits, but it is tried */
	ck_assert_uint_eq(fixture_load(&fixture, &load).turn_count, 2 + MISSES);
	load.uncovered_text = 0;
	ck_assert_uint_eq(fixture_load(&fixture, &load).turn_count, 0);
	/* Turns that the request already carries do not count. */
	load.uncovered_text = QUESTION + ANSWER;
	load.fingerprints = marks;
	load.fingerprint_count = 2;
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.carried_from, EXCHANGES - 2);
	ck_assert_uint_eq(view.turn_count, 6);
	ck_assert_uint_eq(view.turns[0].id, 2 * (EXCHANGES - 3) + 1);
	/* Nor does what is longer than all that is wanted. */
	struct append append = fixture_exchange("query 050", "so much that it does not fit", 200);
	append_ok(&fixture, &append);
	load.fingerprint_count = 0;
	load.uncovered_text = QUESTION + QUESTION + ANSWER;
	ck_assert_uint_eq(fixture_load(&fixture, &load).turn_count, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(only_so_many_receipts_are_kept_and_the_oldest_go_first)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	fixture.receipts = 3;
	fixture_reopen(&fixture);
	for (uint64_t id = 11; id <= 15; id++) {
		struct append append = fixture_exchange("hi", "hello", 100);
		append.receipt.id = id * 1000 % 17; /* in no order */
		append.receipt.text = SLICE("{}");
		append_ok(&fixture, &append);
	}
	struct slice text;
	for (uint64_t id = 11; id <= 15; id++)
		ck_assert_int_eq(fixture_receipt(&fixture, id * 1000 % 17, &text),
				 id < 13 ? STORE_NOT_FOUND : STORE_OK);
	unit_assert_slice(text, "{}");
	struct store_statistics statistics;
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.receipts, 3);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_receipt_quotes_the_turns_that_are_stored)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("My boat lies in the harbour of Bergen.", "Ok", 1);
	append_ok(&fixture, &append);
	append = fixture_exchange("Where is my boat?", "In Bergen", 100);
	append.receipt.id = 5;
	append.receipt.text =
		SLICE("[{\"kind\":\"turn\",\"id\":\"1\",\"text\":[\"user: \",38,\"\"]},"
		      "{\"kind\":\"turn\",\"id\":\"99\",\"text\":[\"\",38,\"\"]}]");
	append_ok(&fixture, &append);
	const char *told = "[{\"kind\":\"turn\",\"id\":\"1\",\"text\":\"user: My boat lies in the "
			   "harbour of Bergen.\"},{\"kind\":\"turn\",\"id\":\"99\",\"text\":null}]";
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_OK);
	unit_assert_slice(text, told);
	text = append.receipt.text;
	ck_assert_int_eq(
		store_tell_turns(fixture.store, fixture_key("alex"), &text, &fixture.arena),
		STORE_OK);
	unit_assert_slice(text, told);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_cancelled_write_is_written_and_never_called_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct fixture_wait wait = {0};
	struct append append = fixture_exchange("hi", "hello", 100);
	store_cancel(store_append(fixture.store, &append,
				  (struct store_waiter){&fixture.loop.loop, fixture_done, &wait}));
	store_cancel(NULL);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(fixture_loop_pending(&fixture.loop), 1);
	fixture_loop_turn(&fixture.loop);
	ck_assert(!wait.done);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(closing_commits_what_is_queued)
{
	struct fixture fixture;
	struct fixture_wait waits[300] = {{0}};
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 300; i++) {
		struct append append = fixture_exchange("hi", "hello", 100);
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	}
	fixture_reopen(&fixture);
	ck_assert_uint_eq(fixture_loop_pending(&fixture.loop), 300);
	fixture_loop_turn(&fixture.loop);
	for (size_t i = 0; i < 300; i++)
		ck_assert(waits[i].done && waits[i].result == STORE_OK);
	struct store_statistics statistics;
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.turns, 600);
	ck_assert_uint_eq(statistics.users, 1);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store", an_unknown_user_is_a_new_conversation, an_exchange_survives_a_restart,
	  a_history_of_ids_finds_its_conversation_and_place,
	  a_history_finds_its_conversation_and_place, a_session_leads_to_its_conversation_only,
	  two_first_requests_of_a_session_share_a_conversation,
	  a_new_answer_takes_the_place_of_the_old_one, a_user_turn_asked_again_is_known_again,
	  of_a_reply_that_broke_off_only_the_users_turn_is_learned_from,
	  a_message_that_called_tools_leads_to_its_exchange,
	  the_frozen_context_comes_back_byte_for_byte,
	  what_a_request_was_given_is_copied_from_the_caller,
	  the_newest_turns_and_the_uncovered_ones_are_united,
	  of_the_uncovered_ones_so_much_text_is_given_as_is_wanted,
	  only_so_many_receipts_are_kept_and_the_oldest_go_first,
	  a_receipt_quotes_the_turns_that_are_stored,
	  a_cancelled_write_is_written_and_never_called_back, closing_commits_what_is_queued)
