/* Records that nobody can read, wherever they lie. */
#include "tests/unit/store_fixture.h"

#define MAP (8 * 1024 * 1024)

/* Everything that is asked of a store. What comes of it is free, but it comes. */
static void use(struct fixture *fixture)
{
	struct append append = fixture_exchange("more", "noted", 500);
	struct job_list jobs;
	struct job_input input;
	struct slice receipt;
	struct fixture_turn turn = {.role = ROLE_USER, .text = SLICE("past"), .created_at = 5};
	struct change add = {
		.fact = {.entity = SLICE("user"), .key = SLICE("k"), .value = SLICE("v")},
		.replaced_by = -1};
	append.session = SLICE("chat");
	const struct load load = {.user = fixture_key("alex"),
				  .session = SLICE("chat"),
				  .newest_turns = 10,
				  .uncovered_text = SIZE_MAX,
				  .facts = true,
				  .past_facts = true};
	struct memory_view view;
	(void)store_load(fixture->store, &load, &view, &fixture->arena);
	(void)fixture_append(fixture, &append);
	(void)fixture_import(fixture, &turn, 1, true);
	(void)fixture_jobs(fixture, &jobs);
	(void)fixture_input(fixture, JOB_FACTS, 1, &input);
	(void)fixture_input(fixture, JOB_SUMMARY, 0, &input);
	(void)fixture_learned(fixture, 1, &add, 1, true);
	(void)fixture_summarized(fixture, "new", 2, 0);
	(void)fixture_receipt(fixture, 77, &receipt);
	struct append other = fixture_exchange("hi", "hello", 600);
	other.user = SLICE("ben");
	ck_assert_int_eq(fixture_append(fixture, &other), STORE_OK);
	(void)fixture_forget(fixture, "alex");
}

START_TEST(garbage_in_any_table_harms_nobody_else)
{
	static const struct slice garbage[] = {
		SLICE(""),
		SLICE("\1"),
		SLICE("\7later"),
		SLICE("\1\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		SLICE("\xff\xff\xff\xff"),
	};
	char error[1024];
	size_t spoiled = 0;
	for (size_t i = 0; i < (size_t)2 * (TABLE_COUNT - TABLE_RECEIPTS); i++) {
		struct fixture fixture;
		fixture_init(&fixture, MAP);
		struct append append = fixture_exchange("I like tea", "noted", 100);
		struct frozen frozen = {.mode = MODE_HYBRID, .block = SLICE("block")};
		append.session = SLICE("chat");
		append.frozen = &frozen;
		append.receipt.id = 77;
		append.receipt.text = SLICE("{}");
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		struct change add = {
			.fact = {.entity = SLICE("user"), .key = SLICE("k"), .exchange = 1},
			.replaced_by = -1};
		ck_assert_int_eq(fixture_learned(&fixture, 1, &add, 1, false), STORE_OK);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		ck_assert_int_eq(fixture_summarized(&fixture, "s", 2, 0), STORE_OK);
		enum table table = (enum table)(TABLE_RECEIPTS + i / 2);
		spoiled += fixture_spoil(&fixture, table, garbage[i * 3 % 5]);
		store_close(fixture.store);
		struct store_options options = {.path = fixture.path,
						.map_size = MAP,
						.receipts = 10,
						.master = fixture_master()};
		fixture.store = store_open(&options, error, sizeof(error));
		ck_assert_msg(fixture.store != NULL, "%s", error);
		use(&fixture);
		fixture_finish(&fixture);
	}
	ck_assert_uint_ge(spoiled, 40);
}
END_TEST

UNIT_MAIN("store_garbage", garbage_in_any_table_harms_nobody_else)
