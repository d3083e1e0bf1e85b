/* A memory taken along and taken in again. */
#include "storage/deletions.h"
#include "storage/rights.h"
#include "tests/unit/expire_fixture.h"

static struct take_in_count count_of;

static void take_in(struct fixture *fixture, struct portable_memory *memory, const char *user)
{
	memory->user = slice_of(user);
	memory->tenant = SLICE("shared");
	ck_assert_int_eq(fixture_take_in(fixture, memory, 1000, &count_of), STORE_OK);
}

static void assert_equal(const struct portable_memory *a, const struct portable_memory *b)
{
	ck_assert_uint_eq(a->conversation_count, b->conversation_count);
	ck_assert_uint_eq(a->turn_count, b->turn_count);
	ck_assert_uint_eq(a->fact_count, b->fact_count);
	for (size_t i = 0; i < a->turn_count; i++) {
		const struct portable_turn *left = &a->turns[i];
		const struct portable_turn *right = &b->turns[i];
		ck_assert(slice_equal(left->turn.text, right->turn.text));
		ck_assert_int_eq(left->turn.state, right->turn.state);
		ck_assert_int_eq(left->turn.created_at, right->turn.created_at);
		ck_assert_uint_eq(left->turn.ordinal, right->turn.ordinal);
		ck_assert_uint_eq(left->turn.hash, right->turn.hash);
		ck_assert_uint_eq(left->own_hash, right->own_hash);
		ck_assert_int_eq(left->learning, right->learning);
		ck_assert_int_eq(left->taken_back_at, right->taken_back_at);
		ck_assert_uint_eq(left->answer == 0, right->answer == 0);
		ck_assert_uint_eq(left->earlier == 0, right->earlier == 0);
	}
	for (size_t i = 0; i < a->fact_count; i++) {
		ck_assert(slice_equal(a->facts[i].value, b->facts[i].value));
		ck_assert_int_eq(a->facts[i].state, b->facts[i].state);
		ck_assert_int_eq(a->facts[i].observed_at, b->facts[i].observed_at);
		ck_assert_uint_eq(a->facts[i].superseded_by == 0, b->facts[i].superseded_by == 0);
		ck_assert_uint_eq(a->facts[i].exchange == 0, b->facts[i].exchange == 0);
	}
}

/* Two conversations, one of them with a branch that was left, facts, a summary, and jobs. */
static void begin(struct fixture *fixture)
{
	struct job_input input;
	fixture_init(fixture, MAP);
	say(fixture, "a", "I live in Lisbon", 100);
	say(fixture, "b", "I live in Bergen", 200);
	learn_city(fixture, 1, "Lisbon", 100, false);
	learn_city(fixture, 3, "Bergen", 200, false);
	struct append again = fixture_exchange("I live in Bergen", "Another answer", 300);
	again.session = SLICE("b");
	again.same_exchange = 3;
	again.learn = false;
	ck_assert_int_eq(fixture_append(fixture, &again), STORE_OK);
	ck_assert_int_eq(fixture_input(fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_int_eq(fixture_summarized(fixture, "Lives somewhere", 2, 0), STORE_OK);
	say(fixture, "c", "It rains", 400);
}

START_TEST(a_memory_is_the_same_after_it_was_taken_in)
{
	struct fixture fixture;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	ck_assert_uint_eq(first.turn_count, 7);
	ck_assert_uint_eq(first.fact_count, 2);
	ck_assert(first.has_summary);
	take_in(&fixture, &first, "ben");
	ck_assert_uint_eq(count_of.turns, 7);
	ck_assert_uint_eq(count_of.conversations, 3);
	ck_assert_uint_eq(count_of.facts, 2);
	ck_assert(count_of.summary);
	struct portable_memory second = fixture_memory(&fixture, "ben");
	assert_equal(&first, &second);
	ck_assert(second.has_summary);
	ck_assert_uint_eq(second.summary.covers, second.turns[1].turn.id);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(taking_it_in_twice_changes_nothing)
{
	struct fixture fixture;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	take_in(&fixture, &first, "ben");
	struct portable_memory before = fixture_memory(&fixture, "ben");
	for (int i = 0; i < 2; i++) {
		take_in(&fixture, &first, i == 0 ? "ben" : "alex");
		ck_assert_uint_eq(count_of.turns + count_of.facts + count_of.conversations, 0);
		ck_assert_uint_eq(count_of.known, 9);
		ck_assert(!count_of.summary);
	}
	struct portable_memory after = fixture_memory(&fixture, "ben");
	assert_equal(&before, &after);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_new_joins_its_conversation)
{
	struct fixture fixture;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	struct portable_memory part = first;
	part.turn_count = 2;
	part.fact_count = 0;
	part.has_summary = false;
	take_in(&fixture, &part, "ben");
	ck_assert_uint_eq(count_of.turns, 2);
	take_in(&fixture, &first, "ben");
	ck_assert_uint_eq(count_of.turns, 5);
	ck_assert_uint_eq(count_of.known, 2);
	ck_assert_uint_eq(count_of.conversations, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(turns_without_a_session_and_without_a_question_come_in)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct past_conversation past = {.last_active = 50, .answers = 2};
	struct portable_conversation only = {.id = 9, .conversation = past};
	struct portable_turn turns[] = {
		{.turn = {.id = 4,
			  .conversation = 9,
			  .role = ROLE_ASSISTANT,
			  .complete = true,
			  .created_at = 40,
			  .hash = 11,
			  .text = SLICE("Hello, I am here")}},
		{.turn = {.id = 5,
			  .exchange = 5,
			  .conversation = 9,
			  .ordinal = 1,
			  .role = ROLE_USER,
			  .complete = true,
			  .created_at = 50,
			  .hash = 12,
			  .text = SLICE("I like tea")},
		 .own_hash = 12},
	};
	struct portable_memory memory = {
		.conversations = &only, .conversation_count = 1, .turns = turns, .turn_count = 2};
	for (int i = 0; i < 2; i++) {
		take_in(&fixture, &memory, "alex");
		ck_assert_uint_eq(count_of.turns, i == 0 ? 2 : 0);
	}
	struct portable_memory read = fixture_memory(&fixture, "alex");
	ck_assert_uint_eq(read.turn_count, 2);
	ck_assert_uint_eq(read.turns[0].turn.exchange, 0);
	ck_assert_int_eq(read.turns[1].learning, PORTABLE_NOT_LEARNED);
	struct portable_memory none = {0};
	take_in(&fixture, &none, "ben");
	ck_assert_int_eq(
		store_read_memory(fixture.store, fixture_key("ben"), &none, &fixture.arena),
		STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

/* An export of before a branch was left brings no summary of it back. */
START_TEST(a_summary_of_turns_that_were_left_since_stays_out)
{
	struct fixture fixture;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	struct portable_memory left = first;
	struct portable_turn turns[8];
	ck_assert_uint_le(first.turn_count, 8);
	memcpy(turns, first.turns, first.turn_count * sizeof(*turns));
	ck_assert_int_eq(turns[0].turn.state, TURN_CURRENT);
	turns[0].turn.state = TURN_SUPERSEDED;
	left.turns = turns;
	left.has_summary = false;
	take_in(&fixture, &left, "ben");
	take_in(&fixture, &first, "ben");
	ck_assert_uint_eq(count_of.turns, 0);
	ck_assert(!count_of.summary);
	left.turns = first.turns;
	take_in(&fixture, &left, "carl");
	take_in(&fixture, &first, "carl");
	ck_assert(count_of.summary);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_erased_does_not_come_back)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	struct deletion_report report;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	(void)store_delete(fixture.store, fixture_key("alex"),
			   &(struct deletion){.kind = DELETION_TURN, .id = 1}, 0, 1000, &report,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	take_in(&fixture, &first, "alex");
	ck_assert_uint_eq(count_of.turns, 0);
	ck_assert_uint_eq(count_of.facts, 0);
	ck_assert(!count_of.summary);
	ck_assert(!recalls(&fixture, "Lisbon"));
	/* nor does the user */
	wait = (struct fixture_wait){0};
	(void)store_forget(fixture.store, fixture_key("alex"), 1000, &report,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_eq(report.users, 1);
	take_in(&fixture, &first, "alex");
	ck_assert_uint_eq(count_of.turns + count_of.facts, 0);
	ck_assert_uint_eq(count_of.erased, 9);
	ck_assert_int_eq(
		store_read_memory(fixture.store, fixture_key("alex"), &first, &fixture.arena),
		STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

static struct user_settings settings_of(struct fixture *fixture, const char *user)
{
	struct user_settings settings;
	ck_assert_int_eq(
		store_settings(fixture->store, fixture_key(user), &settings, &fixture->arena),
		STORE_OK);
	return settings;
}

static enum store_result try_to_take_in(struct fixture *fixture, struct portable_memory *memory,
					const char *user)
{
	memory->user = slice_of(user);
	memory->tenant = SLICE("shared");
	return fixture_take_in(fixture, memory, 1000, &count_of);
}

START_TEST(settings_are_taken_in_once)
{
	struct fixture fixture;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	ck_assert(!first.settings.is_stored);
	first.settings = settings_default();
	first.settings.is_stored = true;
	take_in(&fixture, &first, "ben");
	ck_assert(!count_of.settings); /* they ask for nothing */
	first.settings.inject = false;
	first.settings.note = SLICE("by letter");
	take_in(&fixture, &first, "ben");
	ck_assert(count_of.settings);
	ck_assert(slice_equal(settings_of(&fixture, "ben").note, SLICE("by letter")));
	struct portable_memory second = fixture_memory(&fixture, "ben");
	ck_assert(second.settings.is_stored && !second.settings.inject);
	first.settings.note = SLICE("by phone");
	take_in(&fixture, &first, "ben");
	ck_assert(!count_of.settings);
	ck_assert(slice_equal(settings_of(&fixture, "ben").note, SLICE("by letter")));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_wants_nothing_kept_takes_nothing_in)
{
	struct fixture fixture;
	struct job_list jobs;
	begin(&fixture);
	struct portable_memory first = fixture_memory(&fixture, "alex");
	first.settings = settings_default();
	first.settings.is_stored = true;
	first.settings.learn = false;
	for (size_t i = 0; i < first.turn_count; i++)
		first.turns[i].learning = PORTABLE_PENDING;
	take_in(&fixture, &first, "ben");
	ck_assert(count_of.settings);
	ck_assert_uint_eq(count_of.turns, 7);
	ck_assert_int_eq(
		store_user_jobs(fixture.store, fixture_key("ben"), 0, 8, &jobs, &fixture.arena),
		STORE_NOT_FOUND);
	first = fixture_memory(&fixture, "ben");
	for (size_t i = 0; i < first.turn_count; i++)
		ck_assert_int_ne(first.turns[i].learning, PORTABLE_PENDING);
	ck_assert_int_eq(try_to_take_in(&fixture, &first, "ben"), STORE_STALE);
	ck_assert_uint_eq(count_of.turns + count_of.known, 0);
	/* settings alone are all that there is of somebody */
	struct portable_memory alone = {.settings = first.settings};
	ck_assert_int_eq(try_to_take_in(&fixture, &alone, "eve"), STORE_OK);
	struct portable_memory read = fixture_memory(&fixture, "eve");
	ck_assert(read.settings.is_stored && read.user.size == 0);
	ck_assert_uint_eq(read.turn_count, 0);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_portable", a_memory_is_the_same_after_it_was_taken_in,
	  taking_it_in_twice_changes_nothing, what_is_new_joins_its_conversation,
	  turns_without_a_session_and_without_a_question_come_in,
	  what_was_erased_does_not_come_back, a_summary_of_turns_that_were_left_since_stays_out,
	  settings_are_taken_in_once, who_wants_nothing_kept_takes_nothing_in)
