/* Tests the check of a store's file before it is opened: it finds each kind of damage, and none
 * where there is none. */
#include "storage/lmdb/reader.h"
#include "storage/record/key.h"
#include "tests/unit/measured_exit.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024, PAGE = 4096, RECORDS = 1500, FILE_MAX = 1 << 20 };

/* A file as it was, and where it is. */
struct probed {
	struct fixture fixture;
	char file[128];
	char *sound;
	size_t size; /* of the pages that were ever written, or more */
};

static void put(const struct probed *probed, size_t at, const void *bytes, size_t size)
{
	int data = open(probed->file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(data, bytes, size, (off_t)at), (ssize_t)size);
	(void)close(data);
}

/* Enough records for a tree of several pages. */
static void probed_init(struct probed *probed)
{
	struct transaction transaction;
	struct fixture *fixture = &probed->fixture;
	char value[101] = "";
	fixture_init(fixture, MAP);
	memset(value, 'v', sizeof(value) - 1);
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	for (uint64_t i = 0; i < RECORDS; i++)
		table_put(&transaction, TABLE_RECEIPTS, key_u64(key_empty(), i), slice_of(value));
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	MDB_envinfo info;
	mdb_env_info(fixture->store->env, &info);
	store_close(fixture->store);
	(void)snprintf(probed->file, sizeof(probed->file), "%s/data.mdb", fixture->path);
	probed->size = (info.me_last_pgno + 1) * PAGE;
	ck_assert_uint_le(probed->size, FILE_MAX);
	probed->sound = xmalloc(probed->size);
	int data = open(probed->file, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(data, probed->sound, probed->size, 0), (ssize_t)probed->size);
	(void)close(data);
}

static void repair(const struct probed *probed)
{
	put(probed, 0, probed->sound, probed->size);
}

static void probed_finish(struct probed *probed)
{
	char error[512] = "";
	struct store_options options = {.path = probed->fixture.path,
					.map_size = MAP,
					.receipts = RECORDS,
					.master = fixture_master()};
	repair(probed);
	probed->fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(probed->fixture.store != NULL, "%s", error);
	fixture_finish(&probed->fixture);
	free(probed->sound);
}

/* `fault`: NULL if there is none. */
static void assert_probe(const char *path, bool whole, const char *fault)
{
	bool is_damaged = fault == NULL;
	const char *found = reader_probe(path, whole, &is_damaged);
	ck_assert_msg((found == NULL) == (fault == NULL) &&
			      (found == NULL || strstr(found, fault) != NULL),
		      "%s", found == NULL ? "no fault" : found);
	ck_assert(is_damaged == (fault != NULL));
}

static void assert_both(const struct probed *probed, const char *fault)
{
	assert_probe(probed->fixture.path, false, fault);
	assert_probe(probed->fixture.path, true, fault);
}

START_TEST(a_sound_store_and_none_at_all_have_no_fault)
{
	struct probed probed;
	char top[UNIT_PATH];
	unit_folder(top);
	assert_probe(top, true, NULL);
	ck_assert_int_eq(rmdir(top), 0);
	probed_init(&probed);
	assert_both(&probed, NULL);
	probed_finish(&probed);
}
END_TEST

START_TEST(a_file_that_is_no_whole_store_is_damaged)
{
	struct probed probed;
	static const char garbage[2 * PAGE] = "no header";
	probed_init(&probed);
	ck_assert_int_eq(truncate(probed.file, (off_t)probed.size / 2), 0);
	assert_both(&probed, "is truncated");
	ck_assert_int_eq(truncate(probed.file, 0), 0);
	assert_both(&probed, "is empty");
	repair(&probed);
	assert_both(&probed, NULL);
	put(&probed, 0, garbage, sizeof(garbage));
	assert_both(&probed, "does not begin like a store");
	probed_finish(&probed);
}
END_TEST

/* Its process may be led anywhere; the caller is not. */
static size_t count_found(const struct probed *probed, bool whole, int fill)
{
	size_t found = 0;
	char garbage[PAGE];
	memset(garbage, fill, sizeof(garbage));
	for (size_t at = 2 * (size_t)PAGE; at < probed->size; at += PAGE) {
		bool is_damaged = false;
		put(probed, at, garbage, PAGE);
		const char *fault = reader_probe(probed->fixture.path, whole, &is_damaged);
		ck_assert(is_damaged == (fault != NULL));
		found += is_damaged;
		put(probed, at, probed->sound + at, PAGE);
	}
	return found;
}

START_TEST(every_page_of_a_table_is_looked_at_if_the_whole_is)
{
	enum { LEAVES = RECORDS * 100 / PAGE };
	struct probed probed;
	probed_init(&probed);
	size_t at_ends = count_found(&probed, false, 0xa5);
	ck_assert_uint_gt(at_ends, 0);
	ck_assert_uint_lt(at_ends, LEAVES);
	ck_assert_uint_ge(count_found(&probed, true, 0xa5), LEAVES);
	ck_assert_uint_ge(count_found(&probed, true, 0), LEAVES);
	probed_finish(&probed);
}
END_TEST

/* Two pages in each other's place are each sound. */
START_TEST(pages_out_of_order_are_damage)
{
	enum { LEAVES = RECORDS * 100 / PAGE };
	struct probed probed;
	size_t found[2] = {0, 0};
	probed_init(&probed);
	for (size_t at = 2 * (size_t)PAGE; at + 2 * (size_t)PAGE <= probed.size; at += PAGE) {
		put(&probed, at, probed.sound + at + PAGE, PAGE);
		put(&probed, at + PAGE, probed.sound + at, PAGE);
		for (int whole = 0; whole < 2; whole++) {
			bool is_damaged;
			(void)reader_probe(probed.fixture.path, whole == 1, &is_damaged);
			found[whole] += is_damaged;
		}
		put(&probed, at, probed.sound + at, 2 * (size_t)PAGE);
	}
	ck_assert_uint_lt(found[0], LEAVES);
	ck_assert_uint_ge(found[1], LEAVES);
	probed_finish(&probed);
}
END_TEST

/* LMDB keeps of each tree a record of 48 bytes, behind the tree's name. */
enum { TREE_ENTRIES = 32, TREE_ROOT = 40 };

static void change_tree(const struct probed *probed, size_t member, uint64_t number)
{
	const char *name = engine_tree_name(TABLE_RECEIPTS);
	const uint64_t entries = RECORDS;
	const struct slice file = {probed->sound, probed->size};
	size_t size = strlen(name);
	for (size_t at = 0; (at = slice_find(file, slice_of(name), at)) < file.size; at++) {
		/* the record's flags say that it is a tree; then comes the size of its key. Pages
		 * that are used again hold remains of others. */
		const unsigned char node[] = {2, 0, (unsigned char)size, 0};
		if (memcmp(file.data + at - sizeof(node), node, sizeof(node)) == 0 &&
		    memcmp(file.data + at + size + TREE_ENTRIES, &entries, sizeof(entries)) == 0)
			put(probed, at + size + member, &number, sizeof(number));
	}
}

START_TEST(a_count_that_does_not_match_is_found_by_counting)
{
	struct probed probed;
	probed_init(&probed);
	change_tree(&probed, TREE_ENTRIES, RECORDS + 1);
	assert_probe(probed.fixture.path, false, NULL);
	assert_probe(probed.fixture.path, true, "is damaged");
	change_tree(&probed, TREE_ENTRIES, RECORDS);
	assert_both(&probed, NULL);
	probed_finish(&probed);
}
END_TEST

START_TEST(a_tree_that_begins_nowhere_is_damaged)
{
	struct probed probed;
	probed_init(&probed);
	/* Behind the end of the file, and behind the end of the map. */
	change_tree(&probed, TREE_ROOT, MAP / PAGE - 1);
	assert_both(&probed, "data.mdb is");
	change_tree(&probed, TREE_ROOT, UINT64_MAX / 2);
	assert_both(&probed, "is damaged");
	probed_finish(&probed);
}
END_TEST

/* The tree of all trees has its record in both headers. */
static void change_names(const struct probed *probed, size_t member, uint64_t number)
{
	enum { NAMES = 16 + 24 + 48 };
	for (size_t header = 0; header < 2; header++)
		put(probed, header * PAGE + NAMES + member, &number, sizeof(number));
}

START_TEST(a_root_that_looks_empty_is_damaged_and_one_that_is_empty_is_not)
{
	struct probed probed;
	probed_init(&probed);
	change_names(&probed, TREE_ENTRIES, 77);
	assert_both(&probed, "is damaged");
	change_names(&probed, TREE_ENTRIES, 2);
	assert_both(&probed, "is damaged");
	change_names(&probed, TREE_ROOT, UINT64_MAX);
	assert_both(&probed, "is damaged");
	/* As a store is that was stopped before its first commit. */
	change_names(&probed, TREE_ENTRIES, 0);
	assert_both(&probed, NULL);
	probed_finish(&probed);
}
END_TEST

START_TEST(what_another_program_stores_is_no_store)
{
	char top[UNIT_PATH];
	char path[UNIT_PATH + 16];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	unit_folder(top);
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(env, 1), 0);
	ck_assert_int_eq(mdb_env_open(env, top, MDB_NOLOCK, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, "another's", MDB_CREATE, &dbi), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_probe(top, true, "is not a store of recalld");
	(void)snprintf(path, sizeof(path), "%s/data.mdb", top);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

static int give(void *cookie)
{
	return *(const int *)cookie;
}

static int crash(void *cookie)
{
	(void)cookie;
	abort();
}

START_TEST(work_apart_gives_its_result_or_that_it_crashed)
{
	int number = 42;
	ck_assert_int_eq(reader_run_apart(give, &number), 42);
	ck_assert_int_eq(reader_run_apart(crash, NULL), APART_CRASHED);
}
END_TEST

UNIT_MAIN("store_probe", a_sound_store_and_none_at_all_have_no_fault,
	  a_file_that_is_no_whole_store_is_damaged,
	  every_page_of_a_table_is_looked_at_if_the_whole_is, pages_out_of_order_are_damage,
	  a_count_that_does_not_match_is_found_by_counting, a_tree_that_begins_nowhere_is_damaged,
	  a_root_that_looks_empty_is_damaged_and_one_that_is_empty_is_not,
	  what_another_program_stores_is_no_store, work_apart_gives_its_result_or_that_it_crashed)
