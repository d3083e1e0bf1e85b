#include "storage/files/erasures.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The list of erasures, without a store. */

static char folder[UNIT_PATH];
static char file[96];

static void begin(void)
{
	unit_folder(folder);
	(void)snprintf(file, sizeof(file), "%s/" ERASURES_FILE, folder);
}

static void end(void)
{
	(void)unlink(file);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct user_key user(unsigned char name)
{
	return (struct user_key){{name}};
}

static struct fact city(const char *value, int64_t observed_at)
{
	return (struct fact){.entity = SLICE("user"),
			     .key = SLICE("city"),
			     .value = slice_of(value),
			     .observed_at = observed_at};
}

static off_t size_of_file(void)
{
	struct stat status;
	return stat(file, &status) == 0 ? status.st_size : -1;
}

START_TEST(an_empty_list_holds_nothing_and_has_no_file)
{
	const struct fact bonn = city("Bonn", 5);
	begin();
	struct erasures *list = erasures_open(folder, 0);
	ck_assert(!erasures_hold_user(list, user(1), 5));
	ck_assert(!erasures_hold_turn(list, user(1), 7, 5));
	ck_assert(!erasures_hold_fact(list, user(1), &bonn));
	ck_assert(erasures_sync(list));
	ck_assert_uint_eq(erasures_total(list), 0);
	ck_assert_int_eq(size_of_file(), -1);
	erasures_close(list);
	erasures_close(NULL);
	end();
}
END_TEST

START_TEST(what_was_said_before_an_erasure_is_held_also_after_a_restart)
{
	const struct fact bonn = city("Bonn", 5), late = city("Bonn", 11), oslo = city("Oslo", 5);
	begin();
	struct erasures *list = erasures_open(folder, 0);
	erasures_add_user(list, user(1), 10);
	erasures_add_turn(list, user(2), 7, 10);
	erasures_add_turn(list, user(2), 0, 10); /* no hash, no entry */
	erasures_add_fact(list, user(2), &bonn, 10);
	ck_assert(erasures_sync(list));
	for (int i = 0; i < 2; i++) {
		ck_assert(erasures_hold_user(list, user(1), 10));
		ck_assert(!erasures_hold_user(list, user(1), 11));
		ck_assert(!erasures_hold_user(list, user(2), 5));
		ck_assert(erasures_hold_turn(list, user(1), 99, 5)); /* all of the user's */
		ck_assert(erasures_hold_turn(list, user(2), 7, 10));
		ck_assert(!erasures_hold_turn(list, user(2), 7, 11));
		ck_assert(!erasures_hold_turn(list, user(2), 8, 5));
		ck_assert(!erasures_hold_turn(list, user(2), 0, 5));
		ck_assert(erasures_hold_fact(list, user(2), &bonn));
		ck_assert(!erasures_hold_fact(list, user(2), &late));
		ck_assert(!erasures_hold_fact(list, user(2), &oslo));
		ck_assert(!erasures_hold_fact(list, user(3), &bonn));
		ck_assert_uint_eq(erasures_total(list), 4);
		erasures_close(list);
		list = erasures_open(folder, 0);
	}
	erasures_close(list);
	end();
}
END_TEST

START_TEST(many_erasures_are_held_and_the_latest_counts)
{
	enum { COUNT = 500 };
	begin();
	struct erasures *list = erasures_open(folder, 0);
	for (uint64_t i = 1; i <= COUNT; i++)
		erasures_add_turn(list, user(1), i, 10);
	erasures_add_turn(list, user(1), 1, 20);
	erasures_add_turn(list, user(1), 2, 5);
	ck_assert(erasures_sync(list));
	erasures_close(list);
	list = erasures_open(folder, 0);
	for (uint64_t i = 1; i <= COUNT; i++)
		ck_assert(erasures_hold_turn(list, user(1), i, 10));
	ck_assert(!erasures_hold_turn(list, user(1), COUNT + 1, 10));
	ck_assert(erasures_hold_turn(list, user(1), 1, 20));
	ck_assert(!erasures_hold_turn(list, user(1), 2, 11));
	ck_assert_uint_eq(erasures_total(list), COUNT + 2);
	erasures_close(list);
	end();
}
END_TEST

START_TEST(old_entries_leave_the_file)
{
	begin();
	struct erasures *list = erasures_open(folder, 0);
	erasures_add_turn(list, user(1), 1, 10);
	erasures_add_turn(list, user(1), 2, 20);
	ck_assert(erasures_sync(list));
	const off_t before = size_of_file();
	erasures_close(list);
	list = erasures_open(folder, 15);
	ck_assert_int_lt(size_of_file(), before);
	ck_assert(!erasures_hold_turn(list, user(1), 1, 5));
	ck_assert(erasures_hold_turn(list, user(1), 2, 5));
	ck_assert_uint_eq(erasures_total(list), 2);
	erasures_add_turn(list, user(1), 3, 30);
	ck_assert(erasures_sync(list));
	erasures_close(list);
	list = erasures_open(folder, 15);
	ck_assert(erasures_hold_turn(list, user(1), 2, 5));
	ck_assert(erasures_hold_turn(list, user(1), 3, 5));
	ck_assert_uint_eq(erasures_total(list), 3);
	erasures_close(list);
	end();
}
END_TEST

START_TEST(an_entry_that_a_crash_cut_off_is_overwritten)
{
	begin();
	struct erasures *list = erasures_open(folder, 0);
	erasures_add_turn(list, user(1), 1, 10);
	erasures_add_turn(list, user(1), 2, 10);
	ck_assert(erasures_sync(list));
	erasures_close(list);
	ck_assert_int_eq(truncate(file, size_of_file() - 1), 0);
	list = erasures_open(folder, 0);
	ck_assert(erasures_hold_turn(list, user(1), 1, 10));
	ck_assert(!erasures_hold_turn(list, user(1), 2, 10));
	erasures_add_turn(list, user(1), 3, 10);
	ck_assert(erasures_sync(list));
	erasures_close(list);
	list = erasures_open(folder, 0);
	ck_assert(erasures_hold_turn(list, user(1), 3, 10));
	ck_assert_uint_eq(erasures_total(list), 2);
	erasures_close(list);
	end();
}
END_TEST

START_TEST(a_file_that_is_not_ours_stays_as_it_is)
{
	static const char text[] = "This is a file of somebody else's, which is long enough.....";
	for (int i = 0; i < 2; i++) {
		begin();
		FILE *out = fopen(file, "w");
		ck_assert_ptr_nonnull(out);
		(void)fputs(i == 0 ? text : "short", out);
		(void)fclose(out);
		const off_t before = size_of_file();
		struct erasures *list = erasures_open(folder, 0);
		erasures_add_user(list, user(1), 10);
		ck_assert(!erasures_sync(list));
		ck_assert(erasures_hold_user(list, user(1), 10)); /* until the end of the process */
		ck_assert_int_eq(size_of_file(), before);
		erasures_close(list);
		end();
	}
}
END_TEST

START_TEST(a_folder_that_is_gone_is_reported)
{
	begin();
	end();
	struct erasures *list = erasures_open(folder, 0);
	erasures_add_user(list, user(1), 10);
	ck_assert(!erasures_sync(list));
	erasures_close(list);
	/* and one that cannot be a folder */
	list = erasures_open("/dev/null", 0);
	erasures_add_user(list, user(1), 10);
	ck_assert(!erasures_sync(list));
	erasures_close(list);
}
END_TEST

UNIT_MAIN("erasures", an_empty_list_holds_nothing_and_has_no_file,
	  what_was_said_before_an_erasure_is_held_also_after_a_restart,
	  many_erasures_are_held_and_the_latest_counts, old_entries_leave_the_file,
	  an_entry_that_a_crash_cut_off_is_overwritten, a_file_that_is_not_ours_stays_as_it_is,
	  a_folder_that_is_gone_is_reported)
