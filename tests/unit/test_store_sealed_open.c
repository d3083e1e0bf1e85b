/* With which keys an encrypted store opens, and how one is made of a store in the clear. */
#include "tests/unit/sealed_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(without_its_key_a_store_is_refused_and_stays_as_it_is)
{
	struct fixture fixture;
	char error[512];
	char path[128];
	char kept[128];
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	struct buffer before = sealed_picture(&fixture);
	store_close(fixture.store);
	ck_assert_ptr_null(sealed_open(&fixture, NULL, error));
	ck_assert_ptr_nonnull(strstr(error, "encrypt = on"));
	ck_assert_ptr_null(sealed_open(&fixture, sealed_wrong_key, error));
	ck_assert_ptr_nonnull(strstr(error, "another key"));
	sealed_path(&fixture, "keys", path);
	sealed_path(&fixture, "kept", kept);
	ck_assert_int_eq(rename(path, kept), 0);
	ck_assert_ptr_null(sealed_open(&fixture, fixture_master(), error));
	ck_assert_ptr_nonnull(strstr(error, "missing"));
	ck_assert_int_ne(access(path, F_OK), 0); /* none is made in its place */
	ck_assert_int_eq(rename(kept, path), 0);
	fixture.store = sealed_open(&fixture, fixture_master(), error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	sealed_assert_picture(&fixture, &before);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(another_key_takes_the_place_of_the_first)
{
	struct fixture fixture;
	char error[512];
	size_t users = 0;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	struct buffer before = sealed_picture(&fixture);
	const struct store_options options = {.path = fixture.path, .master = fixture_master()};
	ck_assert(!store_rotate_key(&options, sealed_wrong_key, &users, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "in use"));
	store_close(fixture.store);
	ck_assert(store_rotate_key(&options, sealed_wrong_key, &users, error, sizeof(error)));
	ck_assert_uint_eq(users, 2);
	ck_assert(!store_rotate_key(&options, sealed_wrong_key, &users, error, sizeof(error)));
	ck_assert_ptr_null(sealed_open(&fixture, fixture_master(), error));
	fixture.store = sealed_open(&fixture, sealed_wrong_key, error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_int_gt(store_key_made(fixture.store), 0);
	sealed_assert_picture(&fixture, &before);
	fixture_finish(&fixture);
	const struct store_options none = {.path = "/tmp/recalld-no-store"};
	ck_assert(!store_rotate_key(&none, sealed_wrong_key, &users, error, sizeof(error)));
}
END_TEST

/* ---- how it is made of one in the clear ---- */

static double last_share;

static void note_share(void *cookie, double share)
{
	(void)cookie;
	last_share = share;
}

START_TEST(a_store_in_the_clear_is_encrypted_when_it_is_opened)
{
	struct fixture fixture;
	char error[512];
	char path[128];
	sealed_begin_clear(&fixture);
	sealed_fill(&fixture);
	sealed_fill_postings(&fixture);
	struct buffer before = sealed_picture(&fixture);
	store_close(fixture.store);
	/* The files of an interrupted attempt. */
	sealed_path(&fixture, "converting", path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	sealed_write_file(&fixture, "converting/data.mdb", "half", 4);
	sealed_write_file(&fixture, "converting/keys", "half", 4);
	sealed_write_file(&fixture, "keys", "moved, but not the data", 23);
	(void)setenv("ENCRYPTED", "1", 1);
	const struct store_options options = {.path = fixture.path,
					      .map_size = MAP,
					      .receipts = 100,
					      .converting = {note_share, NULL},
					      .master = fixture_master()};
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert(store_converted(fixture.store).encrypts);
	ck_assert_double_gt(last_share, 0);
	sealed_assert_picture(&fixture, &before);
	ck_assert(!sealed_shows_anything(&fixture));
	ck_assert_int_ne(access(path, F_OK), 0);
	sealed_path(&fixture, "data.mdb.format-5", path);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_uint_ge(sealed_recall(&fixture, "who is Quillon?").count, 1);
	before = sealed_picture(&fixture);
	fixture_reopen(&fixture); /* and not again */
	ck_assert(!store_converted(fixture.store).encrypts);
	sealed_assert_picture(&fixture, &before);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_store_that_cannot_be_copied_stays_in_the_clear)
{
	struct fixture fixture;
	char error[512];
	char path[128];
	sealed_begin_clear(&fixture);
	sealed_fill(&fixture);
	struct buffer before = sealed_picture(&fixture);
	store_close(fixture.store);
	sealed_write_file(&fixture, "converting", "is in the way", 13);
	ck_assert_ptr_null(sealed_open(&fixture, sealed_wrong_key, error));
	sealed_path(&fixture, "converting", path);
	(void)unlink(path);
	fixture.store = sealed_open(&fixture, NULL, error);
	ck_assert_msg(fixture.store != NULL, "%s", error);
	sealed_assert_picture(&fixture, &before);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_sealed_open", without_its_key_a_store_is_refused_and_stays_as_it_is,
	  another_key_takes_the_place_of_the_first,
	  a_store_in_the_clear_is_encrypted_when_it_is_opened,
	  a_store_that_cannot_be_copied_stays_in_the_clear)
