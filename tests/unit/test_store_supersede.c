#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024 };

/* A client of the session "chat": what it sends, and how the answer is appended. */
struct said {
	const char *user;
	const char *answer;
};

struct request {
	const struct said *history;
	size_t count;
	const char *newest;
};

#define ASK(newest, ...)                                                                           \
	(struct request)                                                                           \
	{                                                                                          \
		(const struct said[]){__VA_ARGS__},                                                \
			sizeof((const struct said[]){__VA_ARGS__}) / sizeof(struct said), newest   \
	}
#define ASK_FIRST(newest)                                                                          \
	(struct request)                                                                           \
	{                                                                                          \
		NULL, 0, newest                                                                    \
	}

static struct memory_view view_for(struct fixture *fixture, struct request request,
				   const char *session)
{
	struct answer_mark marks[16];
	for (size_t i = 0; i < request.count; i++)
		marks[i] = (struct answer_mark){.hash = fixture_hash(request.history[i].answer),
						.user_hash = fixture_hash(request.history[i].user)};
	struct load load = {.user = fixture_key("alex"),
			    .session = slice_of(session),
			    .marks = marks,
			    .mark_count = request.count,
			    .newest_hash = fixture_hash(request.newest),
			    .newest_text = slice_of(request.newest),
			    .newest_turns = 100,
			    .uncovered_turns = true,
			    .facts = true,
			    .now = 1000};
	return fixture_load(fixture, &load);
}

static struct append append_for(const struct memory_view *view, struct request request,
				const char *answer, int64_t now)
{
	struct append append = fixture_exchange(request.newest, answer, now);
	append.session = SLICE("chat");
	append.ticket = view->ticket;
	append.conversation = view->conversation;
	append.ordinal = view->next_ordinal;
	append.same_exchange = view->same_exchange;
	append.supersede = view->branches;
	append.kept = view->kept;
	append.kept_count = view->kept_count;
	append.carries_history = request.count > 0;
	return append;
}

static struct memory_view chat(struct fixture *fixture, struct request request, const char *answer,
			       int64_t now)
{
	struct memory_view view = view_for(fixture, request, "chat");
	struct append append = append_for(&view, request, answer, now);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	return view;
}

static const char *const one = "I live in Paris";
static const char *const two = "I moved to Bonn last year";
static const char *const three = "I like tea";

/* Three exchanges with the ids 1, 3 and 5. */
static void chat_three(struct fixture *fixture)
{
	fixture_init(fixture, MAP);
	(void)chat(fixture, ASK_FIRST(one), "a1", 100);
	(void)chat(fixture, ASK(two, {one, "a1"}), "a2", 200);
	(void)chat(fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3", 300);
}

/* The texts of the current turns, joined by spaces. */
static struct slice standing(struct fixture *fixture)
{
	struct memory_view view = fixture_view(fixture, "chat");
	struct buffer out;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < view.turn_count; i++) {
		if (i > 0)
			buffer_append(&out, SLICE(" / "));
		buffer_append(&out, view.turns[i].text);
	}
	struct slice text = arena_copy(&fixture->arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

static struct change city(const char *value, uint64_t exchange, int64_t observed_at)
{
	return (struct change){
		.kind = CHANGE_ADD,
		.fact = {.entity = SLICE("user"),
			 .kind = SLICE("user"),
			 .key = SLICE("city"),
			 .value = slice_of(value),
			 .quote = slice_of(value),
			 .confidence = 0.9,
			 .exchange = exchange,
			 .observed_at = observed_at},
		.replaced_by = -1,
	};
}

static struct change superseded(uint64_t id, int64_t observed_at, int by)
{
	return (struct change){.kind = CHANGE_UPDATE,
			       .fact = {.id = id,
					.state = FACT_SUPERSEDED,
					.ended_at = 199,
					.observed_at = observed_at},
			       .replaced_by = by};
}

static void learn(struct fixture *fixture, uint64_t exchange, const struct change *changes,
		  size_t count)
{
	ck_assert_int_eq(fixture_learned(fixture, exchange, changes, count, false), STORE_OK);
}

/* Paris (fact 1) from the first exchange, then Bonn (fact 2) from the second. */
static void learn_cities(struct fixture *fixture)
{
	struct change paris = city("Paris", 1, 99);
	struct change bonn[] = {city("Bonn", 3, 199), superseded(1, 99, 0)};
	learn(fixture, 1, &paris, 1);
	learn(fixture, 3, bonn, 2);
}

static void assert_city(struct fixture *fixture, const char *value)
{
	struct memory_view view = fixture_view(fixture, "chat");
	ck_assert_uint_eq(view.fact_count, value != NULL);
	if (value != NULL)
		unit_assert_slice(view.facts[0].value, value);
}

static struct job_list jobs_of(struct fixture *fixture)
{
	struct job_list jobs = {0};
	(void)fixture_jobs(fixture, &jobs);
	return jobs;
}

/* ---- what is no edit ---- */

START_TEST(an_assistant_text_that_was_trimmed_is_counted_and_no_edit)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct memory_view view = view_for(
		&fixture, ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3 cut"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.carried_from, 0);
	ck_assert(!view.branches);
	/* In the middle of the history, and at its begin. */
	view = view_for(&fixture, ASK("next", {one, "a1"}, {two, "a2 cut"}, {three, "a3"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	view = view_for(&fixture, ASK("next", {two, "a2 cut"}, {three, "a3"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.carried_from, 1);
	/* All of them: the conversation stands where it stands. */
	view = view_for(&fixture, ASK("next", {one, "a"}, {two, "b"}, {three, "c"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	/* An edit behind a trimmed answer is not certain to be one. */
	view = view_for(&fixture, ASK("I like milk", {one, "a1"}, {two, "a2 cut"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(answers_before_the_marks_count_as_carried)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct answer_mark last = {fixture_hash("a3"), fixture_hash(three), false};
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .marks = &last,
			    .mark_count = 1};
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 2);
	load.earlier_answers = 2;
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_turn_that_was_wrapped_or_unwrapped_is_no_edit)
{
	static const char wrapped[] =
		"Answer from these documents, and from nothing else, whatever it may be that you "
		"are asked:\n[1] The Rhine flows through Bonn.\n\nI moved to Bonn last year";
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK(wrapped, {one, "a1"}), "a2w", 400);
	assert_city(&fixture, "Bonn");
	/* What came behind it was taken back: the request goes on from there. */
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / Answer from these documents, and from nothing "
					      "else, whatever it may be that you are asked:\n[1] "
					      "The Rhine flows through Bonn.\n\nI moved to Bonn "
					      "last year / a2w");
	fixture_finish(&fixture);

	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	(void)chat(&fixture, ASK(wrapped, {one, "a1"}), "a2w", 200);
	struct memory_view view = chat(&fixture, ASK(two, {one, "a1"}), "a2", 300);
	ck_assert_uint_eq(view.same_exchange, 3);
	ck_assert(!view.branches);
	ck_assert_uint_eq(jobs_of(&fixture).count, 3); /* two exchanges, one summary */
	fixture_finish(&fixture);
}
END_TEST

START_TEST(without_a_session_nothing_is_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct memory_view view =
		view_for(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_client_that_sends_only_its_newest_message_takes_nothing_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	struct memory_view view = chat(&fixture, ASK_FIRST("I live in Rome"), "a2", 200);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert(!view.branches);
	/* Said twice, later on, it is said twice. */
	view = chat(&fixture, ASK_FIRST("I live in Rome"), "a3", 300);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.same_exchange, 0);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 6);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_window_over_equal_answers_takes_nothing_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST("add one"), "OK", 100);
	(void)chat(&fixture, ASK("go on", {"add one", "OK"}), "OK", 200);
	(void)chat(&fixture, ASK("go on", {"add one", "OK"}, {"go on", "OK"}), "OK", 300);
	struct memory_view view = view_for(&fixture, ASK("and now?", {"go on", "OK"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

/* ---- edits ---- */

START_TEST(an_edit_retracts_the_fact_and_revives_the_older_value)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	assert_city(&fixture, "Bonn");
	struct request edit = ASK("I like walks", {one, "a1"});
	struct memory_view view = view_for(&fixture, edit, "chat");
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 1);
	/* The request that edits is given what will stand. */
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Paris");
	ck_assert_int_eq(view.facts[0].state, FACT_CURRENT);
	assert_city(&fixture, "Bonn");

	(void)chat(&fixture, edit, "b2", 400);
	assert_city(&fixture, "Paris");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like walks / b2");
	view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.answers, 2);
	ck_assert_int_eq(view.facts[0].ended_at, 0);
	ck_assert_uint_eq(view.facts[0].superseded_by, 0);
	fixture_finish(&fixture);
}
END_TEST

/* Learns from an exchange as the learner does, with this answer of the memory model. */
static void learn_answer(struct fixture *fixture, uint64_t exchange, const char *answer)
{
	struct job_input input;
	struct learning learning = {0};
	ck_assert_int_eq(fixture_input(fixture, JOB_FACTS, exchange, &input), STORE_OK);
	struct learn_turn turn = {.exchange = exchange,
				  .created_at = input.user.created_at,
				  .user = input.user.text,
				  .facts = input.facts,
				  .fact_count = input.fact_count,
				  .min_confidence = 0.5};
	ck_assert(learn_facts_read(&turn, slice_of(answer), &learning, &fixture->arena));
	ck_assert_int_eq(fixture_learned(fixture, exchange, learning.changes, learning.change_count,
					 learning.hide_exchange),
			 STORE_OK);
}

START_TEST(the_reworded_turn_is_learned_from_as_if_the_old_one_had_never_been)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "b2", 400);
	learn_answer(&fixture, 7,
		     "{\"entities\":[{\"key\":\"city\",\"value\":\"Rome\",\"confidence\":0.9}]}");
	assert_city(&fixture, "Rome");
	struct load load = {.user = fixture_key("alex"), .facts = true, .past_facts = true};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 2);
	unit_assert_slice(view.facts[0].value, "Paris");
	ck_assert_int_eq(view.facts[0].state, FACT_SUPERSEDED);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_was_taken_back_can_be_forgotten)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("Forget that I was in Bonn", {one, "a1"}), "b2", 400);
	learn_answer(&fixture, 7,
		     "{\"entities\":[{\"key\":\"city\",\"value\":\"Bonn\",\"forget\":true}]}");
	(void)chat(&fixture, ASK("next", {one, "a1"}, {two, "a2"}), "a3", 500);
	assert_city(&fixture, "Paris");
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 9, &input), STORE_OK);
	for (size_t i = 0; i < input.fact_count; i++)
		ck_assert(!slice_equal(input.facts[i].value, SLICE("Bonn")));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(past_facts_are_given_when_asked_for_but_not_what_was_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .facts = true,
			    .past_facts = true,
			    .now = 1000};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 2);
	ck_assert_int_eq(view.facts[0].state, FACT_SUPERSEDED);
	ck_assert_int_eq(view.facts[0].ended_at, 199);
	unit_assert_slice(view.facts[1].value, "Bonn");
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Paris");
	/* Nor is it in the way of what is learned from now on. */
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 7, &input), STORE_OK);
	ck_assert_uint_eq(input.fact_count, 2);
	unit_assert_slice(input.facts[1].value, "Bonn");
	ck_assert_int_eq(input.facts[1].state, FACT_RETRACTED);
	ck_assert_int_eq(input.facts[1].observed_at, INT64_MIN);
	ck_assert_int_eq(input.facts[1].ended_at, INT64_MIN);
	ck_assert_uint_eq(input.before_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_first_turn_is_edited_by_a_client_that_is_known_to_send_history)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view = view_for(&fixture, ASK_FIRST("What is a monad?"), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	view = chat(&fixture, ASK_FIRST("I live in Rome"), "b1", 400);
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 0);
	ck_assert_uint_eq(view.carried_from, 0);
	assert_city(&fixture, NULL);
	unit_assert_slice(standing(&fixture), "I live in Rome / b1");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(jobs_of_what_was_taken_back_are_gone)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	ck_assert_int_eq(fixture_learned(&fixture, 3, NULL, 0, false), STORE_STALE);
	ck_assert_int_eq(fixture_learned(&fixture, 5, NULL, 0, false), STORE_STALE);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 1);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 7);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_rests_on_a_standing_turn_too_moves_there)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	/* Bonn was said again in another conversation, at 349. */
	struct append other = fixture_exchange("As I said, Bonn", "yes", 350);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct change again = {.kind = CHANGE_UPDATE,
			       .fact = {.id = 2, .state = FACT_CURRENT, .observed_at = 349},
			       .replaced_by = -1};
	learn(&fixture, 7, &again, 1);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	assert_city(&fixture, "Bonn");
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.facts[0].exchange, 7);
	ck_assert_uint_eq(view.facts[0].quote.size, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_before_a_chain_of_taken_facts_stands_again)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct change rome[] = {city("Rome", 5, 299), superseded(2, 199, 0)};
	learn(&fixture, 5, rome, 2);
	/* First the newest goes, then all but the first. */
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}, {two, "a2"}), "b3", 400);
	assert_city(&fixture, "Bonn");
	(void)chat(&fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3", 500);
	assert_city(&fixture, "Rome");
	(void)chat(&fixture, ASK("I like dogs", {one, "a1"}), "c2", 600);
	assert_city(&fixture, "Paris");
	fixture_finish(&fixture);
}
END_TEST

/* ---- regenerations ---- */

START_TEST(a_regeneration_supersedes_the_answer_only)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view =
		chat(&fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3 anew", 400);
	ck_assert_uint_eq(view.same_exchange, 5);
	ck_assert(!view.branches);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / I like tea / a3 anew");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_only_turn_asked_twice_is_a_regeneration)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	struct memory_view view = chat(&fixture, ASK_FIRST(one), "b1", 200);
	ck_assert_uint_eq(view.same_exchange, 1);
	unit_assert_slice(standing(&fixture), "I live in Paris / b1");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_older_turn_asked_again_takes_back_what_came_behind_it)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view = chat(&fixture, ASK(two, {one, "a1"}), "b2", 400);
	ck_assert_uint_eq(view.same_exchange, 3);
	ck_assert(view.same_learned);
	ck_assert(view.branches);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / b2");
	ck_assert_uint_eq(fixture_view(&fixture, "chat").answers, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_that_covers_an_answer_made_anew_goes)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	ck_assert_int_eq(fixture_summarized(&fixture, "a1", 2, 0), STORE_OK);
	(void)chat(&fixture, ASK_FIRST(one), "b1", 200);
	ck_assert(!fixture_view(&fixture, "chat").has_summary);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.jobs[jobs.count - 1].uncovered, 2);
	fixture_finish(&fixture);
}
END_TEST

/* ---- summaries and what was given ---- */

START_TEST(the_summary_is_rebuilt_without_what_was_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 4, 0), STORE_OK);
	struct append other = fixture_exchange("hello", "hi", 350);
	struct frozen frozen = {.block = SLICE("Bonn")};
	other.session = SLICE("other");
	other.frozen = &frozen;
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct request edit = ASK("I like walks", {one, "a1"});
	struct memory_view view = view_for(&fixture, edit, "chat");
	ck_assert(!view.has_summary);
	ck_assert_uint_eq(view.turn_count, 8);
	(void)chat(&fixture, edit, "b2", 400);
	view = fixture_view(&fixture, "other");
	ck_assert(!view.has_summary);
	ck_assert(!view.has_frozen);
	/* One that was being written meanwhile is refused, the next one is not. */
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 6, 4), STORE_STALE);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 6);
	for (size_t i = 0; i < input.uncovered_count; i++)
		ck_assert(!slice_equal(input.uncovered[i].text, slice_of(two)));
	ck_assert_int_eq(fixture_summarized(&fixture, "walks", 10, 0), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_of_other_turns_stays)
{
	struct fixture fixture;
	chat_three(&fixture);
	ck_assert_int_eq(fixture_summarized(&fixture, "Paris", 2, 0), STORE_OK);
	struct request edit = ASK("I like walks", {one, "a1"});
	ck_assert(view_for(&fixture, edit, "chat").has_summary);
	(void)chat(&fixture, edit, "b2", 400);
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.jobs[jobs.count - 1].uncovered, 2);
	/* All the same one that was under way may have read the old turns. */
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 6, 2), STORE_STALE);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(replays_of_taken_turns_go_and_others_stay)
{
	struct fixture fixture;
	chat_three(&fixture);
	const uint64_t given[] = {1, 4};
	for (size_t i = 0; i < 2; i++) {
		struct append other = fixture_exchange(i == 0 ? "x" : "y", "z", 310);
		struct replay replay = {
			.user_hash = other.user_hash, .turns = &given[i], .turn_count = 1};
		other.session = SLICE("other");
		other.replay = &replay;
		other.ordinal = (uint32_t)i;
		ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	}
	/* This one was given the second answer too, and is appended when that is taken back. */
	struct append late = fixture_exchange("late", "z", 320);
	struct replay replay = {.user_hash = 5, .turns = &given[1], .turn_count = 1};
	late.session = SLICE("other");
	late.replay = &replay;
	late.receipt = 9;
	late.receipt_text = SLICE("{}");
	late.ordinal = 2;
	late.ticket = fixture_view(&fixture, "other").ticket;
	ck_assert_uint_eq(fixture_view(&fixture, "other").replay_count, 2);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	ck_assert_int_eq(fixture_append(&fixture, &late), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "other");
	ck_assert_uint_eq(view.replay_count, 1);
	ck_assert_uint_eq(view.replays[0].turns[0], 1);
	struct slice text;
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

/* ---- forks ---- */

START_TEST(a_fork_from_the_middle_goes_on_behind_its_place)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct memory_view view =
		chat(&fixture, ASK("and runs", {one, "a1"}, {"I like walks", "b2"}), "b3", 500);
	ck_assert(!view.branches);
	ck_assert_uint_eq(view.next_ordinal, 2);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I like walks / b2 / and runs / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_client_that_goes_back_to_the_old_branch_gets_it_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "b2", 400);
	struct change rome[] = {city("Rome", 7, 399), superseded(1, 99, 0)};
	learn(&fixture, 7, rome, 2);
	assert_city(&fixture, "Rome");
	struct request old = ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3"});
	struct memory_view view = view_for(&fixture, old, "chat");
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Bonn");
	(void)chat(&fixture, old, "a4", 500);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / I like tea / a3 / next / a4");
	/* Nothing learned is learned again; what was still to be learned from gets its job. */
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 5);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 9);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 8);
	/* And once more to the other side. */
	(void)chat(&fixture, ASK("so", {one, "a1"}, {"I moved to Rome last year", "b2"}), "b3",
		   600);
	assert_city(&fixture, "Rome");
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Rome last year / b2 / so / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(of_what_comes_back_and_what_was_said_since_the_newer_stands)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct append other = fixture_exchange("I live in Oslo", "ok", 450);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct change oslo[] = {city("Oslo", 9, 449), superseded(1, 99, 0)};
	learn(&fixture, 9, oslo, 2);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "a2", 500);
	assert_city(&fixture, "Oslo");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(branches_appended_in_a_row_from_stale_views_leave_one)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct request walks = ASK("I like walks", {one, "a1"});
	struct request dogs = ASK("I like dogs", {one, "a1"});
	struct request again = ASK(two, {one, "a1"});
	struct memory_view view_walks = view_for(&fixture, walks, "chat");
	struct memory_view view_dogs = view_for(&fixture, dogs, "chat");
	struct memory_view view_again = view_for(&fixture, again, "chat");
	struct append append = append_for(&view_walks, walks, "b2", 400);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = append_for(&view_dogs, dogs, "c2", 410);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like dogs / c2");
	/* The turn that is asked again was taken back meanwhile: it comes back. */
	append = append_for(&view_again, again, "d2", 420);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / d2");
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 3);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_request_appended_behind_a_branch_heals_with_the_next)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct request next = ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3"});
	struct memory_view view = view_for(&fixture, next, "chat");
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct append append = append_for(&view, next, "a4", 410);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	(void)chat(&fixture, ASK("so", {one, "a1"}, {"I like walks", "b2"}), "b3", 420);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like walks / b2 / so / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_forgotten_does_not_come_back_with_its_branch)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct change hide = {.kind = CHANGE_HIDE, .fact = {.value = SLICE("Bonn")}};
	learn(&fixture, 7, &hide, 1);
	(void)chat(&fixture, ASK("next", {one, "a1"}, {two, "a2"}), "a3", 500);
	struct memory_view view = fixture_view(&fixture, "chat");
	for (size_t i = 0; i < view.turn_count; i++)
		ck_assert(!slice_equal(view.turns[i].text, slice_of(two)));
	assert_city(&fixture, "Paris");
	struct load load = {.user = fixture_key("alex"), .facts = true, .past_facts = true};
	ck_assert_uint_eq(fixture_load(&fixture, &load).fact_count, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_users_conversations_are_counted)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").conversations, 0);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").conversations, 1);
	ck_assert_uint_eq(fixture_view(&fixture, "other").conversations, 1);
	fixture_finish(&fixture);
}
END_TEST

/* ---- any walk through a tree of branches ---- */

enum { NODES = 60, DEPTH = 12 };

struct node {
	size_t parent; /* its index; NODES: none */
	char user[64];
	char value[16];
	char answer[16];
	uint64_t exchange;
	int64_t created_at;
	bool learned;
};

struct walk {
	struct node nodes[NODES];
	size_t count;
	size_t path[DEPTH];
	size_t depth;
	unsigned seed;
};

static void take_path(struct walk *walk, size_t node)
{
	size_t reversed[DEPTH];
	walk->depth = 0;
	for (; node != NODES; node = walk->nodes[node].parent)
		reversed[walk->depth++] = node;
	for (size_t i = 0; i < walk->depth; i++)
		walk->path[i] = reversed[walk->depth - 1 - i];
}

static void grow_node(struct walk *walk, size_t parent, int64_t now)
{
	struct node *node = &walk->nodes[walk->count];
	*node = (struct node){.parent = parent, .created_at = now - 1};
	(void)snprintf(node->user, sizeof(node->user), "the turn that names city c%zu",
		       walk->count);
	(void)snprintf(node->value, sizeof(node->value), "c%zu", walk->count);
	(void)snprintf(node->answer, sizeof(node->answer), "answer %zu", walk->count);
	take_path(walk, walk->count++);
}

static void ask_at_path_end(struct fixture *fixture, struct walk *walk, int64_t now)
{
	struct said history[DEPTH];
	struct node *last = &walk->nodes[walk->path[walk->depth - 1]];
	for (size_t i = 0; i + 1 < walk->depth; i++) {
		const struct node *node = &walk->nodes[walk->path[i]];
		history[i] = (struct said){node->user, node->answer};
	}
	struct request request = {history, walk->depth - 1, last->user};
	(void)chat(fixture, request, last->answer, now);
	struct memory_view view = fixture_view(fixture, "chat");
	for (size_t i = 0; i < view.turn_count; i++) {
		if (slice_equal(view.turns[i].text, slice_of(last->user)))
			last->exchange = view.turns[i].exchange;
	}
}

/* The current turns are those of the path, and the city is the one that was named last of what was
 * learned there. */
static void assert_path_stands(struct fixture *fixture, const struct walk *walk)
{
	const struct node *newest = NULL;
	struct memory_view view = fixture_view(fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 2 * walk->depth);
	for (size_t i = 0; i < walk->depth; i++) {
		const struct node *node = &walk->nodes[walk->path[i]];
		size_t found = 0;
		for (size_t j = 0; j < view.turn_count; j++)
			found += view.turns[j].exchange == node->exchange;
		ck_assert_uint_eq(found, 2);
		if (node->learned && (newest == NULL || node->created_at > newest->created_at))
			newest = node;
	}
	assert_city(fixture, newest == NULL ? NULL : newest->value);
}

static void learn_some(struct fixture *fixture, struct walk *walk)
{
	struct job_list jobs = jobs_of(fixture);
	for (size_t i = 0; i < jobs.count; i++) {
		char answer[128];
		if (jobs.jobs[i].kind != JOB_FACTS || rand_r(&walk->seed) % 2 == 0)
			continue;
		for (size_t j = 0; j < walk->count; j++) {
			struct node *node = &walk->nodes[j];
			if (node->exchange != jobs.jobs[i].exchange)
				continue;
			(void)snprintf(answer, sizeof(answer),
				       "{\"entities\":[{\"key\":\"city\",\"value\":\"%s\","
				       "\"confidence\":0.9}]}",
				       node->value);
			ck_assert(!node->learned);
			learn_answer(fixture, node->exchange, answer);
			node->learned = true;
		}
	}
}

START_TEST(whatever_branch_a_client_goes_to_just_its_turns_and_facts_stand)
{
	for (unsigned round = 0; round < 12; round++) {
		struct fixture fixture;
		struct walk walk = {.seed = round + 1};
		int64_t now = 100;
		fixture_init(&fixture, MAP);
		grow_node(&walk, NODES, now);
		ask_at_path_end(&fixture, &walk, now);
		grow_node(&walk, 0, ++now);
		ask_at_path_end(&fixture, &walk, now);
		while (walk.count < NODES) {
			size_t from = (size_t)rand_r(&walk.seed) % walk.count;
			bool again = rand_r(&walk.seed) % 4 == 0;
			bool first = rand_r(&walk.seed) % 16 == 0;
			take_path(&walk, from);
			now += 10;
			if (!again && (first || walk.depth < DEPTH))
				grow_node(&walk, first ? NODES : from, now);
			ask_at_path_end(&fixture, &walk, now);
			assert_path_stands(&fixture, &walk);
			learn_some(&fixture, &walk);
			assert_path_stands(&fixture, &walk);
		}
		fixture_finish(&fixture);
	}
}
END_TEST

UNIT_MAIN("store_supersede", an_assistant_text_that_was_trimmed_is_counted_and_no_edit,
	  answers_before_the_marks_count_as_carried,
	  a_user_turn_that_was_wrapped_or_unwrapped_is_no_edit,
	  without_a_session_nothing_is_taken_back,
	  a_client_that_sends_only_its_newest_message_takes_nothing_back,
	  a_window_over_equal_answers_takes_nothing_back,
	  an_edit_retracts_the_fact_and_revives_the_older_value,
	  the_reworded_turn_is_learned_from_as_if_the_old_one_had_never_been,
	  a_fact_that_was_taken_back_can_be_forgotten,
	  past_facts_are_given_when_asked_for_but_not_what_was_taken_back,
	  the_first_turn_is_edited_by_a_client_that_is_known_to_send_history,
	  jobs_of_what_was_taken_back_are_gone,
	  a_fact_that_rests_on_a_standing_turn_too_moves_there,
	  what_was_before_a_chain_of_taken_facts_stands_again,
	  a_regeneration_supersedes_the_answer_only, the_only_turn_asked_twice_is_a_regeneration,
	  an_older_turn_asked_again_takes_back_what_came_behind_it,
	  a_summary_that_covers_an_answer_made_anew_goes,
	  the_summary_is_rebuilt_without_what_was_taken_back, a_summary_of_other_turns_stays,
	  replays_of_taken_turns_go_and_others_stay,
	  a_fork_from_the_middle_goes_on_behind_its_place,
	  a_client_that_goes_back_to_the_old_branch_gets_it_back,
	  of_what_comes_back_and_what_was_said_since_the_newer_stands,
	  branches_appended_in_a_row_from_stale_views_leave_one,
	  a_request_appended_behind_a_branch_heals_with_the_next,
	  what_was_forgotten_does_not_come_back_with_its_branch,
	  the_users_conversations_are_counted,
	  whatever_branch_a_client_goes_to_just_its_turns_and_facts_stand)
