/* A store of format 4, which is made here of one of today's as that format had it, is converted
 * when it is opened. */
#include "tests/unit/branch_fixture.h"
#include "tests/unit/dump_fixture.h"
#include "tests/unit/store_picture.h"

#include <dlfcn.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int commits_until_fault; /* 0: no fault comes */
static int fault_of_commit;
static const char *damaged_beside; /* the old file cannot be read on once this one is there */

int mdb_txn_commit(MDB_txn *transaction)
{
	int (*real)(MDB_txn *) = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
	if (commits_until_fault > 0 && --commits_until_fault == 0) {
		mdb_txn_abort(transaction);
		return fault_of_commit;
	}
	return real(transaction);
}

int mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op step)
{
	int (*real)(MDB_cursor *, MDB_val *, MDB_val *, MDB_cursor_op) =
		(int (*)(MDB_cursor *, MDB_val *, MDB_val *, MDB_cursor_op))dlsym(RTLD_NEXT,
										  "mdb_cursor_get");
	bool is_damaged =
		damaged_beside != NULL && step == MDB_NEXT && access(damaged_beside, F_OK) == 0;
	return is_damaged ? MDB_CORRUPTED : real(cursor, key, value, step);
}

/* ---- the layout of format 4 ---- */

static const struct own_tree {
	const char *name;
	enum table table;
} own_trees[] = {
	{"meta", TABLE_META},  {"receipt", TABLE_RECEIPTS}, {"receipt_age", TABLE_RECEIPT_AGES},
	{"user", TABLE_USERS}, {"turn", TABLE_TURNS},       {"fact", TABLE_FACTS},
	{"job", TABLE_JOBS},   {"parked", TABLE_PARKED},
};

/* The others shared a tree, by these numbers; the keys of some fell behind the user. */
static const struct shared_table {
	enum table table;
	bool falls;
} shared_tables[] = {
	{TABLE_TURN_TIMES, false}, {TABLE_USER_RECEIPTS, true},  {TABLE_EXCHANGES, false},
	{TABLE_REPLAYS, true},     {TABLE_CONVERSATIONS, false}, {TABLE_FROZEN, true},
	{TABLE_SESSIONS, false},   {TABLE_ANSWERS, false},       {TABLE_SUMMARIES, false},
	{TABLE_DOCUMENTS, false},  {TABLE_TERMS, false},         {TABLE_POSTINGS, false},
	{TABLE_VECTORS, false},    {TABLE_EMBEDDINGS, false},
};

enum { USER_SIZE = sizeof(struct user_key) };

struct old_file {
	MDB_env *env;
	MDB_txn *transaction;
	size_t records;
};

static void put_old(struct old_file *old, MDB_dbi tree, struct slice key, struct slice value)
{
	MDB_val at = {key.size, (void *)(uintptr_t)key.data};
	MDB_val in = {value.size, (void *)(uintptr_t)value.data};
	ck_assert_int_eq(mdb_put(old->transaction, tree, &at, &in, 0), MDB_SUCCESS);
	old->records++;
}

static MDB_dbi open_tree(struct old_file *old, const char *name)
{
	MDB_dbi tree;
	ck_assert_int_eq(mdb_dbi_open(old->transaction, name, MDB_CREATE, &tree), MDB_SUCCESS);
	return tree;
}

static void write_own(struct old_file *old, struct transaction *from, const struct own_tree *own,
		      const char *const *users, size_t user_count)
{
	MDB_dbi tree = open_tree(old, own->name);
	bool is_of_users = own->table >= FIRST_USER_TABLE;
	for (size_t i = 0; i < (is_of_users ? user_count : 1); i++) {
		struct scan scan;
		struct slice key;
		struct slice value;
		struct key prefix = is_of_users ? key_of_user(fixture_key(users[i])) : key_empty();
		scan_begin(&scan, from, own->table, prefix, FORWARD);
		while (scan_next(&scan, &key, &value))
			put_old(old, tree, key, value);
		scan_end(&scan);
	}
}

static void write_shared(struct old_file *old, MDB_dbi tree, struct transaction *from,
			 size_t number, const char *user)
{
	const struct shared_table *shared = &shared_tables[number];
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, from, shared->table, key_of_user(fixture_key(user)), FORWARD);
	while (scan_next(&scan, &key, &value)) {
		char bytes[KEY_MAX + 1];
		memcpy(bytes, key.data, USER_SIZE);
		bytes[USER_SIZE] = (char)number;
		for (size_t i = USER_SIZE; i < key.size; i++)
			bytes[i + 1] = (char)(shared->falls ? ~key.data[i] : key.data[i]);
		put_old(old, tree, (struct slice){bytes, key.size + 1}, value);
	}
	scan_end(&scan);
}

static void begin_old(struct old_file *old, const char *path)
{
	*old = (struct old_file){0};
	ck_assert_int_eq(mdb_env_create(&old->env), MDB_SUCCESS);
	(void)mdb_env_set_maxdbs(old->env, 16);
	(void)mdb_env_set_mapsize(old->env, MAP);
	ck_assert_int_eq(mdb_env_open(old->env, path, MDB_NOLOCK, 0600), MDB_SUCCESS);
	ck_assert_int_eq(mdb_txn_begin(old->env, NULL, 0, &old->transaction), MDB_SUCCESS);
}

static void end_old(struct old_file *old)
{
	ck_assert_int_eq(mdb_txn_commit(old->transaction), MDB_SUCCESS);
	mdb_env_close(old->env);
}

/* Puts the store into format 4, into a file of its own, with which it is closed. */
static void make_old(struct fixture *fixture)
{
	static const char *const users[] = {"alex", "ben", "dora"};
	enum { USERS = sizeof(users) / sizeof(users[0]) };
	struct transaction from;
	struct old_file old;
	char file[128];
	char made[128];
	(void)snprintf(file, sizeof(file), "%s/old", fixture->path);
	ck_assert_int_eq(mkdir(file, 0700), 0);
	begin_old(&old, file);
	ck_assert(transaction_begin_read(&from, fixture->store));
	for (size_t i = 0; i < sizeof(own_trees) / sizeof(own_trees[0]); i++)
		write_own(&old, &from, &own_trees[i], users, USERS);
	MDB_dbi tree = open_tree(&old, "of_user");
	for (size_t i = 0; i < sizeof(shared_tables) / sizeof(shared_tables[0]); i++) {
		for (size_t j = 0; j < USERS; j++)
			write_shared(&old, tree, &from, i, users[j]);
	}
	ck_assert_uint_gt(old.records, 50);
	transaction_abort(&from);
	end_old(&old);
	store_close(fixture->store);
	fixture->store = NULL;
	fixture_put_format(file, SLICE("\1\4"));
	(void)snprintf(file, sizeof(file), "%s/old/data.mdb", fixture->path);
	(void)snprintf(made, sizeof(made), "%s/data.mdb", fixture->path);
	ck_assert_int_eq(rename(file, made), 0);
	(void)snprintf(file, sizeof(file), "%s/old/lock.mdb", fixture->path);
	(void)unlink(file);
	(void)snprintf(file, sizeof(file), "%s/old", fixture->path);
	ck_assert_int_eq(rmdir(file), 0);
}

/* ---- tests ---- */

static struct buffer picture_of(struct fixture *fixture)
{
	struct buffer picture;
	buffer_init(&picture, SIZE_MAX);
	ck_assert_int_eq(store_picture(fixture->store, &picture), STORE_OK);
	store_picture_counts(fixture->store, &picture);
	return picture;
}

static void setup(struct fixture *fixture, struct buffer *picture)
{
	fixture_init(fixture, MAP);
	dump_fill(fixture);
	*picture = picture_of(fixture);
	make_old(fixture);
}

static void teardown(struct fixture *fixture, struct buffer *picture)
{
	buffer_finish(picture);
	fixture_finish(fixture);
}

static struct store *open_it(const struct fixture *fixture, char *error, size_t size)
{
	struct store_options options = {
		.path = fixture->path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	return store_open(&options, error, size);
}

static void assert_same(struct fixture *fixture, const struct buffer *before)
{
	struct buffer after = picture_of(fixture);
	ck_assert_msg(slice_equal(buffer_slice(before), buffer_slice(&after)), "%.*s\n%.*s",
		      SLICE_PRINT(buffer_slice(before)), SLICE_PRINT(buffer_slice(&after)));
	buffer_finish(&after);
}

static void assert_converted(struct fixture *fixture, const struct buffer *before, uint64_t skipped)
{
	char file[128];
	char error[512];
	fixture->store = open_it(fixture, error, sizeof(error));
	ck_assert_msg(fixture->store != NULL, "%s", error);
	struct store_conversion conversion = store_converted(fixture->store);
	ck_assert_uint_eq(conversion.format, 4);
	ck_assert_uint_eq(conversion.skipped, skipped);
	assert_same(fixture, before);
	(void)snprintf(file, sizeof(file), "%s/data.mdb.format-4", fixture->path);
	ck_assert_int_eq(access(file, F_OK), 0);
	(void)snprintf(file, sizeof(file), "%s/converting", fixture->path);
	ck_assert_int_ne(access(file, F_OK), 0);
	fixture_reopen(fixture);
	ck_assert_uint_eq(store_converted(fixture->store).format, 0);
	assert_same(fixture, before);
}

START_TEST(a_store_of_format_4_has_all_that_it_had)
{
	struct fixture fixture;
	struct buffer before;
	setup(&fixture, &before);
	assert_converted(&fixture, &before, 0);
	teardown(&fixture, &before);
}
END_TEST

START_TEST(a_key_that_nobody_can_read_is_left_out_and_counted)
{
	static const char *const keys[] = {"short", "0123456789abcdef",
					   "0123456789abcdef\x7f"
					   "rest"};
	struct fixture fixture;
	struct buffer before;
	struct old_file old;
	setup(&fixture, &before);
	begin_old(&old, fixture.path);
	MDB_dbi tree = open_tree(&old, "of_user");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put_old(&old, tree, slice_of(keys[i]), SLICE("x"));
	static char large[KEY_MAX + 2];
	put_old(&old, tree, (struct slice){large, sizeof(large)}, SLICE("x"));
	end_old(&old);
	assert_converted(&fixture, &before, 4);
	teardown(&fixture, &before);
}
END_TEST

START_TEST(what_cannot_be_converted_stays_and_says_why)
{
	static const struct {
		int commits, fault;
		bool is_damaged;
		const char *why;
	} cases[] = {
		{0, 0, true, "its file is damaged: export what can be read"},
		{2, MDB_MAP_FULL, false, "make room on its disk"},
		{2, MDB_BAD_TXN, false, "a copy cannot be written beside it"},
	};
	struct fixture fixture;
	struct buffer before;
	char copy[128];
	setup(&fixture, &before);
	(void)snprintf(copy, sizeof(copy), "%s/converting/data.mdb", fixture.path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[512];
		commits_until_fault = cases[i].commits;
		fault_of_commit = cases[i].fault;
		damaged_beside = cases[i].is_damaged ? copy : NULL;
		struct store *store = open_it(&fixture, error, sizeof(error));
		ck_assert_msg(store == NULL, "%zu, %d commits before", i, commits_until_fault);
		ck_assert_msg(strstr(error, cases[i].why) != NULL, "%s", error);
		commits_until_fault = 0;
		damaged_beside = NULL;
	}
	assert_converted(&fixture, &before, 0);
	teardown(&fixture, &before);
}
END_TEST

START_TEST(a_copy_that_is_in_the_way_or_cannot_be_made_is_told)
{
	struct fixture fixture;
	struct buffer before;
	char error[512];
	char path[128];
	char kept[128];
	setup(&fixture, &before);
	fixture_put_file(&fixture, "converting");
	ck_assert_ptr_null(open_it(&fixture, error, sizeof(error)));
	ck_assert_msg(strstr(error, "converting") != NULL, "%s", error);
	(void)snprintf(path, sizeof(path), "%s/converting", fixture.path);
	ck_assert_int_eq(unlink(path), 0);
	/* The rest of an interrupted conversion is none. */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	fixture_put_file(&fixture, "converting/data.mdb");
	/* Where the old file is to be kept, something is that cannot be replaced. */
	(void)snprintf(kept, sizeof(kept), "%s/data.mdb.format-4", fixture.path);
	ck_assert_int_eq(mkdir(kept, 0700), 0);
	ck_assert_ptr_null(open_it(&fixture, error, sizeof(error)));
	ck_assert_msg(strstr(error, "cannot move the converted store into place") != NULL, "%s",
		      error);
	ck_assert_int_eq(rmdir(kept), 0);
	assert_converted(&fixture, &before, 0);
	teardown(&fixture, &before);
}
END_TEST

UNIT_MAIN("convert", a_store_of_format_4_has_all_that_it_had,
	  a_key_that_nobody_can_read_is_left_out_and_counted,
	  what_cannot_be_converted_stays_and_says_why,
	  a_copy_that_is_in_the_way_or_cannot_be_made_is_told)
