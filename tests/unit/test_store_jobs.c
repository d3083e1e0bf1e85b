#include "tests/unit/store_fixture.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024 };

static struct user_page users_with_jobs(struct fixture *fixture, const struct user_key *after,
					size_t limit)
{
	struct user_page page;
	ck_assert_int_eq(
		store_users_with_jobs(fixture->store, after, limit, &page, &fixture->arena),
		STORE_OK);
	ck_assert_uint_le(page.count, limit);
	ck_assert(page.more == (page.count == limit));
	return page;
}

START_TEST(one_users_jobs_take_no_memory_for_the_others)
{
	enum { OTHERS = 20000, LITTLE = 64 * 1024 };
	struct fixture fixture;
	struct job_list list;
	fixture_init(&fixture, MAP);
	struct fixture_turn *turns = xcalloc(OTHERS, sizeof(*turns));
	for (size_t i = 0; i < OTHERS; i++)
		turns[i] = (struct fixture_turn){.role = ROLE_USER, .text = SLICE("hi")};
	ck_assert_int_eq(fixture_import(&fixture, turns, OTHERS, true), STORE_OK);
	free(turns);
	struct append append = fixture_exchange("hi", "hello", 100);
	append.user = SLICE("ben");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture_reopen(&fixture); /* the writer frees nothing meanwhile */
	size_t before = mallinfo2().uordblks;
	enum store_result result = store_user_jobs(fixture.store, fixture_key("ben"), 0, SIZE_MAX,
						   &list, &fixture.arena);
	ck_assert_uint_lt(mallinfo2().uordblks, before + LITTLE);
	ck_assert_int_eq(result, STORE_OK);
	ck_assert_uint_eq(list.count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_parked_job_waits_for_a_person)
{
	struct fixture fixture;
	struct job_list jobs;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(users_with_jobs(&fixture, NULL, 10).count, 1);
	struct user_key key = fixture_key("alex");
	for (enum job_kind kind = JOB_FACTS; kind <= JOB_SUMMARY; kind++) {
		struct fixture_wait wait = {0};
		struct job job = {.kind = kind,
				  .exchange = kind == JOB_FACTS,
				  .tries = 12,
				  .unusable = 10,
				  .not_before = 500,
				  .parked = true};
		(void)store_postpone(
			fixture.store, key, &job,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
		ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	}
	ck_assert_uint_eq(users_with_jobs(&fixture, NULL, 10).count, 0);
	/* Parked or not, the summary's job is told of new turns. */
	append = fixture_exchange("more", "sure", 200);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert(jobs.jobs[0].parked && !jobs.jobs[1].parked && jobs.jobs[2].parked);
	ck_assert_uint_eq(jobs.jobs[0].tries, 12);
	unit_assert_slice(jobs.jobs[0].model, "model");
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 4);
	struct fixture_wait wait = {0};
	size_t count = 9;
	(void)store_unpark(fixture.store, NULL, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_eq(count, 2);
	wait = (struct fixture_wait){0};
	(void)store_unpark(fixture.store, &key, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_eq(count, 0);
	wait = (struct fixture_wait){0};
	const struct user_key nobody = fixture_key("nobody");
	(void)store_unpark(fixture.store, &nobody, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(!jobs.jobs[i].parked);
		ck_assert_uint_eq(jobs.jobs[i].unusable, 0);
	}
	ck_assert_int_eq(jobs.jobs[2].kind, JOB_SUMMARY);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_buffer_deferred_is_released_by_a_mode_that_learns)
{
	struct fixture fixture;
	struct job_list jobs;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 3; i++) {
		struct append append = fixture_exchange("hi", "hello", 100 + i);
		append.explicit_mode = true;
		append.mode = i < 2 ? MODE_BUFFER : MODE_ENTITY;
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
		ck_assert(jobs.jobs[i].explicit_mode);
		ck_assert_int_eq(jobs.jobs[0].explicit_mode, i < 2);
	}
	ck_assert(!jobs.jobs[1].explicit_mode);
	ck_assert_int_eq(jobs.jobs[2].mode, MODE_ENTITY);
	ck_assert(jobs.jobs[3].explicit_mode);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_users_jobs_are_walked_page_by_page_and_the_summarys_is_on_each)
{
	struct fixture fixture;
	struct job_list all;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 5; i++) {
		struct append append = fixture_exchange("hi", "hello", 100 + i);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	ck_assert_int_eq(fixture_jobs(&fixture, &all), STORE_OK);
	ck_assert_uint_eq(all.count, 6);
	ck_assert_uint_eq(all.next_after, 0);
	struct job parked = all.jobs[1];
	parked.parked = true;
	struct fixture_wait wait = {0};
	(void)store_postpone(fixture.store, all.key, &parked,
			     (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	const size_t sizes[] = {2, 2, 1};
	uint64_t after = 0;
	for (size_t page = 0, seen = 0; page < 3; page++) {
		struct job_list list;
		ck_assert_int_eq(
			store_user_jobs(fixture.store, all.key, after, 2, &list, &fixture.arena),
			STORE_OK);
		ck_assert_uint_eq(list.count, sizes[page] + 1);
		for (size_t i = 0; i < sizes[page]; i++)
			ck_assert_uint_eq(list.jobs[i].exchange, all.jobs[seen++].exchange);
		ck_assert_int_eq(list.jobs[sizes[page]].kind, JOB_SUMMARY);
		after = list.next_after;
	}
	ck_assert_uint_eq(after, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(users_with_jobs_are_walked_page_by_page)
{
	struct fixture fixture;
	const char *const names[] = {"a", "b", "c", "d", "e"};
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 5; i++) {
		struct append append = fixture_exchange("hi", "hello", 100);
		append.user = slice_of(names[i]);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		append.learn = false;
		append.user = SLICE("unlearned");
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	struct user_page all = users_with_jobs(&fixture, NULL, 10);
	ck_assert_uint_eq(all.count, 5);
	const size_t sizes[] = {2, 2, 1, 0};
	const struct user_key *after = NULL;
	for (size_t i = 0, seen = 0; i < 4; i++) {
		struct user_page page = users_with_jobs(&fixture, after, 2);
		ck_assert_uint_eq(page.count, sizes[i]);
		ck_assert_mem_eq(page.users, &all.users[seen], page.count * sizeof(*all.users));
		seen += page.count;
		after = &all.users[seen - 1];
	}
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_jobs", one_users_jobs_take_no_memory_for_the_others,
	  a_parked_job_waits_for_a_person, what_buffer_deferred_is_released_by_a_mode_that_learns,
	  a_users_jobs_are_walked_page_by_page_and_the_summarys_is_on_each,
	  users_with_jobs_are_walked_page_by_page)
