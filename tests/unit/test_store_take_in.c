/* A long memory taken in: in slices, between others' commits. */
#include "storage/lmdb/writer.h"
#include "storage/user/memory.h"
#include "tests/unit/neighbour.h"

#include <stdio.h>

enum {
	MAP = 256 * 1024 * 1024,
	TURNS = 4000,
	CONVERSATIONS = 4,
	FACTS = 3000,
	TEXT_SIZE = 64,
};

/* ---- a long memory ---- */

static struct portable_conversation conversations[CONVERSATIONS];
static struct portable_turn turns[TURNS];
static struct fact facts[FACTS];
static char texts[TURNS][TEXT_SIZE];

/* An exchange in each four turns has a second answer, which replaced the first. */
static void make_turn(size_t i)
{
	static const enum role roles[] = {ROLE_USER, ROLE_ASSISTANT, ROLE_USER, ROLE_ASSISTANT};
	struct turn *turn = &turns[i].turn;
	(void)snprintf(texts[i], TEXT_SIZE, "This is what was said as number %zu", i);
	turns[i] = (struct portable_turn){.learn = true};
	*turn = (struct turn){
		.id = 10 + i,
		.exchange = 10 + i - i % 2,
		.conversation = (uint32_t)(1 + i % (4 * CONVERSATIONS) / 4),
		.ordinal = (uint32_t)(i / 2),
		.role = roles[i % 4],
		.complete = true,
		.created_at = (int64_t)(1000 * i),
		.hash = i + 1,
		.text = slice_of(texts[i]),
	};
	if (turn->role == ROLE_USER) {
		turns[i].answer = turn->id + 1;
		turns[i].own_hash = turn->hash;
		turns[i].learning = i % 3 == 0 ? PORTABLE_PENDING : PORTABLE_LEARNED;
	}
}

static struct portable_memory long_memory(void)
{
	static const char *const sessions[CONVERSATIONS] = {"a", "b", "", "c"};
	for (size_t i = 0; i < CONVERSATIONS; i++)
		conversations[i] = (struct portable_conversation){
			(uint32_t)i + 1,
			{.session = slice_of(sessions[i]), .last_active = 9, .answers = TURNS / 2}};
	for (size_t i = 0; i < TURNS; i++)
		make_turn(i);
	for (size_t i = 0; i < FACTS; i++)
		facts[i] = (struct fact){
			.id = 5 + i,
			.entity = SLICE("user"),
			.key = SLICE("likes"),
			.value = slice_of(texts[i]),
			.many = true,
			.confidence = 1,
			.exchange = 10 + i - i % 2,
			.observed_at = (int64_t)i,
			.state = i % 2 == 0 ? FACT_SUPERSEDED : FACT_CURRENT,
			.superseded_by = i % 2 == 0 && i + 1 < FACTS ? 6 + i : 0,
		};
	return (struct portable_memory){
		.tenant = SLICE("shared"),
		.user = SLICE("alex"),
		.conversations = conversations,
		.conversation_count = CONVERSATIONS,
		.turns = turns,
		.turn_count = TURNS,
		.facts = facts,
		.fact_count = FACTS,
		.has_summary = true,
		.summary = {.text = SLICE("Says much"), .covers = 10 + TURNS / 2},
	};
}

/* How far ids moved: an id that none of the memory's turns has is 0 in both. */
static void assert_turn(const struct portable_turn *wanted, const struct portable_turn *found,
			uint64_t moved)
{
	ck_assert(slice_equal(found->turn.text, wanted->turn.text));
	ck_assert_uint_eq(found->turn.id, wanted->turn.id + moved);
	ck_assert_uint_eq(found->turn.exchange, wanted->turn.exchange + moved);
	ck_assert_uint_eq(found->answer, wanted->answer == 0 ? 0 : wanted->answer + moved);
	ck_assert_int_eq(found->learning, wanted->learning);
	ck_assert_uint_eq(found->own_hash, wanted->own_hash);
}

/* The long memory is there, whole, and behind what else there is. */
static void assert_whole(struct fixture *fixture, size_t earlier)
{
	const struct portable_memory found = fixture_memory(fixture, "alex");
	ck_assert_uint_eq(found.turn_count, earlier + TURNS);
	ck_assert_uint_eq(found.fact_count, FACTS);
	ck_assert(found.has_summary);
	const struct portable_turn *first = &found.turns[earlier];
	const uint64_t moved = first->turn.id - turns[0].turn.id;
	ck_assert_uint_eq(found.summary.covers, 10 + TURNS / 2 + moved);
	for (size_t i = 0; i < TURNS; i++)
		assert_turn(&turns[i], &first[i], moved);
	for (size_t i = 0; i < FACTS; i++) {
		const uint64_t after = facts[i].superseded_by;
		ck_assert(slice_equal(found.facts[i].value, facts[i].value));
		ck_assert_uint_eq(found.facts[i].exchange, facts[i].exchange + moved);
		ck_assert_uint_eq(found.facts[i].superseded_by,
				  after == 0 ? 0 : after - facts[0].id + found.facts[0].id);
	}
}

/* ---- taking it in beside another user ---- */

static struct take_in_count count_of;

static void begin_take_in(struct neighbour *neighbour)
{
	static struct portable_memory memory; /* needed until the end */
	memory = long_memory();
	count_of = (struct take_in_count){0};
	(void)store_take_in(neighbour->fixture->store, &memory, 1000, &count_of,
			    (struct store_waiter){&neighbour_loop, fixture_done, &neighbour->wait});
}

static enum store_result take_in(struct fixture *fixture)
{
	const struct portable_memory memory = long_memory();
	return fixture_take_in(fixture, &memory, 1000, &count_of);
}

static void assert_counts(uint64_t new_turns, uint64_t new_facts)
{
	ck_assert_uint_eq(count_of.turns, new_turns);
	ck_assert_uint_eq(count_of.facts, new_facts);
	ck_assert_uint_eq(count_of.known, TURNS + FACTS - new_turns - new_facts);
	ck_assert_uint_eq(count_of.erased, 0);
}

START_TEST(a_long_memory_holds_up_another_user_for_one_commit)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_take_in};
	struct job_list jobs;
	fixture_init(&fixture, MAP);
	neighbour_run(&fixture, &neighbour);
	ck_assert_uint_eq(neighbour.longest_wait, 1);
	ck_assert_uint_ge(neighbour.appended, 16 * TURNS / SLICE_STEPS);
	assert_counts(TURNS, FACTS);
	ck_assert_uint_eq(count_of.conversations, CONVERSATIONS);
	ck_assert(count_of.summary);
	/* No mark is left: it stands after the next start, too. */
	fixture_reopen(&fixture);
	assert_whole(&fixture, 0);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_gt(jobs.count, TURNS / 8);
	ck_assert_int_eq(take_in(&fixture), STORE_OK);
	assert_counts(0, 0);
	assert_whole(&fixture, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_slice_that_was_undone_is_taken_in_once)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_take_in, .with_failures = true};
	fixture_init(&fixture, MAP);
	neighbour_run(&fixture, &neighbour);
	assert_counts(TURNS, FACTS);
	assert_whole(&fixture, 0);
	fixture_finish(&fixture);
}
END_TEST

static void begin_known(struct fixture *fixture, uint64_t map)
{
	struct append append = fixture_exchange("It is me", "Welcome", 100);
	fixture_init(fixture, map);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(a_user_who_has_a_memory_takes_it_in_in_slices_too)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_take_in};
	begin_known(&fixture, MAP);
	neighbour_run(&fixture, &neighbour);
	ck_assert_uint_eq(neighbour.longest_wait, 1);
	ck_assert_uint_ge(neighbour.appended, 16 * TURNS / SLICE_STEPS);
	assert_whole(&fixture, 2);
	fixture_finish(&fixture);
}
END_TEST

enum { NOTES = 500, NOTE_SIZE = 500 };

static void begin_notes(struct neighbour *neighbour)
{
	static struct fact notes[NOTES];
	static char words[NOTE_SIZE];
	static struct portable_memory memory;
	for (size_t i = 0; i < NOTE_SIZE; i++)
		words[i] = "a bc de"[i % 7];
	for (size_t i = 0; i < NOTES; i++)
		notes[i] = (struct fact){.id = 1 + i,
					 .entity = SLICE("user"),
					 .kind = SLICE("note"),
					 .key = SLICE("note"),
					 .value = {words, NOTE_SIZE},
					 .many = true,
					 .observed_at = (int64_t)i};
	memory = (struct portable_memory){.tenant = SLICE("shared"),
					  .user = SLICE("alex"),
					  .facts = notes,
					  .fact_count = NOTES};
	count_of = (struct take_in_count){0};
	(void)store_take_in(neighbour->fixture->store, &memory, 1000, &count_of,
			    (struct store_waiter){&neighbour_loop, fixture_done, &neighbour->wait});
}

START_TEST(notes_that_are_searched_for_what_has_a_tombstone_come_in_more_slices)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_notes};
	struct transaction transaction;
	const struct fact wrong = {
		.entity = SLICE("user"), .key = SLICE("city"), .value = SLICE("Rome")};
	begin_known(&fixture, MAP);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	const struct memory memory = {&transaction, fixture_key("alex"), &fixture.arena};
	memory_bury(&memory, &wrong, 150);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	neighbour_run(&fixture, &neighbour);
	ck_assert_uint_ge(neighbour.appended, NOTES * NOTE_SIZE / SLICE_STEPS);
	ck_assert_uint_eq(count_of.facts, NOTES);
	fixture_finish(&fixture);
}
END_TEST

/* ---- crashes and failures ---- */

static void crash(struct fixture *crashed, bool is_known)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_take_in};
	if (is_known)
		begin_known(&fixture, MAP);
	else
		fixture_init(&fixture, MAP);
	neighbour_crash(crashed, &fixture, &neighbour, MAP);
}

static size_t count_turns(const struct fixture *fixture)
{
	struct store_statistics statistics;
	store_statistics(fixture->store, &statistics);
	return statistics.turns;
}

START_TEST(what_a_crash_cut_off_of_a_new_user_is_taken_back)
{
	struct fixture crashed;
	struct portable_memory memory;
	crash(&crashed, false);
	fixture_reopen(&crashed); /* by then it is over */
	ck_assert_int_eq(
		store_read_memory(crashed.store, fixture_key("alex"), &memory, &crashed.arena),
		STORE_NOT_FOUND);
	ck_assert_uint_eq(count_turns(&crashed), 2 * NEIGHBOUR_BEFORE);
	ck_assert_int_eq(take_in(&crashed), STORE_OK);
	assert_counts(TURNS, FACTS);
	assert_whole(&crashed, 0);
	fixture_finish(&crashed);
}
END_TEST

START_TEST(what_a_crash_cut_off_of_a_known_user_is_completed_by_taking_it_in_again)
{
	struct fixture crashed;
	crash(&crashed, true);
	const size_t part = count_turns(&crashed) - 2 - 2 * NEIGHBOUR_BEFORE;
	ck_assert_uint_gt(part, 0);
	ck_assert_uint_lt(part, TURNS);
	ck_assert_int_eq(take_in(&crashed), STORE_OK);
	assert_counts(TURNS - part, FACTS);
	assert_whole(&crashed, 2);
	ck_assert_int_eq(take_in(&crashed), STORE_OK);
	assert_counts(0, 0);
	fixture_finish(&crashed);
}
END_TEST

START_TEST(a_store_that_is_about_to_stop_takes_nothing_in)
{
	struct fixture fixture;
	struct portable_memory memory;
	fixture_init(&fixture, MAP);
	store_end_imports(fixture.store);
	ck_assert_int_eq(take_in(&fixture), STORE_FAILED);
	ck_assert_int_eq(
		store_read_memory(fixture.store, fixture_key("alex"), &memory, &fixture.arena),
		STORE_NOT_FOUND);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture_reopen(&fixture);
	ck_assert_int_eq(take_in(&fixture), STORE_OK);
	assert_whole(&fixture, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_finds_no_room_half_way_is_taken_back)
{
	struct fixture fixture;
	fixture_init(&fixture, 2 << 20);
	ck_assert_int_eq(take_in(&fixture), STORE_FULL);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.promised = true;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(count_turns(&fixture), 2);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(count_turns(&fixture), 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_known_user_keeps_the_part_that_had_room)
{
	struct fixture fixture;
	begin_known(&fixture, 2 << 20);
	ck_assert_int_eq(take_in(&fixture), STORE_FULL);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.user = SLICE("ben");
	append.promised = true;
	(void)fixture_append(&fixture, &append);
	ck_assert_uint_gt(count_turns(&fixture), 2);
	ck_assert_uint_lt(count_turns(&fixture), TURNS);
	ck_assert_uint_ge(fixture_memory(&fixture, "alex").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_take_in", a_long_memory_holds_up_another_user_for_one_commit,
	  a_slice_that_was_undone_is_taken_in_once,
	  a_user_who_has_a_memory_takes_it_in_in_slices_too,
	  notes_that_are_searched_for_what_has_a_tombstone_come_in_more_slices,
	  what_a_crash_cut_off_of_a_new_user_is_taken_back,
	  what_a_crash_cut_off_of_a_known_user_is_completed_by_taking_it_in_again,
	  a_store_that_is_about_to_stop_takes_nothing_in, what_finds_no_room_half_way_is_taken_back,
	  a_known_user_keeps_the_part_that_had_room)
