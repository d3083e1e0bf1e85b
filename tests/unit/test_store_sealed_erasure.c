/* Tests what an erasure leaves in an encrypted store and in its copies: nothing that can be
 * read. */
#include "core/memory/user.h"
#include "storage/deletions.h"
#include "storage/lmdb/engine.h"
#include "storage/lmdb/writer.h"
#include "tests/unit/sealed_fixture.h"

#include <stdlib.h>
#include <time.h>

START_TEST(an_old_copy_of_the_file_is_worthless_once_the_user_is_erased)
{
	struct fixture fixture;
	size_t size;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 2);
	char *copy = sealed_read_file(&fixture, "data.mdb", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 1); /* at once */
	ck_assert(store_erases_by_keys(fixture.store));
	ck_assert(!fixture_view(&fixture, "").known);
	store_close(fixture.store);
	sealed_write_file(&fixture, "data.mdb", copy, size);
	char error[512];
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	struct user_memory read;
	ck_assert_int_ne(
		store_read_user(fixture.store, fixture_key("alex"), 10, 0, &read, &fixture.arena),
		STORE_OK);
	ck_assert_int_eq(
		store_read_user(fixture.store, fixture_key("ben"), 10, 0, &read, &fixture.arena),
		STORE_OK);
	unit_assert_slice(read.turns[0].text, "Bergamot is my town too");
	free(copy);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_who_comes_back_gets_other_keys)
{
	struct fixture fixture;
	struct fixture_wait waits[3] = {{0}};
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	/* The three wait together, and are written in one batch or more. */
	struct append append = fixture_exchange("I am back", "hello", 9000);
	(void)store_forget(fixture.store, fixture_key("alex"), 0, NULL,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
	append.user = SLICE("ben");
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[2]});
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[i]), STORE_OK);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 2);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 2);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(keys_that_a_crash_left_are_erased_at_the_next_start)
{
	struct fixture fixture;
	size_t size;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	char *keys = sealed_read_file(&fixture, "keys", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	store_close(fixture.store);
	sealed_write_file(&fixture, "keys", keys, size);
	sealed_write_file(&fixture, "recalld.lock", "1\n", 2); /* as a killed process leaves it */
	ck_assert_uint_eq(sealed_count_keys(&fixture), 2);
	char error[512];
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 1);
	free(keys);
	fixture_finish(&fixture);
}
END_TEST

/* Puts a file of the store, which is closed, back as it was, frees it and opens the store. */
static void put_back(struct fixture *fixture, const char *name, char *bytes, size_t size)
{
	char error[512];
	sealed_write_file(fixture, name, bytes, size);
	free(bytes);
	fixture->store = sealed_open(fixture, fixture_master(), error);
	ck_assert_msg(fixture->store != NULL, "%s", error);
}

/* As it is once a copy was put back that was made before these users came. */
static void lose(struct fixture *fixture, const char *const *users, size_t count)
{
	size_t size;
	sealed_begin(fixture);
	sealed_say(fixture, "ben", "Bergamot is my town too", 1);
	char *keys = sealed_read_file(fixture, "keys", &size);
	for (size_t i = 0; i < count; i++)
		sealed_say(fixture, users[i], "Bergamot is my town", 2 + i);
	ck_assert_uint_eq(store_lost(fixture->store).users, 0);
	store_close(fixture->store);
	put_back(fixture, "keys", keys, size);
}

static void lose_alex(struct fixture *fixture)
{
	static const char *const users[] = {"alex"};
	lose(fixture, users, 1);
}

START_TEST(a_user_whose_key_was_lost_is_told_of_and_can_be_deleted)
{
	struct fixture fixture;
	struct user_memory read;
	lose_alex(&fixture);
	const struct user_key alex = fixture_key("alex");
	ck_assert(store_has_lost(fixture.store, alex));
	ck_assert(!store_has_lost(fixture.store, fixture_key("ben")));
	ck_assert(!store_has_lost(fixture.store, fixture_key("nobody")));
	struct store_lost lost = store_lost(fixture.store);
	ck_assert_uint_eq(lost.users, 1);
	ck_assert_uint_eq(lost.first_count, 1);
	ck_assert_mem_eq(lost.first[0].bytes, alex.bytes, sizeof(alex.bytes));
	ck_assert_int_eq(store_read_user(fixture.store, alex, 10, 0, &read, &fixture.arena),
			 STORE_FAILED);
	ck_assert_int_eq(
		store_read_user(fixture.store, fixture_key("ben"), 10, 0, &read, &fixture.arena),
		STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert(!store_has_lost(fixture.store, alex));
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_NOT_FOUND);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	sealed_say(&fixture, "alex", "Quillon is my town now", 3);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert_int_eq(store_read_user(fixture.store, alex, 10, 0, &read, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(read.turn_count, 2);
	unit_assert_slice(read.turns[0].text, "Quillon is my town now");
	fixture_finish(&fixture);
}
END_TEST

/* The copy that was put back holds the key that the user had before. */
START_TEST(a_user_who_came_back_and_whose_older_key_is_put_back_has_none)
{
	struct fixture fixture;
	struct user_memory read;
	size_t size;
	const struct user_key alex = fixture_key("alex");
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	char *keys = sealed_read_file(&fixture, "keys", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	sealed_say(&fixture, "alex", "Quillon is my town now", 3);
	store_close(fixture.store);
	put_back(&fixture, "keys", keys, size);
	struct store_lost lost = store_lost(fixture.store);
	ck_assert_uint_eq(lost.users, 1);
	ck_assert_mem_eq(lost.first[0].bytes, alex.bytes, sizeof(alex.bytes));
	ck_assert(store_has_lost(fixture.store, alex));
	ck_assert(!store_has_lost(fixture.store, fixture_key("ben")));
	struct fixture_wait wait = {0};
	struct append append = fixture_exchange("Am I back?", "yes", 9000);
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_FAILED);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	sealed_say(&fixture, "alex", "Bergamot is my town again", 4);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert_int_eq(store_read_user(fixture.store, alex, 10, 0, &read, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(read.turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_damaged_record_is_no_lost_key)
{
	struct fixture fixture;
	char error[512];
	struct user_settings settings = settings_default();
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	ck_assert_uint_gt(fixture_spoil(&fixture, TABLE_USERS, SLICE("\7not ours")), 0);
	store_close(fixture.store);
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert(!store_has_lost(fixture.store, fixture_key("alex")));
	settings.learn = false;
	sealed_put_settings(&fixture, &settings);
	fixture_finish(&fixture);
}
END_TEST

/* Changes one byte of the sealed record of each user, as a disk may. */
static void flip_users(struct fixture *fixture)
{
	struct transaction transaction;
	struct scan scan;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	scan_begin(&scan, &transaction, TABLE_USERS, key_empty(), FORWARD);
	scan.opens_none = true;
	ck_assert(scan_step(&scan));
	char sealed[512];
	const size_t record = scan.value.size;
	ck_assert_uint_le(record, sizeof(sealed));
	memcpy(sealed, scan.value.data, record);
	scan_end(&scan);
	transaction_abort(&transaction);
	store_close(fixture->store);
	size_t size;
	char *file = sealed_read_file(fixture, "data.mdb", &size);
	size_t flipped = 0;
	for (char *at = file; (at = memmem(at, size - (size_t)(at - file), sealed, record)) != NULL;
	     flipped++)
		at[record - 1] ^= 1;
	ck_assert_uint_gt(flipped, 0);
	sealed_write_file(fixture, "data.mdb", file, size);
	free(file);
}

START_TEST(a_record_that_the_disk_damaged_is_no_lost_key)
{
	struct fixture fixture;
	char error[512];
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	/* Somebody's erasure that the damaged store does not know. */
	sealed_say(&fixture, "zoe", "Quillon is my town", 5);
	size_t size;
	flip_users(&fixture);
	char *copy = sealed_read_file(&fixture, "data.mdb", &size);
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert_int_eq(fixture_forget(&fixture, "zoe"), STORE_OK);
	store_close(fixture.store);
	sealed_write_file(&fixture, "data.mdb", copy, size);
	free(copy);
	const size_t keys = sealed_count_keys(&fixture);
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert_int_eq(fixture_forget(&fixture, "nobody"), STORE_NOT_FOUND);
	ck_assert_uint_eq(sealed_count_keys(&fixture), keys);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_was_erased_and_came_back_is_erased_from_an_older_store)
{
	struct fixture fixture;
	size_t size;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	char *copy = sealed_read_file(&fixture, "data.mdb", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	sealed_say(&fixture, "alex", "Quillon is my town now", 3);
	store_close(fixture.store);
	put_back(&fixture, "data.mdb", copy, size);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	/* Behind the deletion that goes on. */
	ck_assert_int_eq(fixture_forget(&fixture, "nobody"), STORE_NOT_FOUND);
	ck_assert(!store_has_lost(fixture.store, fixture_key("alex")));
	sealed_say(&fixture, "alex", "Bergamot is my town again", 4);
	fixture_finish(&fixture);
}
END_TEST

struct together {
	struct fixture *fixture;
	struct fixture_wait waits[2];
};

/* On the writer's thread, so that its next batch has both. */
static void forget_alex_and_fail(void *cookie)
{
	struct together *together = cookie;
	struct fixture *fixture = together->fixture;
	struct append append = fixture_exchange("I am back", "hello", 9000);
	append.user = SLICE("cara");
	(void)store_forget(
		fixture->store, fixture_key("alex"), 0, NULL,
		(struct store_waiter){&fixture->loop.loop, fixture_done, &together->waits[0]});
	(void)store_append(
		fixture->store, &append,
		(struct store_waiter){&fixture->loop.loop, fixture_done, &together->waits[1]});
}

START_TEST(a_deletion_that_is_written_again_counts_once)
{
	static const char *const users[] = {"alex", "cara"};
	struct fixture fixture;
	struct together together = {.fixture = &fixture};
	lose(&fixture, users, 2);
	ck_assert_uint_eq(store_lost(fixture.store).users, 2);
	writer_run_between(fixture.store->writer, forget_alex_and_fail, &together);
	ck_assert_int_eq(fixture_await(&fixture.loop, &together.waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &together.waits[1]), STORE_FAILED);
	ck_assert_uint_eq(store_lost(fixture.store).users, 1);
	ck_assert_int_eq(fixture_forget(&fixture, "cara"), STORE_OK);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	fixture_finish(&fixture);
}
END_TEST

static int64_t oldest_of(struct fixture *fixture, const char *user)
{
	struct fixture_wait wait = {0};
	struct deletion_report report;
	(void)store_forget(fixture->store, fixture_key(user), 5000, &report,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	(void)fixture_await(&fixture->loop, &wait);
	return report.oldest;
}

START_TEST(an_export_of_keys_may_hold_those_that_were_lost)
{
	struct fixture fixture;
	lose_alex(&fixture);
	ck_assert_int_eq(oldest_of(&fixture, "alex"), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_was_erased_stays_so_though_an_older_store_comes_back_without_the_keys)
{
	struct fixture fixture;
	size_t size;
	char error[512];
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	char *copy = sealed_read_file(&fixture, "data.mdb", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	store_close(fixture.store);
	sealed_write_file(&fixture, "data.mdb", copy, size);
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_uint_eq(store_lost(fixture.store).users, 0);
	ck_assert_int_eq(fixture_forget(&fixture, "nobody"), STORE_NOT_FOUND); /* after it */
	ck_assert(!fixture_view(&fixture, "").known);
	free(copy);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_opt_out_outlives_the_users_keys_without_its_words)
{
	struct fixture fixture;
	struct user_settings settings = settings_default();
	struct user_settings read;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	settings.learn = false;
	settings.note = SLICE("asked by Bergamot's letter");
	sealed_put_settings(&fixture, &settings);
	ck_assert(!sealed_shows_anything(&fixture));
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 1);
	fixture_reopen(&fixture);
	ck_assert_int_eq(store_settings(fixture.store, fixture_key("alex"), &read, &fixture.arena),
			 STORE_OK);
	ck_assert(read.is_stored && !read.learn);
	ck_assert_uint_eq(read.note.size, 0);
	/* With words again, they need keys again, and keep them when only the memory ends. */
	sealed_put_settings(&fixture, &settings);
	ck_assert_uint_eq(sealed_count_keys(&fixture), 2);
	fixture_reopen(&fixture);
	ck_assert_int_eq(store_settings(fixture.store, fixture_key("alex"), &read, &fixture.arena),
			 STORE_OK);
	unit_assert_slice(read.note, "asked by Bergamot's letter");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_report_says_since_when_exported_keys_may_open_what_it_tells_of)
{
	const int64_t begun = (int64_t)time(NULL) * 1000;
	const int64_t later = begun + 1000000;
	struct fixture fixture;
	struct append append = fixture_exchange("I was born in Bergamot", "So was I", later);
	sealed_begin(&fixture);
	sealed_say(&fixture, "alex", "I was born in Bergamot", 5); /* before there were keys */
	ck_assert_int_lt(oldest_of(&fixture, "alex"), begun);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	const int64_t keyed = oldest_of(&fixture, "alex"); /* had keys first */
	ck_assert_int_ge(keyed, begun);
	ck_assert_int_lt(keyed, later);
	ck_assert_int_eq(oldest_of(&fixture, "nobody"), INT64_MAX);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_sealed_erasure", an_old_copy_of_the_file_is_worthless_once_the_user_is_erased,
	  a_user_who_comes_back_gets_other_keys,
	  keys_that_a_crash_left_are_erased_at_the_next_start,
	  a_user_whose_key_was_lost_is_told_of_and_can_be_deleted,
	  a_user_who_came_back_and_whose_older_key_is_put_back_has_none,
	  a_damaged_record_is_no_lost_key, a_record_that_the_disk_damaged_is_no_lost_key,
	  who_was_erased_and_came_back_is_erased_from_an_older_store,
	  a_deletion_that_is_written_again_counts_once,
	  an_export_of_keys_may_hold_those_that_were_lost,
	  who_was_erased_stays_so_though_an_older_store_comes_back_without_the_keys,
	  an_opt_out_outlives_the_users_keys_without_its_words,
	  a_report_says_since_when_exported_keys_may_open_what_it_tells_of)
