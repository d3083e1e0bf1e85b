#include "storage/lmdb/table.h"
#include "tests/unit/random.h"
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

static struct key random_key(struct random *random)
{
	static const unsigned char bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct key key = key_empty();
	for (size_t size = 1 + random_below(random, 20); size > 0; size--)
		key = key_byte(key, bytes[random_below(random, size > 4 ? 1 : sizeof(bytes))]);
	return key;
}

static bool is_before(const struct key *left, struct slice right)
{
	size_t common = left->size < right.size ? left->size : right.size;
	int order = memcmp(left->bytes, right.data, common);
	return order < 0 || (order == 0 && left->size < right.size);
}

START_TEST(keys_of_any_length_are_in_the_order_of_their_bytes)
{
	struct fixture fixture;
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	struct random random = {7};
	struct key last = key_empty();
	uint64_t count = 0;
	fixture_init(&fixture, MAP);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (int i = 0; i < RECORDS; i++)
		table_put(&transaction, TABLE_RECEIPTS, random_key(&random), SLICE("a record"));
	scan_begin(&scan, &transaction, TABLE_RECEIPTS, key_empty(), FORWARD);
	for (; scan_next(&scan, &key, &value); count++) {
		ck_assert(is_before(&last, key));
		last.size = key.size;
		memcpy(last.bytes, key.data, key.size);
	}
	scan_end(&scan);
	ck_assert_uint_eq(count, table_count(&transaction, TABLE_RECEIPTS));
	ck_assert_uint_gt(count, RECORDS / 2);
	transaction_abort(&transaction);
	fixture_finish(&fixture);
}
END_TEST

/* The even numbers are there. */
static void look_anywhere(struct transaction *transaction, enum table table, struct random *random)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t number = random_below(random, 2 * RECORDS);
	struct key prefix = key_of_user(fixture_key("alex"));
	ck_assert(table_get(transaction, table, key_u64(prefix, number), &value) ==
		  (number % 2 == 0));
	scan_begin_at(&scan, transaction, table, prefix, key_u64(prefix, number), FORWARD);
	for (uint64_t next = number + number % 2; next < 2 * RECORDS && next < number + 9;
	     next += 2) {
		ck_assert(scan_next(&scan, &key, &value));
		ck_assert_uint_eq(key_read_u64(key, 16), next);
	}
	scan_end(&scan);
}

START_TEST(what_was_read_before_does_not_change_what_is_read_next)
{
	struct fixture fixture;
	struct transaction transaction;
	struct random random = {11};
	const enum table tables[] = {TABLE_TURNS, TABLE_EXCHANGES};
	struct key prefix = key_of_user(fixture_key("alex"));
	fixture_init(&fixture, MAP);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (uint64_t i = 0; i < 2 * RECORDS; i++)
		table_put(&transaction, tables[i % 2], key_u64(prefix, i / 2 * 2),
			  SLICE("a record"));
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	ck_assert(transaction_begin_read(&transaction, fixture.store));
	for (int i = 0; i < 2 * RECORDS; i++)
		look_anywhere(&transaction, tables[random_below(&random, 2)], &random);
	ck_assert_int_eq(transaction.result, STORE_OK);
	transaction_abort(&transaction);
	fixture_finish(&fixture);
}
END_TEST

/* Something happens to a record, or to all of a user's. */
static void change_anything(struct transaction *transaction, enum table table,
			    struct random *random)
{
	static const char *const users[] = {"alex", "blake", "casey"};
	struct key user = key_of_user(fixture_key(users[random_below(random, 3)]));
	struct key key = key_u64(user, random_below(random, 20));
	struct scan scan;
	struct slice found;
	struct slice value;
	switch (random_below(random, 12)) {
	case 0:
		(void)table_delete_all(transaction, table, user);
		return;
	case 1:
		scan_begin(&scan, transaction, table, user, FORWARD);
		if (scan_next(&scan, &found, &value))
			scan_delete(&scan);
		scan_end(&scan);
		return;
	case 2:
	case 3:
	case 4:
		(void)table_delete(transaction, table, key);
		return;
	default:
		table_put(transaction, table, key, SLICE("a record"));
	}
}

static void check_counts(struct transaction *transaction)
{
	struct table_counts counts = table_counts(transaction);
	ck_assert_int_eq(counts.users, (int64_t)table_count(transaction, TABLE_USERS));
	ck_assert_int_eq(counts.facts, (int64_t)table_count(transaction, TABLE_FACTS));
}

START_TEST(the_counts_are_what_a_walk_finds_whatever_was_written_or_given_up)
{
	enum { TRANSACTIONS = 300 };
	struct fixture fixture;
	struct transaction transaction;
	struct random random = {5};
	int64_t most = 0;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < TRANSACTIONS; i++) {
		ck_assert(transaction_begin_write(&transaction, fixture.store));
		check_counts(&transaction);
		for (size_t changes = random_below(&random, 9); changes > 0; changes--)
			change_anything(&transaction,
					random_below(&random, 2) == 0 ? TABLE_USERS : TABLE_FACTS,
					&random);
		check_counts(&transaction);
		struct table_counts counts = table_counts(&transaction);
		most = counts.facts > most ? counts.facts : most;
		if (random_below(&random, 4) == 0)
			transaction_abort(&transaction);
		else
			ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
		if (i == TRANSACTIONS / 2)
			fixture_reopen(&fixture);
	}
	ck_assert_int_gt(most, 10);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(counts_that_are_lost_begin_at_nought_and_never_fall_below)
{
	static const struct slice lost[] = {SLICE("\7not ours"), SLICE("\1\3\3")};
	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;
		struct transaction transaction;
		fixture_init(&fixture, MAP);
		struct key user = key_of_user(fixture_key("alex"));
		fixture_put(&fixture, TABLE_FACTS, key_u64(user, 1), SLICE("a record"));
		fixture_put(&fixture, TABLE_FACTS, key_u64(user, 2), SLICE("a record"));
		fixture_put(&fixture, TABLE_META, key_of_name("counts"), lost[i]);
		ck_assert(transaction_begin_write(&transaction, fixture.store));
		ck_assert_int_eq(table_counts(&transaction).facts, 0);
		ck_assert(table_delete(&transaction, TABLE_FACTS, key_u64(user, 1)));
		ck_assert_int_eq(table_counts(&transaction).facts, 0);
		ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
		fixture_put(&fixture, TABLE_FACTS, key_u64(user, 3), SLICE("a record"));
		ck_assert(transaction_begin_read(&transaction, fixture.store));
		ck_assert_int_eq(table_counts(&transaction).facts, 1);
		ck_assert_int_eq(table_counts(&transaction).users, 0);
		transaction_abort(&transaction);
		fixture_finish(&fixture);
	}
}
END_TEST

UNIT_MAIN("store_tables", a_walk_is_in_the_order_of_keys_wherever_they_rise_or_fall_in_the_tree,
	  keys_of_any_length_are_in_the_order_of_their_bytes,
	  what_was_read_before_does_not_change_what_is_read_next,
	  the_counts_are_what_a_walk_finds_whatever_was_written_or_given_up,
	  counts_that_are_lost_begin_at_nought_and_never_fall_below)
