/* Shared by the tests of exports: a store with something in each table. */
#ifndef RECALLD_TESTS_DUMP_FIXTURE_H
#define RECALLD_TESTS_DUMP_FIXTURE_H

#include "storage/dump/dump.h"
#include "storage/user/memory.h"
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
	(void)store_postpone(fixture->store, fixture_key("ben"), &job,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static inline void keep_receipt(struct fixture *fixture, const char *user)
{
	struct fixture_wait wait = {0};
	struct receipt receipt = {.id = 78, .text = SLICE("{\"id\":\"78\"}")};
	(void)store_keep_receipt(fixture->store, fixture_key(user), UINT64_MAX, &receipt,
				 (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

/* The decisions of two users: one about a value that is wrong, one without a memory not to have
 * any. */
static inline void decide(struct fixture *fixture)
{
	struct transaction transaction;
	struct memory memory = {&transaction, fixture_key("alex"), &fixture->arena};
	struct user_settings settings = settings_default();
	const struct fact wrong = {
		.entity = SLICE("user"), .key = SLICE("city"), .value = SLICE("Oslo")};
	settings.learn = false;
	settings.note = SLICE("asked by phone");
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	memory_bury(&memory, &wrong, 7);
	uint64_t declined_at = 9;
	table_write(&transaction, TABLE_DECLINED, key_u32(key_of_user(memory.user), 99),
		    stored_number_fields, &declined_at);
	struct slice line = SLICE("{\"seq\":1}");
	table_write(&transaction, TABLE_AUDIT, key_of_number(1), stored_audit_fields, &line);
	memory.user = fixture_key("emma");
	memory_put_settings(&memory, &settings);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static inline void dump_fill(struct fixture *fixture)
{
	struct append append = fixture_exchange("my key is 7", "noted", 5000);
	struct fixture_turn past[] = {
		{.role = ROLE_USER, .text = SLICE("Grüße, \"Ben\" 👩‍🚀"), .created_at = 7},
		{.role = ROLE_ASSISTANT, .text = SLICE("line\nbreak\t\\ "), .created_at = 8},
	};
	static const uint64_t turns[] = {1, 3};
	static const uint64_t facts[] = {2};
	const struct chain_link link = {
		.at = 6000,
		.block_is_kept = true,
		.tokens = 7,
		.turns = turns,
		.turn_count = 2,
		.facts = facts,
		.fact_count = 1,
		.is_pending = true,
		.user_text = SLICE("hi, \"there\""),
		.user_hash = UINT64_MAX,
		.started_at = 5999,
		.provider_conversation = SLICE("conv_1"),
		.model = SLICE("m"),
		.explicit_mode = true,
		.mode = MODE_VECTOR,
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
	append.link = &link;
	append.link_ids[0] = SLICE("resp_1");
	append.link_ids[1] = SLICE("conv:conv_1");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	append.link = NULL;
	park_a_job(fixture);
	ck_assert_int_eq(fixture_import(fixture, past, 2, true), STORE_OK);
	append.user = SLICE("cleo");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(fixture, "cleo"), STORE_OK);
	decide(fixture);
	keep_receipt(fixture, "dora"); /* whose only chat failed: there is no more of hers */
}

#endif
