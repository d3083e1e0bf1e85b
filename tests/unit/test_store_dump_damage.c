/* Exports of stores that are damaged. */
#include "storage/user/memory.h"
#include "tests/unit/dump_fixture.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 4096 };

START_TEST(what_damage_leaves_is_written_out_and_the_rest_is_counted)
{
	struct fixture fixture;
	char path[128];
	size_t lost = 0;
	fixture_init(&fixture, MAP);
	dump_fill(&fixture);
	store_close(fixture.store);
	fixture.store = NULL;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture.path);
	int data = open(path, O_RDWR | O_CLOEXEC);
	for (unsigned page = 2; page < 40; page++) {
		char sound[PAGE];
		char garbage[PAGE];
		struct dump_report report;
		memset(garbage, (int)(page * 37), sizeof(garbage));
		ck_assert_int_eq(pread(data, sound, PAGE, page * PAGE), PAGE);
		ck_assert_int_eq(pwrite(data, garbage, PAGE, page * PAGE), PAGE);
		FILE *file = tmpfile();
		bool whole = store_export(
			&(struct store_options){.path = fixture.path, .master = fixture_master()},
			fileno(file), NULL, &report);
		ck_assert(whole || report.error[0] != '\0');
		for (size_t i = 0; i < DUMP_TABLES; i++)
			lost += report.tables[i].holes + report.tables[i].unreadable;
		(void)fclose(file);
		ck_assert_int_eq(pwrite(data, sound, PAGE, page * PAGE), PAGE);
	}
	ck_assert_uint_gt(lost, 0);
	(void)close(data);
	fixture_reopen(&fixture);
	fixture_finish(&fixture);
}
END_TEST

struct count {
	size_t records, holes, unreadable;
};

/* The number of a table's records in an export. */
static struct count export_table(const char *path, const char *table)
{
	struct dump_report report;
	FILE *file = tmpfile();
	bool whole = store_export(&(struct store_options){.path = path, .master = fixture_master()},
				  fileno(file), NULL, &report);
	(void)fclose(file);
	bool is_damaged = strstr(report.error, "the store is damaged") == report.error;
	ck_assert_msg(whole || is_damaged, "%s", report.error);
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		ck_assert(!whole || report.tables[i].holes + report.tables[i].unreadable == 0);
		if (strcmp(report.tables[i].name, table) == 0)
			return (struct count){report.tables[i].records, report.tables[i].holes,
					      report.tables[i].unreadable};
	}
	ck_abort_msg("none of the table are counted");
}

static struct count export_turns(const char *path)
{
	return export_table(path, "turn");
}

static void swap_page(int data, size_t page, char *other)
{
	char here[PAGE];
	ck_assert_int_eq(pread(data, here, PAGE, (off_t)(page * PAGE)), PAGE);
	ck_assert_int_eq(pwrite(data, other, PAGE, (off_t)(page * PAGE)), PAGE);
	memcpy(other, here, PAGE);
}

/* Of its records, which begin where its header says; before them lies what is none any more. */
static size_t count_on_page(const char page[PAGE], const char *text)
{
	enum { UPPER = 14 };
	uint16_t upper;
	size_t count = 0;
	memcpy(&upper, page + UPPER, sizeof(upper));
	if (upper >= PAGE)
		return 0;
	struct slice records = {page + upper, PAGE - upper};
	for (size_t at = 0; (at = slice_find(records, slice_of(text), at)) < records.size; at++)
		count++;
	return count;
}

START_TEST(each_damaged_page_is_one_hole_and_costs_little_more_than_what_lies_on_it)
{
	enum { TURNS = 200, PAGES = 1000 };
	struct fixture fixture;
	struct fixture_turn turns[TURNS];
	char path[128];
	char text[200];
	size_t lost[PAGES] = {0};
	size_t first = 0;
	size_t last = 0;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_init(&fixture, MAP);
	for (int i = 0; i < TURNS; i++)
		turns[i] = (struct fixture_turn){
			.role = ROLE_USER, .text = slice_of(text), .created_at = i + 1};
	ck_assert_int_eq(fixture_import(&fixture, turns, TURNS, false), STORE_OK);
	store_close(fixture.store);
	fixture.store = NULL;
	ck_assert_uint_eq(export_turns(fixture.path).records, TURNS);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture.path);
	int data = open(path, O_RDWR | O_CLOEXEC);
	off_t pages = lseek(data, 0, SEEK_END) / PAGE;
	for (size_t page = 2; page < (size_t)pages && page < PAGES; page++) {
		char other[PAGE] = {0};
		swap_page(data, page, other);
		struct count count = {0};
		if (count_on_page(other, text) > 0)
			count = export_turns(fixture.path);
		/* One that is free takes nothing along, and one that is a branch by now all. */
		if (count.holes > 0 && count.records > TURNS / 2) {
			ck_assert_uint_eq(count.holes, 1);
			lost[page] = TURNS - count.records;
			ck_assert_uint_le(lost[page], 40);
			first = first == 0 ? page : first;
			last = page;
		}
		swap_page(data, page, other);
	}
	ck_assert_uint_gt(last, first + 2);
	char others[2][PAGE] = {{0}};
	swap_page(data, first, others[0]);
	swap_page(data, last, others[1]);
	struct count count = export_turns(fixture.path);
	ck_assert_uint_eq(count.holes, 2);
	ck_assert_uint_eq(count.records, TURNS - lost[first] - lost[last]);
	swap_page(data, first, others[0]);
	swap_page(data, last, others[1]);
	(void)close(data);
	fixture_reopen(&fixture);
	fixture_put(&fixture, TABLE_TURNS, key_u64(key_of_user(fixture_key("alex")), 3),
		    SLICE("\7of a later version"));
	count = export_turns(fixture.path);
	ck_assert(count.holes == 0 && count.unreadable == 1 && count.records == TURNS - 1);
	fixture_finish(&fixture);
}
END_TEST

enum { TURNS_OF_USER = 25 };

static void import_turns(struct fixture *fixture, unsigned user, const char *text)
{
	struct fixture_wait wait = {0};
	struct fixture_turn turns[TURNS_OF_USER];
	char name[32];
	(void)snprintf(name, sizeof(name), "user-%u", user);
	for (int i = 0; i < TURNS_OF_USER; i++)
		turns[i] = (struct fixture_turn){
			.role = ROLE_USER, .text = slice_of(text), .created_at = i + 1};
	(void)fixture_begin_import(fixture->store, SLICE("shared"), slice_of(name), turns,
				   TURNS_OF_USER, false, 0,
				   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

/* Damages each page that has such a text on it, one at a time: no more records are lost than twice
 * as many as it holds. Gives how many pages that were. */
static size_t damage_each_page(const struct fixture *fixture, const char *table, const char *text,
			       size_t all)
{
	char path[128];
	size_t damaged = 0;
	ck_assert_uint_eq(export_table(fixture->path, table).records, all);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
	int data = open(path, O_RDWR | O_CLOEXEC);
	off_t pages = lseek(data, 0, SEEK_END) / PAGE;
	for (size_t page = 2; page < (size_t)pages; page++) {
		char other[PAGE] = {0};
		struct count count = {0};
		swap_page(data, page, other);
		size_t on_page = count_on_page(other, text);
		if (on_page > 0)
			count = export_table(fixture->path, table);
		swap_page(data, page, other);
		if (count.holes == 0)
			continue; /* it is free */
		damaged++;
		ck_assert_uint_eq(count.holes, 1);
		ck_assert_uint_lt(count.records, all);
		/* Twice as far with each try is at most as far again. */
		ck_assert_msg(all - count.records <= 2 * on_page, "%zu of %zu", all - count.records,
			      on_page);
	}
	(void)close(data);
	return damaged;
}

START_TEST(a_damaged_page_costs_nobody_who_lies_behind_it)
{
	enum { USERS = 6, ALL = USERS * TURNS_OF_USER };
	struct fixture fixture;
	char text[] =
		"what each says is long enough for a page to have room for some twenty of it, "
		"so that most users lie on two and many pages hold two users, ten or more";
	fixture_init(&fixture, MAP);
	for (unsigned i = 0; i < USERS; i++)
		import_turns(&fixture, i, text);
	store_close(fixture.store);
	fixture.store = NULL;
	ck_assert_uint_ge(damage_each_page(&fixture, "turn", text, ALL), USERS);
	fixture_reopen(&fixture);
	fixture_finish(&fixture);
}
END_TEST

enum { FACTS_OF_USER = 6 };

static void put_facts(struct fixture *fixture, unsigned user, const char *text)
{
	struct transaction transaction;
	char name[32];
	(void)snprintf(name, sizeof(name), "user-%u", user);
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	const struct memory memory = {&transaction, fixture_key(name), &fixture->arena};
	for (unsigned i = 1; i <= FACTS_OF_USER; i++) {
		struct fact fact = {.entity = SLICE("user"),
				    .kind = SLICE("user"),
				    .key = arena_number(&fixture->arena, i),
				    .value = slice_of(text)};
		table_write(&transaction, TABLE_FACTS, memory_id_key(&memory, i),
			    stored_fact_fields, &fact);
	}
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

/* They lie between all else that is of their users. */
START_TEST(a_damaged_page_of_facts_costs_nobody_who_lies_behind_it)
{
	enum { USERS = 8, ALL = USERS * FACTS_OF_USER };
	struct fixture fixture;
	const char *text = "what is known of each is long enough for a page to have room for two "
			   "users or three, with all that lies between them";
	fixture_init(&fixture, MAP);
	for (unsigned i = 0; i < USERS; i++) {
		import_turns(&fixture, i, "short");
		put_facts(&fixture, i, text);
	}
	store_close(fixture.store);
	fixture.store = NULL;
	ck_assert_uint_ge(damage_each_page(&fixture, "fact", text, ALL), USERS / 4);
	fixture_reopen(&fixture);
	fixture_finish(&fixture);
}
END_TEST

/* In the file itself, wherever the first key is. */
static void replace_key(int data, struct key old, struct key other)
{
	char page[PAGE];
	for (off_t at = 0; pread(data, page, PAGE, at) == PAGE; at += PAGE) {
		char *found = memmem(page, PAGE, old.bytes, old.size);
		if (found != NULL)
			ck_assert_int_eq(pwrite(data, other.bytes, other.size, at + (found - page)),
					 (ssize_t)other.size);
	}
}

START_TEST(a_key_of_another_size_or_that_falls_is_damage)
{
	enum { TURNS = 9 };
	struct fixture fixture;
	struct fixture_turn turns[TURNS];
	char path[128];
	struct key of_user = key_of_user(fixture_key("alex"));
	fixture_init(&fixture, MAP);
	for (int i = 0; i < TURNS; i++)
		turns[i] = (struct fixture_turn){
			.role = ROLE_USER, .text = SLICE("x"), .created_at = i + 1};
	ck_assert_int_eq(fixture_import(&fixture, turns, TURNS, false), STORE_OK);
	store_close(fixture.store);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture.path);
	int data = open(path, O_RDWR | O_CLOEXEC);
	replace_key(data, key_u64(of_user, 7), key_u64(of_user, 1));
	struct count count = export_turns(fixture.path);
	ck_assert_uint_eq(count.holes, 1);
	ck_assert_uint_lt(count.records, TURNS);
	replace_key(data, key_u64(of_user, 1), key_u64(of_user, 7));
	(void)close(data);
	fixture.store = NULL;
	fixture_reopen(&fixture);
	fixture_put(&fixture, TABLE_TURNS, key_byte(key_u64(of_user, 50), 1), SLICE("\1"));
	count = export_turns(fixture.path);
	ck_assert_uint_eq(count.holes, 1);
	ck_assert_uint_eq(count.unreadable, 0);
	fixture_finish(&fixture);
}
END_TEST

static void drop_table(const char *path, enum table table)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(env, 32), 0);
	ck_assert_int_eq(mdb_env_open(env, path, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, engine_tree_name(engine_tree_of(table)), 0, &dbi), 0);
	ck_assert_int_eq(mdb_drop(txn, dbi, 1), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

START_TEST(a_store_without_one_of_its_tables_is_written_out_without_it)
{
	struct fixture fixture;
	struct dump_report before;
	struct dump_report after;
	fixture_init(&fixture, MAP);
	dump_fill(&fixture);
	store_close(fixture.store);
	fixture.store = NULL;
	FILE *file = tmpfile();
	ck_assert(store_export(
		&(struct store_options){.path = fixture.path, .master = fixture_master()},
		fileno(file), NULL, &before));
	drop_table(fixture.path, TABLE_JOBS);
	ck_assert_msg(store_export(&(struct store_options){.path = fixture.path,
							   .master = fixture_master()},
				   fileno(file), NULL, &after),
		      "%s", after.error);
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		bool is_dropped = strcmp(after.tables[i].name, "job") == 0;
		ck_assert(!is_dropped || before.tables[i].records > 0);
		ck_assert_uint_eq(after.tables[i].records,
				  is_dropped ? 0 : before.tables[i].records);
	}
	(void)fclose(file);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_dump_damage", what_damage_leaves_is_written_out_and_the_rest_is_counted,
	  each_damaged_page_is_one_hole_and_costs_little_more_than_what_lies_on_it,
	  a_damaged_page_costs_nobody_who_lies_behind_it,
	  a_damaged_page_of_facts_costs_nobody_who_lies_behind_it,
	  a_key_of_another_size_or_that_falls_is_damage,
	  a_store_without_one_of_its_tables_is_written_out_without_it)
