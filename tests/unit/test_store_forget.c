#include "storage/lmdb/engine.h"
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

static atomic_int reserve_error; /* what fallocate() fails with, unless 0 */

int fallocate(int fd, int mode, off_t at, off_t size)
{
	int error = atomic_load(&reserve_error);
	if (error == 0)
		return (int)syscall(SYS_fallocate, fd, mode, at, size);
	errno = error;
	return -1;
}

static struct fixture_turn imported(enum role role, const char *text, int64_t at,
				    const char *session)
{
	return (struct fixture_turn){.role = role,
				     .text = slice_of(text),
				     .hash = fixture_hash(text),
				     .created_at = at,
				     .session = slice_of(session)};
}

START_TEST(a_forgotten_user_leaves_nothing_but_others_stay)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.session = SLICE("chat");
	append.receipt.id = 5;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append.user = SLICE("ben");
	append.receipt.id = 6;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_receipt(&fixture, 6, &text), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.known);
	ck_assert_uint_eq(view.turn_count, 0);
	struct store_statistics statistics;
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.users, 1);
	ck_assert_uint_eq(statistics.turns, 2);
	ck_assert_uint_eq(statistics.jobs, 2);
	ck_assert_uint_eq(statistics.receipts, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_exchange_under_way_does_not_bring_a_forgotten_user_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.forget_epoch = fixture_view(&fixture, "").forget_epoch;
	/* Even of a user who has no record yet. */
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_STALE);
	append.forget_epoch = fixture_view(&fixture, "").forget_epoch;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	/* Queued one after the other, in one batch or not. */
	struct fixture_wait waits[3] = {{0}};
	for (size_t i = 0; i < 3; i++) {
		if (i == 1)
			(void)store_forget(
				fixture.store, fixture_key("alex"), 0, NULL,
				(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
		else
			(void)store_append(
				fixture.store, &append,
				(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	}
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[2]), STORE_STALE);
	ck_assert(!fixture_view(&fixture, "").known);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_being_learned_finds_no_namesake_when_the_user_comes_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	fixture_reopen(&fixture);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_learned(&fixture, 1, NULL, 0, false), STORE_STALE);
	ck_assert_int_eq(fixture_summarized(&fixture, "old", 2, 0), STORE_STALE);
	ck_assert_uint_eq(fixture_view(&fixture, "").turns[0].id, 3);
	ck_assert_int_eq(fixture_learned(&fixture, 3, NULL, 0, false), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(imported_turns_form_exchanges_in_their_sessions)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct fixture_turn turns[] = {
		imported(ROLE_ASSISTANT, "Welcome!", 10, "a"),
		imported(ROLE_USER, "first", 20, "a"),
		imported(ROLE_USER, "second", 30, "a"),
		imported(ROLE_USER, "elsewhere", 35, "b"),
		imported(ROLE_ASSISTANT, "answered", 40, "a"),
		imported(ROLE_USER, "of old", 5, ""),
		imported(ROLE_ASSISTANT, "indeed", 6, ""),
	};
	ck_assert_int_eq(fixture_import(&fixture, turns, 7, true), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "a");
	ck_assert_uint_eq(view.turn_count, 7);
	unit_assert_slice(view.turns[0].text, "of old"); /* by time, not as they came */
	unit_assert_slice(view.turns[2].text, "Welcome!");
	ck_assert_uint_eq(view.turns[2].exchange, 0);
	unit_assert_slice(view.turns[6].text, "answered");
	ck_assert_uint_eq(view.turns[6].exchange, 3);
	ck_assert_uint_eq(view.answers, 2);
	ck_assert_uint_eq(view.conversation, 1);
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 5);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 3);
	ck_assert_uint_eq(jobs.jobs[4].uncovered, 7);
	ck_assert_int_eq(jobs.jobs[4].last_active, 40);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 2, &input), STORE_OK);
	ck_assert_uint_eq(input.assistant.text.size, 0);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 3, &input), STORE_OK);
	unit_assert_slice(input.assistant.text, "answered");
	/* The conversation goes on where the import left it. */
	struct answer_fingerprint marks[] = {{.hash = fixture_hash("Welcome!")},
					     {.hash = fixture_hash("answered")}};
	struct load load = {
		.user = fixture_key("alex"), .fingerprints = marks, .fingerprint_count = 2};
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_large_import_without_learning_makes_no_jobs)
{
	enum { COUNT = 10000 };
	struct fixture fixture;
	struct job_list jobs;
	fixture_init(&fixture, MAP);
	struct fixture_turn *turns = xcalloc(COUNT, sizeof(*turns));
	for (size_t i = 0; i < COUNT; i++)
		turns[i] = imported(i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT, "a turn like many",
				    (int64_t)i, i % 200 < 100 ? "even" : "odd");
	ck_assert_int_eq(fixture_import(&fixture, turns, COUNT, false), STORE_OK);
	free(turns);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_NOT_FOUND);
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("odd"),
			    .newest_turns = 1000,
			    .uncovered_text = SIZE_MAX};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.answers, COUNT / 4);
	ck_assert_uint_eq(view.turn_count, MEMORY_MAX_TURNS);
	ck_assert_uint_eq(view.turns[MEMORY_MAX_TURNS - 1].id, COUNT);
	/* An answer that stands in thousands of places is found in bounded time. */
	struct answer_fingerprint marks[300];
	for (size_t i = 0; i < 300; i++)
		marks[i] = (struct answer_fingerprint){.hash = fixture_hash("a turn like many")};
	load = (struct load){
		.user = fixture_key("alex"), .fingerprints = marks, .fingerprint_count = 300};
	ck_assert_uint_ne(fixture_load(&fixture, &load).conversation, 0);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

static enum store_result fill(struct fixture *fixture, const char *user, const char *text)
{
	enum store_result result = STORE_OK;
	for (int i = 0; i < 10000 && result == STORE_OK; i++) {
		struct append append = fixture_exchange(text, text, 100 + i);
		append.user = slice_of(user);
		result = fixture_append(fixture, &append);
	}
	return result;
}

START_TEST(two_in_a_hundred_of_the_map_are_for_deletes_but_never_little_nor_most_of_it)
{
	const uint64_t mb = 1024 * 1024;
	const struct {
		uint64_t map, head_room;
	} cases[] = {{16000 * mb, 320 * mb}, {800 * mb, 16 * mb}, {64 * mb, 16 * mb}, {2 * mb, mb}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct store store = {.map_size = cases[i].map};
		ck_assert_uint_eq(engine_head_room(&store), cases[i].head_room);
	}
}
END_TEST

START_TEST(a_full_store_refuses_to_grow_and_still_forgets)
{
	struct fixture fixture;
	fixture_init(&fixture, 2 * 1024 * 1024);
	char text[3000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert(store_has_room(fixture.store));
	struct append append = fixture_exchange("I owe Bob", "noted", 50);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fill(&fixture, "ben", text), STORE_FULL);
	ck_assert(!store_has_room(fixture.store));
	struct fixture_turn turn = imported(ROLE_USER, "x", 1, "");
	ck_assert_int_eq(fixture_import(&fixture, &turn, 1, false), STORE_FULL);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_FULL);
	struct change changes[] = {
		{.kind = CHANGE_ADD, .fact = {.key = SLICE("city"), .value = SLICE("Bonn")}},
		{.kind = CHANGE_HIDE, .fact = {.value = SLICE("Bob"), .observed_at = 50}},
	};
	ck_assert_int_eq(fixture_learned(&fixture, 1, changes, 1, false), STORE_FULL);
	/* Reading works, and so does what shrinks, with what was learned beside it. */
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 4);
	ck_assert_int_eq(fixture_learned(&fixture, 1, changes, 1, true), STORE_OK);
	ck_assert_int_eq(fixture_learned(&fixture, 3, changes, 2, false), STORE_OK);
	/* So does what was told that there is room. */
	append.promised = true;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "ben"), STORE_OK);
	ck_assert(store_has_room(fixture.store));
	ck_assert_int_eq(fill(&fixture, "carla", text), STORE_FULL);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(there_is_room_only_with_a_reserve_where_the_file_system_can_make_one)
{
	static const struct {
		int error;
		bool has_room;
	} cases[] = {{ENOSPC, false}, {EDQUOT, false}, {EOPNOTSUPP, true}, {ENOSYS, true}};
	struct append append = fixture_exchange("hi", "hello", 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;
		fixture_init(&fixture, MAP);
		atomic_store(&reserve_error, cases[i].error);
		fixture_reopen(&fixture);
		ck_assert(store_has_room(fixture.store) == cases[i].has_room);
		ck_assert_int_eq(fixture_append(&fixture, &append),
				 cases[i].has_room ? STORE_OK : STORE_FULL);
		atomic_store(&reserve_error, 0);
		fixture_reopen(&fixture);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		fixture_finish(&fixture);
	}
}
END_TEST

START_TEST(a_small_append_succeeds_beside_one_that_does_not_fit)
{
	struct fixture fixture;
	struct fixture_loop held;
	struct fixture_wait waits[4] = {{0}};
	fixture_init(&fixture, 2 * 1024 * 1024);
	fixture_loop_init(&held);
	char *large = xcalloc(1, 4 * 1024 * 1024);
	memset(large, 'x', 4 * 1024 * 1024 - 1);
	/* While the writer cannot post to a loop that is held, the next three gather to a batch. */
	pthread_mutex_lock(&held.lock);
	struct append first = fixture_exchange("x", "y", 100);
	(void)store_append(fixture.store, &first,
			   (struct store_waiter){&held.loop, fixture_done, &waits[3]});
	for (size_t i = 0; i < 3; i++) {
		struct append append = fixture_exchange(i == 1 ? large : "small", "ok", 100);
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	}
	pthread_mutex_unlock(&held.lock);
	ck_assert_int_eq(fixture_await(&held, &waits[3]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_FULL);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[2]), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 6);
	/* Where one found no room the next would not, until something has left. */
	ck_assert(!store_has_room(fixture.store));
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert(store_has_room(fixture.store));
	fixture_loop_finish(&held);
	free(large);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_queue_is_bounded_by_its_bytes)
{
	enum { COUNT = 12, SIZE = 16 * 1024 * 1024, BEYOND = 65 * 1024 * 1024 };
	struct fixture fixture;
	struct fixture_loop held;
	struct fixture_wait waits[COUNT + 1] = {{0}};
	size_t written = 0;
	fixture_init(&fixture, (uint64_t)MAP * 16);
	fixture_loop_init(&held);
	/* The writer stands still when it has to post what it did to a loop that is held. */
	pthread_mutex_lock(&held.lock);
	struct append append = fixture_exchange("x", "y", 100);
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&held.loop, fixture_done, &waits[COUNT]});
	char *large = xcalloc(1, SIZE);
	memset(large, 'x', SIZE - 1);
	append.answer_text = slice_of(large);
	for (size_t i = 0; i < COUNT; i++)
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	pthread_mutex_unlock(&held.lock);
	for (size_t i = 0; i < COUNT; i++)
		written += fixture_await(&fixture.loop, &waits[i]) == STORE_OK;
	ck_assert_int_eq(fixture_await(&held, &waits[COUNT]), STORE_OK);
	/* Three fit behind those that the writer took at first, which are three at most. */
	ck_assert_uint_ge(written, 3);
	ck_assert_uint_le(written, 6);
	ck_assert_int_eq(waits[COUNT - 1].result, STORE_FAILED);
	/* One read's result is bounded as well. */
	ck_assert_uint_le(fixture_view(&fixture, "").turn_count, 4);
	free(large);
	/* One that is larger than the queue passes once that is empty. */
	large = xcalloc(1, BEYOND);
	memset(large, 'x', BEYOND - 1);
	append.answer_text = slice_of(large);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	free(large);
	fixture_finish(&fixture);
	fixture_loop_finish(&held);
}
END_TEST

UNIT_MAIN("store_forget", a_forgotten_user_leaves_nothing_but_others_stay,
	  an_exchange_under_way_does_not_bring_a_forgotten_user_back,
	  what_was_being_learned_finds_no_namesake_when_the_user_comes_back,
	  imported_turns_form_exchanges_in_their_sessions,
	  a_large_import_without_learning_makes_no_jobs,
	  two_in_a_hundred_of_the_map_are_for_deletes_but_never_little_nor_most_of_it,
	  a_full_store_refuses_to_grow_and_still_forgets,
	  there_is_room_only_with_a_reserve_where_the_file_system_can_make_one,
	  a_small_append_succeeds_beside_one_that_does_not_fit, the_queue_is_bounded_by_its_bytes)
