/* Opening a store: whose it is, how it is made, and what is refused. */
#include "storage/dump/dump.h"
#include "storage/lmdb/engine.h"
#include "storage/record/key.h"
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

/* The other process: forked while there is no thread yet, whose locks it would take along. */
static pid_t fork_second_process(int from_first)
{
	pid_t first = getpid();
	pid_t child = fork();
	if (child != 0)
		return child;
	char path[128] = "";
	char error[256];
	char expected[256];
	if (read(from_first, path, sizeof(path) - 1) <= 0)
		_exit(2);
	(void)snprintf(
		expected, sizeof(expected),
		"%s is in use by another recalld (pid %ld); one process per store: stop it or "
		"set [storage] path",
		path, (long)first);
	struct store_options options = {
		.path = path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	bool is_refused = store_open(&options, error, sizeof(error)) == NULL;
	_exit(is_refused && strcmp(error, expected) == 0 ? 0 : 1);
}

START_TEST(a_second_process_is_told_who_has_the_store)
{
	struct fixture fixture;
	int to_second[2];
	ck_assert_int_eq(pipe(to_second), 0);
	pid_t child = fork_second_process(to_second[0]);
	fixture_init(&fixture, MAP);
	ck_assert_int_gt(write(to_second[1], fixture.path, strlen(fixture.path)), 0);
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(to_second[0]);
	close(to_second[1]);
	/* The first one's store is none the worse. */
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

/* One that is killed may take a moment to be gone. */
START_TEST(a_process_that_is_just_ending_is_waited_for)
{
	struct fixture fixture;
	char path[128];
	char error[512];
	fixture_init(&fixture, MAP);
	store_close(fixture.store);
	(void)snprintf(path, sizeof(path), "%s/recalld.lock", fixture.path);
	int lock = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	pid_t ending = fork(); /* has the lock too */
	if (ending == 0) {
		(void)usleep(200 * 1000);
		_exit(0);
	}
	close(lock);
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture.store != NULL, "%s", error);
	ck_assert_int_eq(waitpid(ending, NULL, 0), ending);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_store_is_private)
{
	struct fixture fixture;
	struct stat status;
	char path[128];
	const char *const files[] = {"data.mdb", "lock.mdb", "recalld.lock"};
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture.path, files[i]);
		ck_assert_int_eq(stat(path, &status), 0);
		ck_assert_uint_eq(status.st_mode & 0777, 0600);
	}
	(void)snprintf(path, sizeof(path), "%s/deeper", fixture.path);
	char error[256];
	struct store_options options = {
		.path = path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	struct store *store = store_open(&options, error, sizeof(error));
	ck_assert_msg(store != NULL, "%s", error);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0700);
	store_close(store);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/deeper/%s", fixture.path, files[i]);
		ck_assert_int_eq(unlink(path), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/deeper", fixture.path);
	ck_assert_int_eq(rmdir(path), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_unknown_format_is_refused_with_what_to_do)
{
	struct fixture fixture;
	char error[512];
	fixture_init(&fixture, MAP);
	store_close(fixture.store);
	fixture_put_format(fixture.path, SLICE("\1\3"));
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "has format 3, this recalld reads format 5; use"));
	struct dump_report report;
	FILE *out = tmpfile();
	ck_assert(!store_export(
		&(struct store_options){.path = fixture.path, .master = fixture_master()},
		fileno(out), NULL, &report));
	ck_assert_ptr_nonnull(strstr(report.error, "it has another format; use the recallctl"));
	(void)fclose(out);
	fixture_put_format(fixture.path, SLICE("\1\5"));
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	/* Others wrote it: its users are counted anew. */
	ck_assert(!store_is_counted(fixture.store));
	fixture.is_damaged = true;
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_a_stopped_first_start_has_left_is_made_anew)
{
	struct fixture fixture;
	char error[1024];
	fixture_init(&fixture, MAP);
	store_close(fixture.store);
	fixture_put_file(&fixture, "data.mdb"); /* cut off to nothing */
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "data.mdb is empty"));
	fixture_put_file(&fixture, "making");
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture.store != NULL, "%s", error);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	store_close(fixture.store);
	/* It is whole now, and so never put aside again. */
	fixture_put_file(&fixture, "data.mdb");
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	fixture_put_file(&fixture, "making");
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(nothing_is_put_into_a_store_whose_mark_cannot_be_taken_away)
{
	struct fixture fixture;
	char error[1024] = "";
	char mark[512];
	fixture_init(&fixture, MAP);
	store_close(fixture.store);
	(void)snprintf(mark, sizeof(mark), "%s/making", fixture.path);
	ck_assert_int_eq(mkdir(mark, 0700), 0);
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "cannot remove the file \"making\""));
	ck_assert_int_eq(rmdir(mark), 0);
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_folder_is_made_with_those_above_it)
{
	char error[256] = "";
	char top[UNIT_PATH];
	unit_folder(top);
	struct fixture fixture = {.map_size = MAP};
	(void)snprintf(fixture.path, sizeof(fixture.path), "%.54s/deep/er", top);
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	fixture_loop_init(&fixture.loop);
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture.store != NULL, "%s", error);
	fixture_finish(&fixture);
	*strrchr(fixture.path, '/') = '\0';
	ck_assert_int_eq(rmdir(fixture.path), 0);
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_named)
{
	char error[256];
	struct store_options options = {.path = "/dev/null/store",
					.map_size = MAP,
					.receipts = 10,
					.master = fixture_master()};
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "/dev/null/store"));
	options.path = "/dev/null";
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "not a directory"));
}
END_TEST

START_TEST(what_keeps_a_folder_above_from_being_made_is_told)
{
	enum { NOBODY = 65534 };
	char error[256] = "";
	char path[UNIT_PATH + 16];
	char top[UNIT_PATH];
	unit_folder(top);
	ck_assert_int_eq(chmod(top, 0555), 0);
	(void)snprintf(path, sizeof(path), "%s/deep/er", top);
	bool is_root = geteuid() == 0;
	if (is_root)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	struct store_options options = {
		.path = path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_ptr_nonnull(strstr(error, "Permission denied"));
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

/* The next test is about the cache of a disk, so this program's stores are on one. */
__attribute__((constructor)) static void go_to_disk(void)
{
	(void)setenv("TMPDIR", "/var/tmp", 1);
}

/* Of the pages behind the last one that is used, how many stand in the system's cache. */
static size_t count_cached(const struct fixture *fixture, size_t wanted)
{
	char path[128];
	MDB_envinfo info;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *is_cached = xcalloc(wanted, 1);
	size_t cached = 0;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	mdb_env_info(fixture->store->env, &info);
	off_t behind = (off_t)((info.me_last_pgno + 1) * page);
	void *map = mmap(NULL, wanted * page, PROT_READ, MAP_SHARED, file, behind);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mincore(map, wanted * page, is_cached), 0);
	for (size_t i = 0; i < wanted; i++)
		cached += is_cached[i] & 1;
	(void)munmap(map, wanted * page);
	(void)close(file);
	free(is_cached);
	return cached;
}

START_TEST(the_pages_that_are_written_next_are_in_the_cache)
{
	enum { WANTED = 64, EXCHANGES = 40 };
	struct fixture fixture;
	char text[50000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_init(&fixture, MAP);
	if (fixture.store->reserved == 0) { /* the file system knows no fallocate */
		fixture_finish(&fixture);
		return;
	}
	/* The system may take a page out of its cache again. */
	ck_assert_uint_gt(count_cached(&fixture, WANTED), WANTED / 2);
	for (int i = 0; i < EXCHANGES; i++) {
		struct append append = fixture_exchange(text, text, i);
		append.ordinal = (uint32_t)i;
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		/* The writer reads after it has said that it wrote. */
		for (int tries = 0; tries < 500 && count_cached(&fixture, WANTED) <= WANTED / 2;
		     tries++)
			(void)usleep(10000);
		ck_assert_uint_gt(count_cached(&fixture, WANTED), WANTED / 2);
	}
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_open", a_second_process_is_told_who_has_the_store,
	  a_process_that_is_just_ending_is_waited_for, the_store_is_private,
	  an_unknown_format_is_refused_with_what_to_do,
	  what_a_stopped_first_start_has_left_is_made_anew,
	  nothing_is_put_into_a_store_whose_mark_cannot_be_taken_away,
	  a_folder_is_made_with_those_above_it, a_folder_that_cannot_be_is_named,
	  what_keeps_a_folder_above_from_being_made_is_told,
	  the_pages_that_are_written_next_are_in_the_cache)
