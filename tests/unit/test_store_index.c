#include "storage/deletions.h"
#include "storage/index/index.h"
#include "tests/unit/store_talk.h"

#include <lmdb.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP = 256 * 1024 * 1024 };

/* ---- built anew ---- */

/* The records of a store that was written with other terms. */
static void make_outdated(struct fixture *fixture)
{
	struct transaction transaction;
	uint64_t version = 1;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	(void)table_delete_all(&transaction, TABLE_POSTINGS, key_empty());
	table_put(&transaction, TABLE_TERMS, key_u64(key_of_user(fixture_key("alex")), 3),
		  SLICE("of no use"));
	table_write(&transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
		    &version);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static void take_index(struct fixture *fixture)
{
	struct transaction transaction;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	(void)table_delete_all(&transaction, TABLE_POSTINGS, key_empty());
	(void)table_delete_all(&transaction, TABLE_DOCUMENTS, key_empty());
	(void)table_delete_all(&transaction, TABLE_TERMS, key_empty());
	(void)table_delete(&transaction, TABLE_META, key_of_name("index_version"));
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static void note_share(void *cookie, double share)
{
	double *last = cookie;
	ck_assert(share > last[0] && share <= 1);
	last[0] = share;
	last[1] += 1;
}

START_TEST(who_waits_for_an_index_hears_how_far_it_is)
{
	struct fixture fixture;
	double heard[2] = {0, 0}; /* the last share, and how many */
	char error[256];
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 900);
	make_outdated(&fixture);
	store_close(fixture.store);
	const struct store_options options = {.path = fixture.path,
					      .map_size = MAP,
					      .progress = {note_share, heard},
					      .master = fixture_master()};
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	ck_assert_double_eq(heard[0], 1);
	ck_assert_double_ge(heard[1], 3);
	store_close(fixture.store);
	heard[0] = 0;
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_double_eq(heard[0], 0); /* nothing had to be done */
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_index_of_other_terms_or_none_is_built_anew_when_the_store_is_opened)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 900);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 10; i++) {
		talk_ask_again(&oracle, i);
		talk_hide(&oracle);
	}
	make_outdated(&fixture);
	fixture_reopen(&fixture);
	ck_assert_uint_gt(talk_recall(&oracle) + oracle_ask(&oracle, "wordaa"), 0);
	take_index(&fixture);
	fixture_reopen(&fixture);
	ck_assert_uint_gt(talk_recall(&oracle) + oracle_ask(&oracle, "wordaa"), 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

/* All records of the index, one after the other. */
static void print_index(struct fixture *fixture, struct buffer *out)
{
	static const enum table tables[] = {TABLE_DOCUMENTS, TABLE_TERMS, TABLE_POSTINGS};
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	buffer_init(out, MAP);
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		scan_begin(&scan, &transaction, tables[i], key_of_user(fixture_key("alex")),
			   FORWARD);
		while (scan_next(&scan, &key, &value)) {
			(void)buffer_append(out, key);
			(void)buffer_append(out, value);
		}
		scan_end(&scan);
	}
	transaction_abort(&transaction);
}

START_TEST(an_index_that_turns_were_deleted_from_is_that_of_the_rest)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	struct deletion_report report;
	const struct deletion early = {.kind = DELETION_SPAN, .until = 4000};
	struct buffer all;
	struct buffer left;
	struct buffer renewed;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 3; i++) /* more than a span */
		talk_import(&fixture, 900);
	print_index(&fixture, &all);
	(void)store_delete(fixture.store, fixture_key("alex"), &early, 0, 10000, &report,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_gt(report.turns, 900);
	print_index(&fixture, &left);
	take_index(&fixture);
	fixture_reopen(&fixture);
	print_index(&fixture, &renewed);
	ck_assert_uint_gt(left.size, all.size / 4);
	ck_assert_uint_lt(left.size, all.size);
	ck_assert(slice_equal(buffer_slice(&left), buffer_slice(&renewed)));
	buffer_finish(&all);
	buffer_finish(&left);
	buffer_finish(&renewed);
	fixture_finish(&fixture);
}
END_TEST

static void kill_while_opening(struct fixture *fixture, useconds_t after)
{
	pid_t child = fork();
	if (child == 0) {
		char error[256];
		struct store_options options = {.path = fixture->path,
						.map_size = MAP,
						.receipts = 10,
						.master = fixture_master()};
		(void)store_open(&options, error, sizeof(error));
		pause();
	}
	usleep(after);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_kill_while_the_index_is_built_anew_leaves_no_half_of_it)
{
	struct fixture fixture;
	struct oracle oracle;
	char error[256];
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	for (int i = 0; i < 7; i++)
		talk_import(&fixture, 1000);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (useconds_t after = 1000; after < 200000; after *= 2) {
		make_outdated(&fixture);
		store_close(fixture.store);
		kill_while_opening(&fixture, after);
		fixture.store = store_open(&options, error, sizeof(error));
		ck_assert_msg(fixture.store != NULL, "%s", error);
		ck_assert_uint_gt(oracle_ask(&oracle, "wordaa wordbb"), 0);
	}
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

/* ---- what it costs ---- */

static uint64_t bytes_of_index(struct fixture *fixture)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t bytes = 0;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	for (int table = TABLE_DOCUMENTS; table <= TABLE_POSTINGS; table++) {
		scan_begin(&scan, &transaction, (enum table)table, key_empty(), FORWARD);
		while (scan_next(&scan, &key, &value))
			bytes += key.size + value.size;
		scan_end(&scan);
	}
	transaction_abort(&transaction);
	return bytes;
}

START_TEST(the_index_grows_linearly)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 1000);
	uint64_t half = bytes_of_index(&fixture);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 1000);
	uint64_t whole = bytes_of_index(&fixture);
	ck_assert_uint_lt(whole, 2 * half + half / 10);
	ck_assert_uint_lt(whole / 10000, 200);
	fixture_finish(&fixture);
}
END_TEST

/* How many pages the last commit wrote anew: those that it replaced are the newest record of LMDB's
 * free list, which begins with their number. */
static size_t pages_of_last_commit(struct fixture *fixture)
{
	struct transaction transaction;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	size_t pages;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	ck_assert_int_eq(mdb_cursor_open(transaction.handle, 0, &cursor), 0);
	ck_assert_int_eq(mdb_cursor_get(cursor, &key, &value, MDB_LAST), 0);
	memcpy(&pages, value.mv_data, sizeof(pages));
	mdb_cursor_close(cursor);
	transaction_abort(&transaction);
	return pages;
}

/* Over two blocks, so that their terms' way into the postings counts. */
static size_t pages_of_appends(struct fixture *fixture)
{
	size_t pages = 0;
	for (int i = 0; i < DOCUMENT_BLOCK; i++) {
		talk_append(fixture, 10000 + i);
		pages += pages_of_last_commit(fixture);
	}
	return pages;
}

START_TEST(an_append_writes_as_much_in_a_long_memory_as_in_a_short_one)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	talk_import(&fixture, 100);
	size_t of_short = pages_of_appends(&fixture);
	for (int i = 0; i < 20; i++)
		talk_import(&fixture, 1000);
	size_t of_long = pages_of_appends(&fixture);
	/* The tables' trees grow a level or two; nothing else does. */
	ck_assert_msg(of_long < 2 * of_short, "%zu pages, then %zu", of_short, of_long);
	fixture_finish(&fixture);
}
END_TEST

/* Adds, for each of many users, a record of an index and one that stays. The keys ascend, so that
 * the trees' pages fill up, and differ where digest_table looks: in their first bytes and the third
 * one's last bit. */
static void fill_tree(struct fixture *fixture, uint64_t users)
{
	enum { USERS_AT_ONCE = 1000, FIRST_BITS = 47, THIRD_BYTE = 40 };
	static const char zeroes[300];
	const struct slice value = {zeroes, sizeof(zeroes)};
	for (uint64_t i = 0; i < users; i += USERS_AT_ONCE) {
		struct transaction transaction;
		ck_assert(transaction_begin_write(&transaction, fixture->store));
		for (uint64_t user = i; user < i + USERS_AT_ONCE; user++) {
			const uint64_t number = user << FIRST_BITS | (user & 1) << THIRD_BYTE;
			const struct key key = key_u64(key_of_number(number), 0);
			table_put(&transaction, TABLE_POSTINGS, key_u64(key, 1), value);
			table_put(&transaction, TABLE_VECTORS, key_u64(key, 1), value);
		}
		ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	}
}

/* There is no room for a copy of all the pages that the index shares with the rest. */
START_TEST(an_index_is_built_anew_in_a_store_that_is_almost_full)
{
	enum { USERS = 80000 };
	struct fixture fixture;
	struct transaction transaction;
	uint64_t version = 1;
	fixture_init(&fixture, 64 << 20);
	fill_tree(&fixture, USERS);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	table_write(&transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
		    &version);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	fixture_reopen(&fixture);
	ck_assert(transaction_begin_read(&transaction, fixture.store));
	ck_assert_uint_eq(table_count(&transaction, TABLE_POSTINGS), 0);
	ck_assert_uint_eq(table_count(&transaction, TABLE_VECTORS), USERS);
	transaction_abort(&transaction);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_index", who_waits_for_an_index_hears_how_far_it_is,
	  an_index_of_other_terms_or_none_is_built_anew_when_the_store_is_opened,
	  an_index_that_turns_were_deleted_from_is_that_of_the_rest,
	  a_kill_while_the_index_is_built_anew_leaves_no_half_of_it,
	  an_index_is_built_anew_in_a_store_that_is_almost_full, the_index_grows_linearly,
	  an_append_writes_as_much_in_a_long_memory_as_in_a_short_one)
