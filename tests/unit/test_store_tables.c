#include "storage/lmdb_table.h"
#include "tests/unit/store_fixture.h"

#include <string.h>

enum { MAP = 64 * 1024 * 1024, RECORDS = 400 };

static struct key key_of(const char *user, uint64_t number)
{
	return key_u64(key_u32(key_of_user(fixture_key(user)), (uint32_t)(number / 100)), number);
}

static void put_records(struct transaction *transaction, enum table table, const char *user)
{
	for (uint64_t i = 0; i < RECORDS; i++)
		table_put(transaction, table, key_of(user, i * 7 % RECORDS), SLICE("a record"));
}

/* Of one user, or one of his conversations: the numbers from `number` on, upward or downward. */
static void check_walk(struct transaction *transaction, enum table table, struct key prefix,
		       enum direction direction, uint64_t number, size_t count)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, transaction, table, prefix, direction);
	for (; count > 0; count--) {
		ck_assert(scan_next(&scan, &key, &value));
		ck_assert_uint_eq(key.size, 28);
		ck_assert_uint_eq(key_read_u64(key, 20), number);
		number += direction == FORWARD ? 1 : UINT64_MAX;
	}
	ck_assert(!scan_next(&scan, &key, &value));
	scan_end(&scan);
}

static void delete_half(struct transaction *transaction, enum table table)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, transaction, table, key_of_user(fixture_key("alex")), FORWARD);
	for (uint64_t i = 0; i < RECORDS; i++) {
		ck_assert(scan_next(&scan, &key, &value));
		ck_assert_uint_eq(key_read_u64(key, 20), i);
		if (i < RECORDS / 2)
			scan_delete(&scan);
	}
	ck_assert(!scan_next(&scan, &key, &value));
	scan_end(&scan);
}

static void check_table(struct transaction *transaction, enum table table)
{
	static const char *const users[] = {"alex", "blake", "casey"};
	for (size_t i = 0; i < 3; i++)
		put_records(transaction, table, users[i]);
	ck_assert_uint_eq(table_count(transaction, table), 3 * RECORDS);
	for (size_t i = 0; i < 3; i++) {
		struct key user = key_of_user(fixture_key(users[i]));
		check_walk(transaction, table, user, FORWARD, 0, RECORDS);
		check_walk(transaction, table, user, BACKWARD, RECORDS - 1, RECORDS);
		check_walk(transaction, table, key_u32(user, 2), FORWARD, 200, 100);
		check_walk(transaction, table, key_u32(user, 2), BACKWARD, 299, 100);
	}
	delete_half(transaction, table);
	ck_assert_uint_eq(table_count(transaction, table), 3 * RECORDS - RECORDS / 2);
	ck_assert_uint_eq(table_delete_all(transaction, table, key_of_user(fixture_key("alex"))),
			  RECORDS / 2);
	check_walk(transaction, table, key_of_user(fixture_key("blake")), FORWARD, 0, RECORDS);
}

START_TEST(a_walk_is_in_the_order_of_keys_wherever_they_rise_or_fall_in_the_tree)
{
	struct fixture fixture;
	struct transaction transaction;
	fixture_init(&fixture, MAP);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (enum table table = FIRST_USER_TABLE; table < TABLE_COUNT; table++)
		check_table(&transaction, table);
	transaction_abort(&transaction);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_tables", a_walk_is_in_the_order_of_keys_wherever_they_rise_or_fall_in_the_tree)
