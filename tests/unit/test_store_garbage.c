/* Records that nobody can read, wherever they lie. */
#include "tests/unit/store_fixture.h"

#include <lmdb.h>

#define MAP (8 * 1024 * 1024)

/* Puts `value` into the place of every value of every table but one. */
static size_t spoil(const char *path, const char *table, struct slice value)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val old;
	MDB_val new = {value.size, (void *)(uintptr_t)value.data};
	size_t spoiled = 0;
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(env, 32), 0);
	ck_assert_int_eq(mdb_env_open(env, path, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, table, 0, &dbi), 0);
	ck_assert_int_eq(mdb_cursor_open(txn, dbi, &cursor), 0);
	for (; mdb_cursor_get(cursor, &key, &old, MDB_NEXT) == 0; spoiled++)
		ck_assert_int_eq(mdb_cursor_put(cursor, &key, &new, MDB_CURRENT), 0);
	mdb_cursor_close(cursor);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	return spoiled;
}

static void ignore_view(void *cookie, enum store_result result, struct memory_view *view)
{
	(void)cookie;
	(void)result;
	(void)view;
}

/* Everything that is asked of a store. What comes of it is free, but it comes. */
static void use(struct fixture *fixture)
{
	struct append append = fixture_exchange("more", "noted", 500);
	struct job_list jobs;
	struct job_input input;
	struct slice receipt;
	struct imported_turn turn = {.role = ROLE_USER, .text = SLICE("past"), .created_at = 5};
	struct change add = {
		.fact = {.entity = SLICE("user"), .key = SLICE("k"), .value = SLICE("v")},
		.replaced_by = -1};
	append.session = SLICE("chat");
	const struct load load = {.user = fixture_key("alex"),
				  .session = SLICE("chat"),
				  .newest_turns = 10,
				  .uncovered_turns = true,
				  .facts = true,
				  .past_facts = true};
	(void)store_load(fixture->store, &load, &fixture->arena, ignore_view, NULL);
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
	static const char *const tables[] = {
		"user",   "turn",        "turn_time", "exchange", "conversation", "frozen",
		"answer", "fact",        "summary",   "job",      "parked",       "receipt",
		"term",   "receipt_age", "document",  "posting",  "session",
	};
	static const struct slice garbage[] = {
		SLICE(""),
		SLICE("\1"),
		SLICE("\7later"),
		SLICE("\1\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		SLICE("\xff\xff\xff\xff"),
	};
	char error[1024];
	size_t spoiled = 0;
	for (size_t i = 0; i < 2 * sizeof(tables) / sizeof(tables[0]); i++) {
		struct fixture fixture;
		fixture_init(&fixture, MAP);
		struct append append = fixture_exchange("I like tea", "noted", 100);
		struct frozen frozen = {.mode = MODE_HYBRID, .block = SLICE("block")};
		append.session = SLICE("chat");
		append.frozen = &frozen;
		append.receipt = 77;
		append.receipt_text = SLICE("{}");
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		struct change add = {
			.fact = {.entity = SLICE("user"), .key = SLICE("k"), .exchange = 1},
			.replaced_by = -1};
		ck_assert_int_eq(fixture_learned(&fixture, 1, &add, 1, false), STORE_OK);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		ck_assert_int_eq(fixture_summarized(&fixture, "s", 2, 0), STORE_OK);
		store_close(fixture.store);
		spoiled += spoil(fixture.path, tables[i / 2], garbage[i * 3 % 5]);
		struct store_options options = {fixture.path, MAP, 10, false};
		fixture.store = store_open(&options, error, sizeof(error));
		ck_assert_msg(fixture.store != NULL, "%s", error);
		use(&fixture);
		fixture_finish(&fixture);
	}
	ck_assert_uint_ge(spoiled, 40);
}
END_TEST

UNIT_MAIN("store_garbage", garbage_in_any_table_harms_nobody_else)
