/* A store that is written out and made again, and exports that somebody has had in hand. */
#include "tests/unit/dump_fixture.h"
#include "tests/unit/store_picture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONGEST_EXPORT = 1 << 20 };

static bool tears_writes; /* into pieces, with an interruption before each */
static size_t commits;

ssize_t write(int fd, const void *bytes, size_t size)
{
	static bool interrupted;
	interrupted = tears_writes && !interrupted;
	if (interrupted) {
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_write, fd, bytes, tears_writes && size > 100 ? 100 : size);
}

int mdb_txn_commit(MDB_txn *transaction)
{
	int (*real)(MDB_txn *) = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
	commits++;
	return real(transaction);
}

static struct buffer picture_of(struct fixture *fixture)
{
	struct buffer picture;
	buffer_init(&picture, SIZE_MAX);
	ck_assert_int_eq(store_picture(fixture->store, &picture), STORE_OK);
	store_picture_counts(fixture->store, &picture);
	return picture;
}

/* ---- there and back ---- */

static FILE *export_of(const char *path, bool whole)
{
	struct dump_report report;
	FILE *file = tmpfile();
	ck_assert_ptr_nonnull(file);
	bool done = store_export(&(struct store_options){.path = path, .master = fixture_master()},
				 fileno(file), NULL, &report);
	ck_assert_msg(done == whole, "%s", report.error);
	rewind(file);
	return file;
}

/* The line with its end; empty when there is none. */
static struct slice line_of(struct slice text, size_t at)
{
	size_t end = slice_find(text, SLICE("\n"), at);
	return slice_part(text, at, end < text.size ? end + 1 : end);
}

static struct slice text_of(FILE *file, struct arena *arena)
{
	char *text = arena_bytes(arena, LONGEST_EXPORT);
	size_t size = fread(text, 1, LONGEST_EXPORT, file);
	ck_assert_uint_lt(size, LONGEST_EXPORT);
	return (struct slice){text, size};
}

/* A store of the export in a folder of its own; NULL: it was refused. */
static struct store *store_of(FILE *in, char *folder, struct dump_report *report)
{
	char error[1024];
	const struct store_options options = {
		.path = folder, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	bool done = store_rebuild(&options, in, report);
	struct store *store = store_open(&options, error, sizeof(error));
	ck_assert_msg(done == (store != NULL), "%s%s", report->error, error);
	return store;
}

static void empty(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "recalld.lock", "rebuilding"};
	char path[128];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

/* Of each table so many as it has lines. */
static void assert_counts(const struct dump_report *report, struct slice text)
{
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		char begin[64];
		size_t lines = 0;
		(void)snprintf(begin, sizeof(begin), "{\"table\":\"%s\",", report->tables[i].name);
		for (size_t at = 0; at < text.size; at += line_of(text, at).size)
			lines += slice_starts_with(line_of(text, at), slice_of(begin));
		/* Each has some, but for the summary, which the edit of a turn took away. */
		ck_assert(lines > 0 || strcmp(report->tables[i].name, "summary") == 0);
		ck_assert_uint_eq(report->tables[i].records, lines);
		ck_assert_uint_eq(report->tables[i].unreadable + report->tables[i].holes, 0);
	}
}

START_TEST(what_is_made_of_an_export_is_what_was_written_out)
{
	struct fixture fixture;
	struct dump_report report;
	char folder[UNIT_PATH];
	fixture_init(&fixture, MAP);
	dump_fill(&fixture);
	struct buffer before = picture_of(&fixture);
	FILE *beside = export_of(fixture.path, true); /* while it is open here */
	store_close(fixture.store);
	fixture.store = NULL;
	FILE *file = export_of(fixture.path, true);
	struct slice text = text_of(file, &fixture.arena);
	ck_assert(slice_equal(text_of(beside, &fixture.arena), text));
	/* Where the ids of new users begin, behind those of one that was forgotten. */
	ck_assert_uint_eq(slice_find(text, SLICE("\"first_id\":0}"), 0), text.size);
	tears_writes = true;
	FILE *torn = export_of(fixture.path, true);
	tears_writes = false;
	ck_assert(slice_equal(text_of(torn, &fixture.arena), text));
	(void)fclose(torn);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert(!store_export(
		&(struct store_options){.path = fixture.path, .master = fixture_master()}, full,
		NULL, &report));
	ck_assert_str_eq(report.error, "cannot write the export: No space left on device");
	(void)close(full);
	rewind(file);
	unit_folder(folder);
	fixture.store = store_of(file, folder, &report);
	ck_assert_msg(fixture.store != NULL, "%s", report.error);
	assert_counts(&report, text);
	fixture_check_space(&fixture);
	struct buffer after = picture_of(&fixture);
	ck_assert_msg(slice_equal(buffer_slice(&before), buffer_slice(&after)), "%.*s\n%.*s",
		      SLICE_PRINT(buffer_slice(&before)), SLICE_PRINT(buffer_slice(&after)));
	store_close(fixture.store);
	fixture.store = NULL;
	FILE *again = export_of(folder, true);
	size_t end = slice_find(text, SLICE("{\"end\""), 0);
	ck_assert(slice_starts_with(text_of(again, &fixture.arena), slice_part(text, 0, end)));
	(void)fclose(again);
	empty(folder);
	fixture_reopen(&fixture);
	(void)fclose(beside);
	(void)fclose(file);
	buffer_finish(&before);
	buffer_finish(&after);
	fixture_finish(&fixture);
}
END_TEST

#define USER(of, next_turn, next_fact)                                                             \
	"{\"table\":\"user\",\"of\":\"0123456789abcdef0123456789abcde" of                          \
	"\",\"tenant\":\"shared\",\"user\":\"u" of                                                 \
	"\",\"first_seen\":1,\"last_seen\":2,\"next_turn\":" next_turn ",\"next_fact\":" next_fact \
	",\"next_conversation\":1,\"deferred\":false,\"hidden_since_summary\":false}\n"
#define TURN(of, id)                                                                               \
	"{\"table\":\"turn\",\"of\":\"0123456789abcdef0123456789abcde" of "\",\"id\":" id          \
	",\"exchange\":1,\"conversation\":1,\"ordinal\":0,\"role\":2,\"state\":0,\"complete\":"    \
	"true,"                                                                                    \
	"\"created_at\":1,\"hash\":\"0000000000000001\",\"text\":\"x\",\"learn\":false,"           \
	"\"earlier\":0}\n"

START_TEST(ids_begin_behind_all_that_an_export_of_any_moments_has)
{
	static const struct {
		const char *lines;
		const char *end; /* of what is made of it */
	} cases[] = {
		{USER("0", "7", "9") USER("1", "3", "2") "{\"end\":true}", "\"first_id\":9}\n"},
		{USER("0", "9", "7") USER("1", "3", "2") "{\"end\":true}", "\"first_id\":9}\n"},
		{USER("0", "7", "9") "{\"end\":true,\"first_id\":5}", "\"first_id\":9}\n"},
		{USER("0", "7", "9") "{\"end\":true,\"first_id\":20}", "\"first_id\":20}\n"},
		{USER("0", "7", "9") TURN("0", "30") "{\"end\":true}", "\"first_id\":31}\n"},
		{USER("0", "9", "9") TURN("0", "9") "{\"end\":true}", "\"first_id\":10}\n"},
		{USER("0", "7", "9") TURN("0", "9") "{\"end\":true}", "\"first_id\":10}\n"},
		{USER("0", "7", "9") TURN("0", "2") "{\"end\":true}", "\"first_id\":9}\n"},
		/* Whose user is lost is left out: a namesake would meet it. */
		{USER("0", "7", "9") TURN("1", "30") "{\"end\":true}",
		 "\"records\":1,\"first_id\":9}\n"},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char folder[UNIT_PATH];
		struct dump_report report;
		struct slice text =
			arena_printf(&arena, "{\"recalld_export\":1}\n%s\n", cases[i].lines);
		FILE *in = fmemopen((void *)(uintptr_t)text.data, text.size, "r");
		unit_folder(folder);
		struct store *store = store_of(in, folder, &report);
		ck_assert_msg(store != NULL, "%s", report.error);
		store_close(store);
		FILE *file = export_of(folder, true);
		struct slice made = text_of(file, &arena);
		size_t end = made.size - strlen(cases[i].end);
		unit_assert_slice(slice_part(made, end, made.size), cases[i].end);
		(void)fclose(file);
		(void)fclose(in);
		empty(folder);
		arena_finish(&arena);
	}
}
END_TEST

/* ---- exports that are none ---- */

/* A store of this text, or why there is none. */
static const char *refusal_of(struct slice text)
{
	static struct dump_report report;
	char folder[UNIT_PATH];
	FILE *in = text.size == 0 ? fopen("/dev/null", "r")
				  : fmemopen((void *)(uintptr_t)text.data, text.size, "r");
	ck_assert_ptr_nonnull(in);
	unit_folder(folder);
	store_close(store_of(in, folder, &report));
	(void)fclose(in);
	empty(folder);
	return report.error;
}

START_TEST(what_is_no_export_is_refused_with_its_line)
{
	static const struct {
		struct slice text;
		const char *why;
	} cases[] = {
		{SLICE(""), "line 1: the export was cut off"},
		{SLICE("nonsense\n"), "line 1: it is not an export that this"},
		{SLICE("{\"recalld_export\":1}\nnonsense\n"), "line 2: it is not JSON"},
		{SLICE("{\"recalld_export\":2}\n"), "line 1: it is not an export that this"},
		{SLICE("{\"recalld_export\":1}\n"), "line 2: the export was cut off"},
		{SLICE("{\"recalld_export\":1}\n{\"table\":\"x\"}\n"),
		 "line 2: it is not an export record"},
		{SLICE("{\"recalld_export\":1}\n{\"end\":true,\"records\":3}\n"),
		 "line 2: lines are missing"},
		{SLICE("{\"recalld_export\":1}\n{\"end\":true}\n{}\n"),
		 "line 3: there is more after"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = refusal_of(cases[i].text);
		ck_assert_msg(strstr(why, cases[i].why) == why, "%s", why);
	}
	ck_assert_str_eq(refusal_of(SLICE("{\"recalld_export\":1}\n{\"end\":true}")), "");
}
END_TEST

START_TEST(a_long_export_is_taken_in_several_transactions)
{
	enum { TURNS = 4500 };
	char folder[UNIT_PATH];
	struct dump_report report;
	FILE *in = tmpfile();
	(void)fputs("{\"recalld_export\":1}\n" USER("0", "7", "9"), in);
	for (int i = 1; i <= TURNS; i++)
		(void)fprintf(in, TURN("0", "%d"), i);
	(void)fputs(TURN("1", "1") "{\"end\":true}\n", in);
	rewind(in);
	unit_folder(folder);
	commits = 0;
	(void)refusal_of(SLICE("{\"recalld_export\":1}\n{\"end\":true}\n"));
	size_t least = commits;
	commits = 0;
	struct store *store = store_of(in, folder, &report);
	ck_assert_msg(store != NULL, "%s", report.error);
	ck_assert_uint_ge(commits, least + 2);
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		bool is_turn = strcmp(report.tables[i].name, "turn") == 0;
		ck_assert(!is_turn || report.tables[i].records == TURNS);
		ck_assert_uint_eq(report.tables[i].unreadable, is_turn);
	}
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	ck_assert_uint_eq(statistics.turns, TURNS);
	store_close(store);
	(void)fclose(in);
	empty(folder);
}
END_TEST

/* ---- values that are others ---- */

/* The first line of each table that is there, and the first and last line. */
static size_t pick_lines(struct slice text, struct slice *lines, size_t limit)
{
	size_t count = 0;
	struct slice table = {0};
	for (size_t at = 0; at < text.size;) {
		struct slice line = line_of(text, at);
		struct slice name = slice_part(line, 0, slice_find(line, SLICE(","), 0));
		if (!slice_equal(name, table) && count < limit)
			lines[count++] = line;
		table = name;
		at += line.size;
	}
	return count;
}

/* The whole text with another line in the place of one. */
static const char *refusal_with(struct slice text, struct slice line, json_t *object)
{
	struct buffer other;
	char *dumped = json_dumps(object, JSON_COMPACT);
	size_t begin = (size_t)(line.data - text.data);
	buffer_init(&other, SIZE_MAX);
	buffer_append(&other, slice_part(text, 0, begin));
	buffer_append(&other, slice_of(dumped));
	buffer_append_byte(&other, '\n');
	buffer_append(&other, slice_part(text, begin + line.size, text.size));
	const char *why = refusal_of(buffer_slice(&other));
	buffer_finish(&other);
	free(dumped);
	return why;
}

/* Each member once with another type, too small, too large, and missing: it is refused, or taken
 * where that is no fault, and never half. */
START_TEST(a_member_of_another_kind_is_refused_or_does_no_harm)
{
	static const char *const others[] = {"null", "\"zz\"", "-1", "true", "9223372036854775807",
					     "[-1]"};
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	struct fixture fixture;
	struct slice lines[16];
	size_t refused = 0;
	fixture_init(&fixture, MAP);
	dump_fill(&fixture);
	FILE *file = export_of(fixture.path, true);
	struct slice text = text_of(file, &fixture.arena);
	size_t count = pick_lines(text, lines, 16);
	ck_assert_uint_ge(count, 10);
	for (size_t i = 0; i < count; i++) {
		json_t *object = json_loadb(lines[i].data, lines[i].size, 0, NULL);
		json_t *copy = json_deep_copy(object);
		const char *name;
		json_t *value;
		ck_assert_ptr_nonnull(object);
		json_object_foreach(copy, name, value)
		{
			for (size_t j = 0; j <= OTHERS; j++) {
				if (j == OTHERS)
					json_object_del(object, name);
				else
					json_object_set_new(
						object, name,
						json_loads(others[j], JSON_DECODE_ANY, NULL));
				const char *why = refusal_with(text, lines[i], object);
				ck_assert(why[0] == '\0' || strncmp(why, "line ", 5) == 0);
				refused += why[0] != '\0';
			}
			json_object_set(object, name, value);
		}
		json_decref(object);
		json_decref(copy);
	}
	ck_assert_uint_ge(refused, 100);
	(void)fclose(file);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_dump", what_is_made_of_an_export_is_what_was_written_out,
	  ids_begin_behind_all_that_an_export_of_any_moments_has,
	  what_is_no_export_is_refused_with_its_line,
	  a_long_export_is_taken_in_several_transactions,
	  a_member_of_another_kind_is_refused_or_does_no_harm)
