#include "tests/unit/log_folder.h"

#include <sys/stat.h>

static struct log *begin(void)
{
	static struct replayed replayed;
	return log_start(0, &replayed);
}

START_TEST(what_was_synced_is_replayed_in_order_and_once)
{
	struct replayed replayed;
	struct log *log = begin();
	ck_assert_uint_eq(log_add(log, "one"), 1);
	ck_assert_uint_eq(log_add(log, ""), 2);
	ck_assert_int_eq(log_sync(log), LOG_OK);
	ck_assert_uint_eq(log_add(log, "three"), 3);
	ck_assert_uint_eq(log_durable(log), 2);
	ck_assert_int_eq(log_sync(log), LOG_OK);
	ck_assert_uint_eq(log_durable(log), 3);
	log_close(log);
	log = log_start(0, &replayed);
	ck_assert_str_eq(replayed.text, "1:one 2: 3:three ");
	ck_assert_uint_eq(replayed.report.events, 3);
	ck_assert_uint_eq(replayed.report.last, 3);
	ck_assert_uint_eq(replayed.report.cut_bytes, 0);
	log_add_synced(log, "four");
	log_close(log);
	log = log_start(2, &replayed);
	ck_assert_str_eq(replayed.text, "3:three 4:four ");
	log_close(log);
}
END_TEST

START_TEST(a_group_that_is_not_synced_is_gone)
{
	struct replayed replayed;
	struct log *log = begin();
	log_add_synced(log, "kept");
	log_add(log, "lost");
	log_close(log);
	log = log_start(0, &replayed);
	ck_assert_str_eq(replayed.text, "1:kept ");
	ck_assert_uint_eq(log_add(log, "undone"), 2);
	ck_assert_uint_eq(log_add(log, "undone"), 3);
	log_undo(log);
	log_add_synced(log, "two");
	ck_assert_int_eq(log_sync(log), LOG_OK);
	log_close(log);
	log_close(log_start(0, &replayed));
	ck_assert_str_eq(replayed.text, "1:kept 2:two ");
}
END_TEST

START_TEST(positions_go_on_behind_what_the_store_has)
{
	struct replayed replayed;
	struct log *log = begin();
	log_add_synced(log, "one");
	log_close(log);
	log = log_start(70, &replayed);
	ck_assert_str_eq(replayed.text, "");
	ck_assert_uint_eq(replayed.report.last, 70);
	ck_assert_uint_eq(log_add(log, "later"), 71);
	ck_assert_int_eq(log_sync(log), LOG_OK);
	log_close(log);
	log_close(log_start(70, &replayed));
	ck_assert_str_eq(replayed.text, "71:later ");
	ck_assert_uint_eq(replayed.report.lost_events, 0);
}
END_TEST

START_TEST(segments_that_the_store_has_are_deleted)
{
	struct replayed replayed;
	char event[301];
	struct log *log = begin();
	memset(event, 'e', sizeof(event) - 1);
	event[sizeof(event) - 1] = '\0';
	for (int i = 0; i < 9; i++)
		log_add_synced(log, event);
	/* two fit into a segment */
	ck_assert_uint_eq(log_count_files(".log"), 5);
	uint64_t bytes = log_bytes(log);
	ck_assert_uint_ge(bytes, 9 * 300);
	log_drop_before(log, 5);
	ck_assert_uint_eq(log_count_files(".log"), 3);
	ck_assert_uint_lt(log_bytes(log), bytes);
	/* the current segment stays until it is sealed */
	log_drop_before(log, 9);
	ck_assert_uint_eq(log_count_files(".log"), 1);
	log_close(log);
	log = log_start(8, &replayed);
	ck_assert_uint_eq(replayed.report.events, 1);
	log_add_synced(log, "next");
	log_drop_before(log, 9);
	ck_assert_uint_eq(log_count_files(".log"), 1);
	log_seal(log);
	log_seal(log);
	log_drop_before(log, 10);
	ck_assert_uint_eq(log_count_files(".log"), 0);
	ck_assert_uint_eq(log_bytes(log), 0);
	log_add_synced(log, "eleven");
	log_close(log);
	log_close(log_start(10, &replayed));
	ck_assert_str_eq(replayed.text, "11:eleven ");
}
END_TEST

START_TEST(an_event_larger_than_a_segment_gets_one_of_its_own)
{
	struct replayed replayed;
	char event[5 * SEGMENT_SMALL + 1];
	struct log *log = begin();
	memset(event, 'e', sizeof(event) - 1);
	event[sizeof(event) - 1] = '\0';
	log_add_synced(log, "small");
	log_add(log, event);
	log_add(log, event);
	ck_assert_int_eq(log_sync(log), LOG_OK);
	log_add_synced(log, "small");
	ck_assert_uint_eq(log_count_files(".log"), 3);
	log_close(log);
	log_close(log_start(0, &replayed));
	ck_assert_uint_eq(replayed.report.events, 4);
}
END_TEST

START_TEST(files_are_for_their_owner_alone)
{
	struct stat info;
	struct log *log = begin();
	log_add_synced(log, "one");
	ck_assert_int_eq(stat(log_file("0000000000000001.log"), &info), 0);
	ck_assert_uint_eq(info.st_mode & 0777, 0600);
	/* room is reserved while it is written, and given back at its end */
	ck_assert_int_eq(info.st_size, SEGMENT_SMALL);
	log_close(log);
	ck_assert_int_eq(stat(log_file("0000000000000001.log"), &info), 0);
	ck_assert_int_lt(info.st_size, SEGMENT_SMALL);
}
END_TEST

UNIT_MAIN("log_segments", what_was_synced_is_replayed_in_order_and_once,
	  a_group_that_is_not_synced_is_gone, positions_go_on_behind_what_the_store_has,
	  segments_that_the_store_has_are_deleted,
	  an_event_larger_than_a_segment_gets_one_of_its_own, files_are_for_their_owner_alone)
