/* Whether a store's directory could be opened now, asked without changing anything in it. */
#include "storage/lmdb/folder.h"
#include "tests/unit/measured_exit.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { MAP = 64 * 1024 * 1024, NOBODY = 65534 };

/* `says`: what it must tell; NULL: it is fine. */
static void assert_look(const char *path, enum store_look expected, const char *says)
{
	char why[512] = "";
	enum store_look look = store_look(path, why, sizeof(why));
	ck_assert_msg(look == expected, "%s: %d: %s", path, (int)look, why);
	if (says == NULL)
		ck_assert_str_eq(why, "");
	else
		ck_assert_msg(strstr(why, says) != NULL, "%s", why);
}

/* As a user whom permissions bind. */
static void assert_look_of_nobody(const char *path, enum store_look expected, const char *says)
{
	bool is_root = geteuid() == 0;
	if (is_root)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	assert_look(path, expected, says);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
}

static const char *inside(const struct fixture *fixture, const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	return path;
}

/* A store that nobody has open. */
static void init_closed(struct fixture *fixture)
{
	fixture_init(fixture, MAP);
	store_close(fixture->store);
	fixture->store = NULL;
}

/* The folder becomes a store again, whatever was done to it. */
static void finish_closed(struct fixture *fixture)
{
	(void)unlink(inside(fixture, "data.mdb"));
	(void)unlink(inside(fixture, "rebuilding"));
	char error[512] = "";
	struct store_options options = {
		.path = fixture->path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	fixture->store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture->store != NULL, "%s", error);
	fixture_finish(fixture);
}

START_TEST(a_store_that_nobody_has_open_is_fine)
{
	struct fixture fixture;
	struct stat before;
	struct stat after;
	init_closed(&fixture);
	ck_assert_int_eq(stat(inside(&fixture, "data.mdb"), &before), 0);
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	ck_assert_int_eq(stat(inside(&fixture, "data.mdb"), &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	ck_assert_int_eq(before.st_size, after.st_size);
	/* Nor is the lock's file made where there is none. */
	ck_assert_int_eq(unlink(inside(&fixture, "recalld.lock")), 0);
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	ck_assert_int_ne(access(inside(&fixture, "recalld.lock"), F_OK), 0);
	finish_closed(&fixture);
}
END_TEST

START_TEST(one_that_can_be_made_is_fine_and_not_made)
{
	char path[UNIT_PATH + 16];
	char top[UNIT_PATH];
	unit_folder(top);
	assert_look(top, STORE_LOOK_FINE, NULL);
	(void)snprintf(path, sizeof(path), "%s/deep/er", top);
	assert_look(path, STORE_LOOK_FINE, NULL);
	char *before = getcwd(NULL, 0);
	ck_assert_int_eq(chdir(top), 0);
	assert_look("deep", STORE_LOOK_FINE, NULL);
	assert_look("deep/er", STORE_LOOK_FINE, NULL);
	ck_assert_int_eq(chdir(before), 0);
	free(before);
	ck_assert_int_eq(rmdir(top), 0); /* it is empty */
}
END_TEST

START_TEST(where_this_user_may_not_write_is_told)
{
	char path[UNIT_PATH + 16];
	char why[256] = "";
	char top[UNIT_PATH];
	unit_folder(top);
	(void)snprintf(path, sizeof(path), "%s/deep/er", top);
	ck_assert_int_eq(chmod(top, 0555), 0);
	assert_look_of_nobody(top, STORE_LOOK_DENIED, "cannot write in");
	assert_look_of_nobody(path, STORE_LOOK_DENIED, "Permission denied");
	ck_assert_int_eq(chmod(top, 0), 0);
	assert_look_of_nobody(path, STORE_LOOK_DENIED, "Permission denied");
	ck_assert_int_eq(rmdir(top), 0);
	/* Or the disk may not be written to by anybody. */
	bool is_root = geteuid() == 0;
	if (is_root)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	ck_assert_int_ne(store_look("/recalld-none", why, sizeof(why)), STORE_LOOK_FINE);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_msg(strstr(why, "cannot write in /: ") != NULL, "%s", why);
}
END_TEST

START_TEST(another_users_lock_is_no_fault_of_the_stores)
{
	if (geteuid() != 0)
		return; /* only root can make one */
	struct fixture fixture;
	init_closed(&fixture);
	ck_assert_int_eq(chmod(fixture.path, 0777), 0);
	assert_look_of_nobody(fixture.path, STORE_LOOK_DENIED, "Permission denied");
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	/* The file itself may be another's, too. */
	ck_assert_int_eq(unlink(inside(&fixture, "recalld.lock")), 0);
	assert_look_of_nobody(fixture.path, STORE_LOOK_UNUSABLE, "this user may not read data.mdb");
	finish_closed(&fixture);
}
END_TEST

START_TEST(what_is_no_directory_is_unusable)
{
	struct fixture fixture;
	init_closed(&fixture);
	assert_look(inside(&fixture, "data.mdb"), STORE_LOOK_UNUSABLE, "is not a directory");
	assert_look(inside(&fixture, "data.mdb/store"), STORE_LOOK_UNUSABLE, "Not a directory");
	ck_assert_int_eq(unlink(inside(&fixture, "recalld.lock")), 0);
	ck_assert_int_eq(mkdir(inside(&fixture, "recalld.lock"), 0700), 0);
	assert_look(fixture.path, STORE_LOOK_UNUSABLE, "Is a directory");
	ck_assert_int_eq(rmdir(inside(&fixture, "recalld.lock")), 0);
	finish_closed(&fixture);
}
END_TEST

START_TEST(who_has_it_open_is_named)
{
	struct fixture fixture;
	char says[128];
	fixture_init(&fixture, MAP);
	(void)snprintf(says, sizeof(says), "%s is in use by another recalld (pid %ld)",
		       fixture.path, (long)getpid());
	assert_look(fixture.path, STORE_LOOK_HELD, says);
	store_close(fixture.store);
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	/* A lock's file is empty just before its owner has written who it is. */
	int lock = open(inside(&fixture, "recalld.lock"), O_RDWR | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	assert_look(fixture.path, STORE_LOOK_HELD, "(pid unknown)");
	close(lock);
	finish_closed(&fixture);
}
END_TEST

START_TEST(half_a_store_is_unusable_and_one_being_made_is_fine)
{
	struct fixture fixture;
	init_closed(&fixture);
	ck_assert(store_marker_put(fixture.path, STORE_MARKER_REBUILDING));
	assert_look(fixture.path, STORE_LOOK_UNUSABLE, "holds an incomplete store");
	ck_assert(store_marker_remove(fixture.path, STORE_MARKER_REBUILDING));
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	fixture_put_file(&fixture, "data.mdb");
	assert_look(fixture.path, STORE_LOOK_UNUSABLE, "cannot be read: data.mdb is empty");
	ck_assert(store_marker_put(fixture.path, STORE_MARKER_MAKING));
	assert_look(fixture.path, STORE_LOOK_FINE, NULL);
	finish_closed(&fixture);
}
END_TEST

START_TEST(what_cannot_be_read_is_unusable)
{
	struct fixture fixture;
	init_closed(&fixture);
	ck_assert_int_eq(truncate(inside(&fixture, "data.mdb"), 2 * sysconf(_SC_PAGESIZE)), 0);
	assert_look(fixture.path, STORE_LOOK_UNUSABLE, "data.mdb is truncated");
	FILE *file = fopen(inside(&fixture, "data.mdb"), "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 10000; i++)
		(void)fputc('x', file);
	ck_assert_int_eq(fclose(file), 0);
	assert_look(fixture.path, STORE_LOOK_UNUSABLE, "does not begin like a store");
	finish_closed(&fixture);
}
END_TEST

UNIT_MAIN("store_look", a_store_that_nobody_has_open_is_fine,
	  one_that_can_be_made_is_fine_and_not_made, where_this_user_may_not_write_is_told,
	  another_users_lock_is_no_fault_of_the_stores, what_is_no_directory_is_unusable,
	  who_has_it_open_is_named, half_a_store_is_unusable_and_one_being_made_is_fine,
	  what_cannot_be_read_is_unusable)
