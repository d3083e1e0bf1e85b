/* Operations in slices: what others wait for them, and what a crash between two slices leaves. */
#include "storage/lmdb/engine.h"
#include "storage/lmdb/writer.h"
#include "tests/unit/neighbour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAP = 256 * 1024 * 1024, TURNS = 20000 };

static struct fixture_turn *many_turns(void)
{
	static struct fixture_turn turns[TURNS]; /* needed until they are imported */
	struct slice texts[] = {SLICE("Where did I park the car?"), SLICE("Behind the house.")};
	for (size_t i = 0; i < TURNS; i++)
		turns[i] =
			(struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
					      .text = texts[i % 2],
					      .hash = i + 1,
					      .created_at = (int64_t)i,
					      .session = i < TURNS / 2 ? SLICE("old") : SLICE("")};
	return turns;
}

static void import_many(struct fixture *fixture)
{
	struct fixture_turn *turns = many_turns();
	ck_assert_int_eq(fixture_import(fixture, turns, TURNS, true), STORE_OK);
}

static void begin_forget(struct neighbour *neighbour)
{
	(void)store_forget(neighbour->fixture->store, fixture_key("alex"), 0, NULL,
			   (struct store_waiter){&neighbour_loop, fixture_done, &neighbour->wait});
}

static void begin_import(struct neighbour *neighbour)
{
	struct fixture_turn *turns = many_turns();
	(void)fixture_begin_import(
		neighbour->fixture->store, SLICE("shared"), SLICE("alex"), turns, TURNS, true, 0,
		(struct store_waiter){&neighbour_loop, fixture_done, &neighbour->wait});
}

enum { LONG_TURNS = 64, LONG_TEXT = 16 * 1024 };

static void begin_import_of_long_turns(struct neighbour *neighbour)
{
	static struct fixture_turn turns[LONG_TURNS];
	static char text[LONG_TEXT];
	memset(text, 'a', LONG_TEXT);
	for (size_t i = 0; i < LONG_TURNS; i++)
		turns[i] = (struct fixture_turn){.role = ROLE_USER,
						 .text = {text, LONG_TEXT},
						 .hash = i + 1,
						 .created_at = (int64_t)i,
						 .session = SLICE("old")};
	(void)fixture_begin_import(
		neighbour->fixture->store, SLICE("shared"), SLICE("alex"), turns, LONG_TURNS, false,
		0, (struct store_waiter){&neighbour_loop, fixture_done, &neighbour->wait});
}

START_TEST(a_long_delete_holds_up_another_user_for_one_commit)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_forget};
	struct store_statistics statistics;
	fixture_init(&fixture, MAP);
	import_many(&fixture);
	neighbour_run(&fixture, &neighbour);
	/* Where users have keys, nothing else is written with what ends one. */
	ck_assert_uint_le(neighbour.longest_wait, fixture_master() == NULL ? 1 : 2);
	/* A turn has two records of its own and a part in others. */
	ck_assert_uint_ge(neighbour.appended, 2 * TURNS / SLICE_STEPS);
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.users, 1);
	ck_assert_uint_eq(statistics.turns, 2 * (neighbour.appended + 1));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_long_import_holds_up_another_user_for_one_commit)
{
	struct fixture fixture;
	struct fixture whole;
	struct neighbour neighbour = {.begin = begin_import};
	struct job_list jobs;
	struct job_list expected;
	fixture_init(&fixture, MAP);
	fixture_init(&whole, MAP);
	neighbour_run(&fixture, &neighbour);
	ck_assert_uint_eq(neighbour.longest_wait, 1);
	ck_assert_uint_ge(neighbour.appended, 10 * TURNS / SLICE_STEPS);
	/* As in one piece, which it is for a user who is known. */
	struct append append = fixture_exchange("hi", "hello", 100);
	append.learn = false;
	ck_assert_int_eq(fixture_append(&whole, &append), STORE_OK);
	import_many(&whole);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_int_eq(fixture_jobs(&whole, &expected), STORE_OK);
	ck_assert_uint_eq(jobs.count, expected.count);
	struct memory_view view = fixture_view(&fixture, "old");
	struct memory_view other = fixture_view(&whole, "old");
	ck_assert_uint_eq(view.answers, TURNS / 4);
	ck_assert_uint_eq(other.answers, TURNS / 4);
	ck_assert_uint_eq(view.conversations, 2);
	ck_assert_uint_eq(other.conversations, 3);
	/* No mark is left. */
	fixture_reopen(&fixture);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "old").answers, TURNS / 4);
	fixture_finish(&whole);
	fixture_finish(&fixture);
}
END_TEST

/* ---- what its own user sees ---- */

static struct fixture_wait own_append;
static struct fixture_wait late_append;

static bool is_known(const struct fixture *fixture, const char *user)
{
	struct transaction transaction;
	struct slice value;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	bool known = table_get(&transaction, TABLE_USERS, key_of_user(fixture_key(user)), &value);
	transaction_abort(&transaction);
	return known;
}

static void append_own(struct neighbour *neighbour)
{
	struct fixture *fixture = neighbour->fixture;
	struct append append = fixture_exchange("It is me", "Welcome", 100);
	ck_assert(!is_known(fixture, "alex"));
	(void)store_append(fixture->store, &append,
			   (struct store_waiter){&neighbour_loop, fixture_done, &own_append});
	/* A reader between two slices may hold records that the later ones delete. */
	append.forget_epoch = atomic_load(&fixture->store->forget_epoch);
	(void)store_append(fixture->store, &append,
			   (struct store_waiter){&neighbour_loop, fixture_done, &late_append});
}

START_TEST(what_its_own_user_writes_meanwhile_comes_behind_a_delete)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_forget, .between = append_own};
	fixture_init(&fixture, MAP);
	import_many(&fixture);
	own_append = late_append = (struct fixture_wait){0};
	neighbour_run(&fixture, &neighbour);
	struct append last = fixture_exchange("again", "yes", 200);
	ck_assert_int_eq(fixture_append(&fixture, &last), STORE_OK);
	ck_assert(own_append.done);
	ck_assert_int_eq(own_append.result, STORE_OK);
	ck_assert_int_eq(late_append.result, STORE_STALE);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 4);
	fixture_finish(&fixture);
}
END_TEST

/* ---- crashes and failures ---- */

static void crash(struct fixture *crashed, bool imports)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = imports ? begin_import : begin_forget};
	fixture_init(&fixture, MAP);
	if (!imports)
		import_many(&fixture);
	neighbour_crash(crashed, &fixture, &neighbour, MAP);
}

START_TEST(an_import_that_a_crash_cut_off_is_taken_back_at_the_next_start)
{
	struct fixture crashed;
	struct store_statistics statistics;
	crash(&crashed, true);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&crashed, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&crashed, "").turn_count, 2);
	store_statistics(crashed.store, &statistics);
	ck_assert_uint_eq(statistics.turns, 2 + 2 * NEIGHBOUR_BEFORE);
	fixture_finish(&crashed);
}
END_TEST

START_TEST(an_import_that_finds_no_room_half_way_is_taken_back)
{
	struct fixture fixture;
	fixture_init(&fixture, 4 << 20);
	struct fixture_turn *turns = many_turns();
	ck_assert_int_eq(fixture_import(&fixture, turns, TURNS, true), STORE_FULL);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.promised = true;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 2);
	fixture_reopen(&fixture);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_delete_that_a_crash_cut_off_is_finished_at_the_next_start)
{
	struct fixture crashed;
	struct store_statistics statistics;
	crash(&crashed, false);
	ck_assert(!fixture_view(&crashed, "old").known);
	/* A write of the same user waits until it is over. */
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&crashed, &append), STORE_OK);
	append.user = SLICE("ben");
	store_statistics(crashed.store, &statistics);
	ck_assert_uint_eq(statistics.users, 2);
	ck_assert_uint_eq(statistics.turns, 2 + 2 * NEIGHBOUR_BEFORE);
	ck_assert_uint_eq(statistics.jobs, 2 + NEIGHBOUR_BEFORE + 1); /* a summary's each */
	/* And is not begun again. */
	fixture_reopen(&crashed);
	ck_assert_int_eq(fixture_append(&crashed, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&crashed, "").turn_count, 2);
	fixture_finish(&crashed);
}
END_TEST

/* ---- what is promised ---- */

START_TEST(what_was_promised_is_taken_however_much_waits)
{
	enum { COUNT = 12, SIZE = 16 * 1024 * 1024 };
	struct fixture fixture;
	struct transaction transaction;
	struct fixture_wait waits[COUNT + 2] = {{0}};
	fixture_init(&fixture, (uint64_t)MAP * 4);
	char *large = xcalloc(1, SIZE);
	memset(large, 'x', SIZE - 1);
	struct append append = fixture_exchange("x", large, 100);
	append.promised = true;
	ck_assert(!store_is_behind(fixture.store));
	/* The writer stands as if the disk did. */
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (size_t i = 0; i < COUNT; i++)
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	ck_assert(store_is_behind(fixture.store));
	append.promised = false;
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[COUNT]});
	(void)store_forget(
		fixture.store, fixture_key("ben"), 0, NULL,
		(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[COUNT + 1]});
	transaction_abort(&transaction);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[i]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[COUNT]), STORE_FAILED);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[COUNT + 1]), STORE_NOT_FOUND);
	fixture_reopen(&fixture); /* by then the writer has counted them out */
	ck_assert(!store_is_behind(fixture.store));
	free(large);
	fixture_finish(&fixture);
}
END_TEST

/* ---- forget_epochs ---- */

/* LMDB calls this when all of a commit but its last page is in the file. */
static void (*on_sync)(void);

int fdatasync(int fd)
{
	void (*run)(void) = on_sync;
	on_sync = NULL;
	if (run != NULL)
		run();
	return fsync(fd);
}

static struct fixture *syncing;
static struct memory_view read_while_syncing;

static void read_then(void)
{
	read_while_syncing = fixture_view(syncing, "");
}

START_TEST(what_was_read_while_a_delete_was_being_committed_is_from_before_it)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	syncing = &fixture;
	on_sync = read_then;
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_ptr_null(on_sync);
	ck_assert(read_while_syncing.known);
	append.forget_epoch = read_while_syncing.forget_epoch;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_STALE);
	ck_assert(!fixture_view(&fixture, "").known);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_slice_of_an_import_is_bounded_by_its_text)
{
	struct fixture fixture;
	struct neighbour neighbour = {.begin = begin_import_of_long_turns};
	fixture_init(&fixture, MAP);
	neighbour_run(&fixture, &neighbour);
	ck_assert_uint_eq(neighbour.longest_wait, 1);
	ck_assert_uint_ge(neighbour.appended, LONG_TURNS / 4);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_slices", a_slice_of_an_import_is_bounded_by_its_text,
	  a_long_delete_holds_up_another_user_for_one_commit,
	  a_long_import_holds_up_another_user_for_one_commit,
	  an_import_that_a_crash_cut_off_is_taken_back_at_the_next_start,
	  an_import_that_finds_no_room_half_way_is_taken_back,
	  what_its_own_user_writes_meanwhile_comes_behind_a_delete,
	  a_delete_that_a_crash_cut_off_is_finished_at_the_next_start,
	  what_was_promised_is_taken_however_much_waits,
	  what_was_read_while_a_delete_was_being_committed_is_from_before_it)
