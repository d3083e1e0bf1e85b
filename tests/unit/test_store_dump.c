/* A store that is written out and made again, and exports that somebody has had in hand. */
#include "storage/dump.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/store_picture.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024, LONGEST_EXPORT = 1 << 20, PAGE = 4096 };

#ifdef MEASURED
/* The children that an export reads in end by this; what they ran counts as covered, too. */
extern void __gcov_dump(void);

void _exit(int status)
{
	__gcov_dump();
	(void)syscall(SYS_exit_group, status);
	__builtin_unreachable();
}
#endif

/* ---- a store with something in each table ---- */

static void fill(struct fixture *fixture)
{
	struct append append = fixture_exchange("my key is 7", "noted", 5000);
	struct imported_turn past[] = {
		{.role = ROLE_USER, .text = SLICE("Grüße, \"Ben\" 👩‍🚀"), .created_at = 7},
		{.role = ROLE_ASSISTANT, .text = SLICE("line\nbreak\t\\ "), .created_at = 8},
	};
	struct request edited = ASK("I moved to Rome", {one, "a1"});
	chat_three(fixture);
	learn_cities(fixture);
	ck_assert_int_eq(fixture_summarized(fixture, "Lives in Bonn.", 3, 0), STORE_OK);
	(void)chat(fixture, edited, "a4", 4000);
	append.session = SLICE("other");
	append.receipt = 77;
	append.receipt_text = SLICE("{\"id\":\"77\"}");
	append.learn = true;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	append = fixture_exchange("hi", "hello", 6000);
	append.user = SLICE("ben");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_import(fixture, past, 2, true), STORE_OK);
	append.user = SLICE("cleo");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_forget(fixture, "cleo"), STORE_OK);
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
	bool done = store_export(path, fileno(file), &report);
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
	const struct store_options options = {folder, MAP, 10};
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

START_TEST(what_is_made_of_an_export_is_what_was_written_out)
{
	struct fixture fixture;
	struct dump_report report;
	char folder[] = "/tmp/recalld-store-XXXXXX";
	fixture_init(&fixture, MAP);
	fill(&fixture);
	struct buffer before = picture_of(&fixture);
	FILE *beside = export_of(fixture.path, true); /* while it is open here */
	store_close(fixture.store);
	fixture.store = NULL;
	FILE *file = export_of(fixture.path, true);
	struct slice text = text_of(file, &fixture.arena);
	ck_assert(slice_equal(text_of(beside, &fixture.arena), text));
	/* Where the ids of new users begin, behind those of one that was forgotten. */
	ck_assert_uint_eq(slice_find(text, SLICE("\"first_id\":0}"), 0), text.size);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert(!store_export(fixture.path, full, &report));
	ck_assert_str_eq(report.error, "cannot write the export: No space left on device");
	(void)close(full);
	rewind(file);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	fixture.store = store_of(file, folder, &report);
	ck_assert_msg(fixture.store != NULL, "%s", report.error);
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
		char folder[] = "/tmp/recalld-store-XXXXXX";
		struct dump_report report;
		struct slice text =
			arena_printf(&arena, "{\"recalld_export\":1}\n%s\n", cases[i].lines);
		FILE *in = fmemopen((void *)(uintptr_t)text.data, text.size, "r");
		ck_assert_ptr_nonnull(mkdtemp(folder));
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
	char folder[] = "/tmp/recalld-store-XXXXXX";
	FILE *in = text.size == 0 ? fopen("/dev/null", "r")
				  : fmemopen((void *)(uintptr_t)text.data, text.size, "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(mkdtemp(folder));
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
		{SLICE("nonsense\n"), "line 1: it is no JSON"},
		{SLICE("{\"recalld_export\":2}\n"), "line 1: it is no export that this"},
		{SLICE("{\"recalld_export\":1}\n"), "line 2: the export was cut off"},
		{SLICE("{\"recalld_export\":1}\n{\"table\":\"x\"}\n"), "line 2: it is no record"},
		{SLICE("{\"recalld_export\":1}\n{\"end\":true,\"records\":3}\n"),
		 "line 2: lines are missing"},
		{SLICE("{\"recalld_export\":1}\n{\"end\":true}\n{}\n"),
		 "line 3: something follows"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = refusal_of(cases[i].text);
		ck_assert_msg(strstr(why, cases[i].why) == why, "%s", why);
	}
	ck_assert_str_eq(refusal_of(SLICE("{\"recalld_export\":1}\n{\"end\":true}")), "");
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
	static const char *const others[] = {"null", "\"zz\"", "-1", "true", "9223372036854775807"};
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	struct fixture fixture;
	struct slice lines[16];
	size_t refused = 0;
	fixture_init(&fixture, MAP);
	fill(&fixture);
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

/* ---- damage ---- */

START_TEST(what_damage_leaves_is_written_out_and_the_rest_is_counted)
{
	struct fixture fixture;
	char path[128];
	size_t lost = 0;
	fixture_init(&fixture, MAP);
	fill(&fixture);
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
		bool whole = store_export(fixture.path, fileno(file), &report);
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

/* What an export counts of the turns. */
static struct count export_turns(const char *path)
{
	struct dump_report report;
	FILE *file = tmpfile();
	bool whole = store_export(path, fileno(file), &report);
	(void)fclose(file);
	bool is_damaged = strstr(report.error, "the store is damaged") == report.error;
	ck_assert_msg(whole || is_damaged, "%s", report.error);
	for (size_t i = 0; i < DUMP_TABLES; i++) {
		ck_assert(!whole || report.tables[i].holes + report.tables[i].unreadable == 0);
		if (strcmp(report.tables[i].name, "turn") == 0)
			return (struct count){report.tables[i].records, report.tables[i].holes,
					      report.tables[i].unreadable};
	}
	ck_abort_msg("no turns are counted");
}

static void swap_page(int data, size_t page, char *other)
{
	char here[PAGE];
	ck_assert_int_eq(pread(data, here, PAGE, (off_t)(page * PAGE)), PAGE);
	ck_assert_int_eq(pwrite(data, other, PAGE, (off_t)(page * PAGE)), PAGE);
	memcpy(other, here, PAGE);
}

START_TEST(each_damaged_page_is_one_hole_and_costs_little_more_than_what_lies_on_it)
{
	enum { TURNS = 200, PAGES = 1000 };
	struct fixture fixture;
	struct imported_turn turns[TURNS];
	char path[128];
	char text[200];
	size_t lost[PAGES] = {0};
	size_t first = 0;
	size_t last = 0;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_init(&fixture, MAP);
	for (int i = 0; i < TURNS; i++)
		turns[i] = (struct imported_turn){
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
		bool holds_turns = memmem(other, PAGE, text, sizeof(text) - 1) != NULL;
		struct count count = {0};
		if (holds_turns)
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

UNIT_MAIN("store_dump", what_is_made_of_an_export_is_what_was_written_out,
	  ids_begin_behind_all_that_an_export_of_any_moments_has,
	  what_is_no_export_is_refused_with_its_line,
	  a_member_of_another_kind_is_refused_or_does_no_harm,
	  what_damage_leaves_is_written_out_and_the_rest_is_counted,
	  each_damaged_page_is_one_hole_and_costs_little_more_than_what_lies_on_it)
