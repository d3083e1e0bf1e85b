/* What the tests of exports share: a store with something in each table. */
#ifndef RECALLD_TESTS_DUMP_FIXTURE_H
#define RECALLD_TESTS_DUMP_FIXTURE_H

#include "storage/dump/dump.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/measured_exit.h"

enum { MAP = 64 * 1024 * 1024 };

static inline void park_a_job(struct fixture *fixture)
{
	struct job_list list;
	struct fixture_wait wait = {0};
	ck_assert_int_eq(
		store_user_jobs(fixture->store, fixture_key("ben"), 0, 1, &list, &fixture->arena),
		STORE_OK);
	ck_assert_uint_ge(list.count, 1);
	struct job job = list.jobs[0];
	job.parked = true;
	(void)store_postpone(fixture->store, fixture_key("ben"), &job, &fixture->loop.loop,
			     fixture_done, &wait);
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static inline void keep_receipt(struct fixture *fixture, const char *user)
{
	struct fixture_wait wait = {0};
	struct receipt receipt = {.id = 78, .text = SLICE("{\"id\":\"78\"}")};
	(void)store_keep_receipt(fixture->store, fixture_key(user), UINT64_MAX, &receipt,
				 &fixture->loop.loop, fixture_done, &wait);
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static inline void dump_fill(struct fixture *fixture)
{
	struct append append = fixture_exchange("my key is 7", "noted", 5000);
	struct imported_turn past[] = {
		{.role = ROLE_USER, .text = SLICE("Grüße, \"Ben\" 👩‍🚀"), .created_at = 7},
		{.role = ROLE_ASSISTANT, .text = SLICE("line\nbreak\t\\ "), .created_at = 8},
	};
	struct request edited = ASK("I moved to Rome", {one, "a1"});
	chat_three(fixture);
	learn_cities(fixture);
	ck_assert_int_eq(fixture_summarized(fixture, "Lives in Bonn.", 3, 0), STORE_OK);
	(void)chat(fixture, edited, "a4", 4000);
	append.session = SLICE("other");
	append.receipt.id = 77;
	append.receipt.text = SLICE("{\"id\":\"77\"}");
	append.learn = true;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	append = fixture_exchange("hi", "hello", 6000);
	append.user = SLICE("ben");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	park_a_job(fixture);
	ck_assert_int_eq(fixture_import(fixture, past, 2, true), STORE_OK);
	append.user = SLICE("cleo");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(fixture, "cleo"), STORE_OK);
	keep_receipt(fixture, "dora"); /* whose only chat failed: there is no more of hers */
}

#endif
