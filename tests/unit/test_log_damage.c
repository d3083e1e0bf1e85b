#include "storage/log/calls.h"
#include "tests/unit/log_folder.h"
#include "tests/unit/random.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static struct replayed replayed;

#define FIRST_FILE "0000000000000001.log"
#define SECOND_FILE "0000000000000002.log"
#define THIRD_FILE "0000000000000003.log"

enum { FRAME = FRAME_HEAD + 8 }; /* of an event of up to 8 bytes */

/* Five events in the first segment, each synced by itself. */
static void write_five(void)
{
	struct log *log = log_start(0, &replayed);
	log_add_synced(log, "one");
	log_add_synced(log, "two");
	log_add_synced(log, "three");
	log_add_synced(log, "four");
	log_add_synced(log, "five");
	log_close(log);
}

/* Then one in each of two more. */
static void write_seven(void)
{
	write_five();
	struct log *log = log_start(0, &replayed);
	log_add_synced(log, "six");
	log_seal(log);
	log_add_synced(log, "seven");
	log_close(log);
}

static void expect_seven_but(const char *text, uint64_t lost)
{
	struct log *log = log_start(0, &replayed);
	ck_assert_str_eq(replayed.text, text);
	ck_assert_uint_eq(replayed.report.lost_events, lost);
	ck_assert_uint_eq(replayed.report.last, 7);
	/* new events follow the last one */
	ck_assert_uint_eq(log_add(log, "eight"), 8);
	log_close(log);
}

START_TEST(an_unreadable_event_is_lost_alone_and_its_segment_kept_aside)
{
	/* of the second event: its own bytes, its size, its position, both checksums */
	static const long places[] = {FRAME_HEAD, 4, 8, 0, 24};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		write_five();
		log_flip(FIRST_FILE, SEGMENT_HEAD + FRAME + places[i], 1);
		struct log *log = log_start(0, &replayed);
		ck_assert_str_eq(replayed.text, "1:one 3:three 4:four 5:five ");
		ck_assert_uint_eq(replayed.report.events, 4);
		ck_assert_uint_eq(replayed.report.lost_events, 1);
		ck_assert_uint_eq(replayed.report.damaged, 1);
		ck_assert_uint_eq(replayed.report.cut_bytes, 0);
		log_drop_before(log, 5);
		ck_assert_uint_eq(log_count_files(".log"), 0);
		ck_assert_int_eq(unlink(log_file(FIRST_FILE ".damaged")), 0);
		log_close(log);
	}
}
END_TEST

START_TEST(damage_in_a_segment_that_others_follow_is_told)
{
	write_seven();
	/* the last event, which no other in its segment follows */
	log_flip(FIRST_FILE, -8, 1);
	expect_seven_but("1:one 2:two 3:three 4:four 6:six 7:seven ", 1);
	ck_assert_uint_eq(replayed.report.damaged, 1);
	/* what the store has is not missed */
	log_close(log_start(5, &replayed));
	ck_assert_uint_eq(replayed.report.lost_events, 0);
	ck_assert_str_eq(replayed.text, "6:six 7:seven ");
}
END_TEST

START_TEST(a_segment_whose_header_is_damaged_is_read)
{
	write_seven();
	log_flip(FIRST_FILE, 40, 1);
	log_flip(SECOND_FILE, 0, 1);
	log_flip(THIRD_FILE, 60, 1);
	expect_seven_but("1:one 2:two 3:three 4:four 5:five 6:six 7:seven ", 0);
	ck_assert_uint_eq(replayed.report.damaged, 3);
}
END_TEST

START_TEST(a_segment_without_a_readable_event_is_told_and_kept_aside)
{
	write_seven();
	log_flip(SECOND_FILE, SEGMENT_HEAD, 1);
	expect_seven_but("1:one 2:two 3:three 4:four 5:five 7:seven ", 1);
	ck_assert_uint_eq(replayed.report.damaged, 1);
	/* without its header, the event may have been the first segment's, too */
	log_flip(SECOND_FILE, 0, 1);
	expect_seven_but("1:one 2:two 3:three 4:four 5:five 7:seven ", 1);
	ck_assert_uint_eq(replayed.report.damaged, 2);
	struct log *log = log_start(0, &replayed);
	log_drop_before(log, 7);
	ck_assert_uint_eq(log_count_files(".damaged"), 2);
	ck_assert_uint_eq(log_count_files(".log"), 0);
	log_close(log);
}
END_TEST

START_TEST(missing_and_shortened_segments_are_told)
{
	write_seven();
	ck_assert_int_eq(truncate(log_file(FIRST_FILE), SEGMENT_HEAD + 3 * FRAME - 1), 0);
	expect_seven_but("1:one 2:two 6:six 7:seven ", 3);
	ck_assert_int_eq(unlink(log_file(SECOND_FILE)), 0);
	expect_seven_but("1:one 2:two 7:seven ", 4);
	ck_assert_int_eq(unlink(log_file(FIRST_FILE)), 0);
	expect_seven_but("7:seven ", 6);
	ck_assert_int_eq(truncate(log_file(THIRD_FILE), 10), 0);
	log_close(log_start(0, &replayed));
	ck_assert_str_eq(replayed.text, "");
}
END_TEST

START_TEST(an_incomplete_last_group_is_cut_off)
{
	write_five();
	struct log *log = log_start(0, &replayed);
	log_add(log, "six");
	log_add(log, "seven");
	log_add(log, "eight");
	ck_assert_int_eq(log_sync(log), LOG_OK);
	log_close(log);
	log_flip(SECOND_FILE, SEGMENT_HEAD + FRAME + FRAME_HEAD, 1);
	log_close(log_start(0, &replayed));
	ck_assert_str_eq(replayed.text, "1:one 2:two 3:three 4:four 5:five ");
	ck_assert_uint_eq(replayed.report.cut_bytes, 3 * FRAME - 3);
	ck_assert_uint_eq(replayed.report.lost_events, 0);
	ck_assert_uint_eq(replayed.report.last, 5);
	/* it is gone for good */
	log_close(log_start(0, &replayed));
	ck_assert_uint_eq(replayed.report.cut_bytes, 0);
}
END_TEST

START_TEST(damage_before_an_incomplete_group_is_told_and_both_stay)
{
	struct stat info;
	write_five();
	log_flip(FIRST_FILE, SEGMENT_HEAD, 1);
	ck_assert_int_eq(truncate(log_file(FIRST_FILE), SEGMENT_HEAD + 5 * FRAME - 8), 0);
	log_close(log_start(0, &replayed));
	ck_assert_str_eq(replayed.text, "2:two 3:three 4:four ");
	ck_assert_uint_eq(replayed.report.lost_events, 1);
	ck_assert_uint_gt(replayed.report.cut_bytes, 0);
	ck_assert_int_eq(stat(log_file(FIRST_FILE), &info), 0);
	ck_assert_int_eq(info.st_size, SEGMENT_HEAD + 5 * FRAME - 8);
}
END_TEST

/* ---- what is not ours ---- */

static struct log *open_as(const char *store_id, char *error, size_t error_size)
{
	struct log_options options = {.segment_bytes = SEGMENT_SMALL};
	memcpy(options.store_id, store_id, sizeof(options.store_id));
	return log_open(log_folder(), &options, error, error_size);
}

START_TEST(a_segment_of_another_store_is_left_alone)
{
	char error[200];
	write_seven();
	struct log *log = open_as("another's store", error, sizeof(error));
	replayed = (struct replayed){0};
	ck_assert(log_replay(log, 0, replayed_note, &replayed, &replayed.report));
	ck_assert_str_eq(replayed.text, "");
	ck_assert_uint_eq(replayed.report.of_other_store, 3);
	ck_assert_uint_eq(log_bytes(log), 0);
	log_add_synced(log, "mine");
	log_drop_before(log, 100);
	log_close(log);
	ck_assert_uint_eq(log_count_files(".log"), 4);
	expect_seven_but("1:one 2:two 3:three 4:four 5:five 6:six 7:seven ", 0);
	ck_assert_uint_eq(replayed.report.of_other_store, 1);
}
END_TEST

START_TEST(a_text_that_looks_like_events_is_none)
{
	char error[200];
	char forged[SEGMENT_SMALL];
	struct log *log = open_as("another's store", error, sizeof(error));
	ck_assert(log_replay(log, 0, replayed_note, &replayed, &replayed.report));
	log_add_synced(log, "a");
	log_add_synced(log, "b");
	log_add_synced(log, "forged");
	log_close(log);
	FILE *file = fopen(log_file(FIRST_FILE), "r");
	size_t size = fread(forged, 1, sizeof(forged), file);
	ck_assert_int_eq(fclose(file), 0);
	log = log_start(0, &replayed);
	log_add_synced(log, "one");
	uint64_t position;
	ck_assert_int_eq(log_append(log, (struct slice){forged, size}, &position), LOG_OK);
	ck_assert_int_eq(log_sync(log), LOG_OK);
	log_add_synced(log, "three");
	log_close(log);
	log_flip(SECOND_FILE, SEGMENT_HEAD + FRAME, 1);
	log_close(log_start(0, &replayed));
	ck_assert_str_eq(replayed.text, "1:one 3:three ");
	ck_assert_uint_eq(replayed.report.lost_events, 1);
}
END_TEST

START_TEST(a_newer_version_is_not_opened)
{
	char error[200] = "";
	write_five();
	unsigned char header[SEGMENT_HEAD];
	int fd = open(log_file(FIRST_FILE), O_RDWR);
	ck_assert_int_eq(pread(fd, header, sizeof(header), 0), sizeof(header));
	/* the version, and the checksum that goes with it */
	header[8]++;
	uint32_t check = htole32((uint32_t)crc32_z(0, header, SEGMENT_HEAD - sizeof(check)));
	memcpy(header + SEGMENT_HEAD - sizeof(check), &check, sizeof(check));
	ck_assert_int_eq(pwrite(fd, header, sizeof(header), 0), sizeof(header));
	close(fd);
	ck_assert_ptr_null(open_as("fifteen letters", error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, FIRST_FILE " was written by a newer version"));
}
END_TEST

START_TEST(other_files_are_none_of_its_business)
{
	static const char *const names[] = {"1.log", "000000000000000A.log", "data.mdb",
					    "00000000000000001.log", FIRST_FILE ".damaged"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		close(open(log_file(names[i]), O_CREAT | O_WRONLY, 0600));
	write_seven();
	expect_seven_but("1:one 2:two 3:three 4:four 5:five 6:six 7:seven ", 0);
	ck_assert_uint_eq(log_count_files(".log"), 3 + 4);
}
END_TEST

START_TEST(what_cannot_be_opened_says_why)
{
	char error[200] = "";
	struct log_options options = {.segment_bytes = SEGMENT_SMALL};
	ck_assert_ptr_null(log_open("/nowhere/at/all", &options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "No such file"));
	close(open(log_file("file"), O_CREAT | O_WRONLY, 0600));
	ck_assert_ptr_null(log_open(log_file("file"), &options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "Not a directory"));
	ck_assert_int_eq(mkdir(log_file(FIRST_FILE), 0700), 0);
	ck_assert_ptr_null(log_open(log_folder(), &options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "Is a directory"));
	ck_assert_int_eq(rmdir(log_file(FIRST_FILE)), 0);
	log_close(NULL);
}
END_TEST

START_TEST(a_replay_that_fails_says_so)
{
	struct log_options options = {.segment_bytes = SEGMENT_SMALL,
				      .store_id = "fifteen letters"};
	char error[200];
	write_five();
	struct log *log = log_open(log_folder(), &options, error, sizeof(error));
	replayed = (struct replayed){.fail_at = 3};
	ck_assert(!log_replay(log, 0, replayed_note, &replayed, &replayed.report));
	ck_assert_str_eq(replayed.text, "1:one 2:two 3:three ");
	log_close(log);
	/* longer than any segment */
	ck_assert_int_eq(truncate(log_file(FIRST_FILE), (off_t)1 << 40), 0);
	log = log_open(log_folder(), &options, error, sizeof(error));
	ck_assert(!log_replay(log, 0, replayed_note, &replayed, &replayed.report));
	ck_assert_int_eq(errno, EFBIG);
	log_close(log);
}
END_TEST

START_TEST(an_event_that_is_too_large_is_refused)
{
	uint64_t position = 0;
	struct log *log = log_start(0, &replayed);
	ck_assert_int_eq(log_append(log, (struct slice){"", LOG_EVENT_MAX + 1}, &position),
			 LOG_FAILED);
	ck_assert_uint_eq(log_add(log, "one"), 1);
	log_close(log);
}
END_TEST

/* ---- damage anywhere ---- */

enum { EVENTS = 40 };

static char texts[EVENTS][400];

struct seen {
	uint64_t last;
	uint64_t count;
};

static bool compare(void *cookie, uint64_t position, struct slice event)
{
	struct seen *seen = cookie;
	ck_assert_uint_gt(position, seen->last);
	ck_assert_uint_le(position, EVENTS);
	unit_assert_slice(event, texts[position - 1]);
	seen->last = position;
	seen->count++;
	return true;
}

static int do_not_sync(int fd)
{
	(void)fd;
	return 0;
}

static int do_not_sync_directory(const char *path)
{
	(void)path;
	return 0;
}

/* No power is lost here. */
static struct log *open_unsynced(void)
{
	static struct log_calls calls;
	struct log_options options = {
		.segment_bytes = 4 * SEGMENT_SMALL, .store_id = "fifteen letters", .calls = &calls};
	char error[200];
	calls = log_system_calls;
	calls.sync = do_not_sync;
	calls.sync_directory = do_not_sync_directory;
	struct log *log = log_open(log_folder(), &options, error, sizeof(error));
	ck_assert_msg(log != NULL, "%s", error);
	return log;
}

static void write_many(struct random *random)
{
	struct log *log = open_unsynced();
	ck_assert(log_replay(log, 0, replayed_note, &replayed, &replayed.report));
	for (size_t i = 0; i < EVENTS; i++) {
		size_t size = 1 + random_below(random, sizeof(texts[i]) - 1);
		memset(texts[i], 'a' + (int)random_below(random, 26), size);
		texts[i][size] = '\0';
		log_add(log, texts[i]);
		if (random_below(random, 3) == 0 || i == EVENTS - 1)
			ck_assert_int_eq(log_sync(log), LOG_OK);
	}
	log_close(log);
}

/* Whether it shortened a file. */
static bool damage(struct random *random, size_t files)
{
	char name[40];
	struct stat info;
	(void)snprintf(name, sizeof(name), "%016zx.log", 1 + random_below(random, files));
	ck_assert_int_eq(stat(log_file(name), &info), 0);
	if (info.st_size == 0)
		return true;
	size_t offset = random_below(random, (size_t)info.st_size);
	bool shortened = random_below(random, 8) == 0;
	if (shortened)
		ck_assert_int_eq(truncate(log_file(name), (off_t)offset), 0);
	else
		log_flip(name, (long)offset, 1 + (unsigned)random_below(random, 255));
	return shortened;
}

static void delete_all(size_t files)
{
	char name[40];
	for (size_t i = 1; i <= files; i++) {
		(void)snprintf(name, sizeof(name), "%016zx.log", i);
		ck_assert_int_eq(unlink(log_file(name)), 0);
	}
}

START_TEST(damage_anywhere_loses_what_it_hits_and_invents_nothing)
{
	struct random random = {3};
	for (int run = 0; run < 300; run++) {
		write_many(&random);
		size_t files = log_count_files(".log");
		bool shortened = false;
		for (size_t i = random_below(&random, 4) + 1; i > 0; i--)
			shortened |= damage(&random, files);
		struct log *log = open_unsynced();
		struct log_report report;
		struct seen seen = {0};
		ck_assert(log_replay(log, 0, compare, &seen, &report));
		ck_assert_uint_eq(report.events, seen.count);
		ck_assert_uint_eq(report.events + report.lost_events, report.last);
		ck_assert_uint_le(report.last, EVENTS);
		ck_assert(report.last == EVENTS || report.cut_bytes > 0 || shortened);
		log_close(log);
		delete_all(files);
	}
}
END_TEST

UNIT_MAIN("log_damage", an_unreadable_event_is_lost_alone_and_its_segment_kept_aside,
	  damage_in_a_segment_that_others_follow_is_told, a_segment_whose_header_is_damaged_is_read,
	  a_segment_without_a_readable_event_is_told_and_kept_aside,
	  missing_and_shortened_segments_are_told, an_incomplete_last_group_is_cut_off,
	  damage_before_an_incomplete_group_is_told_and_both_stay,
	  a_segment_of_another_store_is_left_alone, a_text_that_looks_like_events_is_none,
	  a_newer_version_is_not_opened, other_files_are_none_of_its_business,
	  what_cannot_be_opened_says_why, a_replay_that_fails_says_so,
	  an_event_that_is_too_large_is_refused,
	  damage_anywhere_loses_what_it_hits_and_invents_nothing)
