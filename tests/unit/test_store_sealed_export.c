/* Exports of an encrypted store, opened and sealed, and what is built of them again. */
#include "core/memory/user.h"
#include "storage/dump/dump.h"
#include "tests/unit/sealed_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a store is to be built: a fixture without one. */
static void begin_empty(struct fixture *fixture)
{
	char path[128];
	sealed_begin(fixture);
	store_close(fixture->store);
	static const char *const names[] = {"data.mdb", "keys", "lock.mdb", "recalld.lock",
					    "erasures"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		sealed_path(fixture, names[i], path);
		(void)unlink(path);
	}
}

START_TEST(an_export_needs_the_key_and_builds_the_same_store_again)
{
	struct fixture fixture;
	struct fixture again;
	struct dump_report report;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	struct buffer before = sealed_picture(&fixture);
	FILE *out = tmpfile();
	ck_assert_ptr_nonnull(out);
	const struct store_options locked = {.path = fixture.path, .master = sealed_wrong_key};
	ck_assert(!store_export(&locked, fileno(out), NULL, &report));
	ck_assert_ptr_nonnull(strstr(report.error, "another key"));
	ck_assert_int_eq(ftruncate(fileno(out), 0), 0);
	(void)lseek(fileno(out), 0, SEEK_SET);
	const struct store_options from = {.path = fixture.path, .master = fixture_master()};
	ck_assert_msg(store_export(&from, fileno(out), NULL, &report), "%s", report.error);
	rewind(out);
	begin_empty(&again);
	const struct store_options to = {
		.path = again.path, .map_size = MAP, .receipts = 100, .master = fixture_master()};
	ck_assert_msg(store_rebuild(&to, out, &report), "%s", report.error);
	again.store = store_open(&to, report.error, sizeof(report.error));
	ck_assert(!sealed_shows_anything(&again));
	ck_assert_uint_eq(fixture_view(&again, "session-of-bergamot").turn_count, 4);
	ck_assert_uint_eq(sealed_count_keys(&again), 2);
	sealed_assert_picture(&again, &before);
	(void)fclose(out);
	fixture_finish(&again);
	fixture_finish(&fixture);
}
END_TEST

/* ---- sealed exports ---- */

static const unsigned char backup[STORE_KEY_SIZE] = "the key of the backups";

static FILE *export_sealed(const struct fixture *fixture, struct dump_report *report)
{
	FILE *out = tmpfile();
	const struct store_options options = {.path = fixture->path}; /* without its key */
	ck_assert_ptr_nonnull(out);
	ck_assert_msg(store_export_sealed(&options, fileno(out), NULL, report), "%s",
		      report->error);
	rewind(out);
	return out;
}

/* Its path is `path`. */
static size_t export_keys(const struct fixture *fixture, char path[UNIT_PATH])
{
	const struct store_options options = {.path = fixture->path, .master = fixture_master()};
	char error[512];
	size_t users;
	unit_folder(path);
	(void)strcat(path, "/keys");
	int out = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(out, 0);
	ck_assert_msg(store_export_keys(&options, backup, out, &users, error, sizeof(error)), "%s",
		      error);
	(void)close(out);
	return users;
}

/* A store that is built from the lines, as far as the keys open them. */
static void rebuild(struct fixture *fixture, FILE *lines, const char *keys,
		    struct dump_report *report)
{
	const struct dump_keys exported = {keys, backup};
	int64_t made = 0;
	begin_empty(fixture);
	const struct store_options to = {.path = fixture->path,
					 .map_size = MAP,
					 .receipts = 100,
					 .master = fixture_master()};
	rewind(lines);
	ck_assert_msg(store_rebuild_sealed(&to, lines, &exported, &made, report), "%s",
		      report->error);
	ck_assert_int_gt(made, 0);
	fixture->store = store_open(&to, report->error, sizeof(report->error));
	ck_assert_msg(fixture->store != NULL, "%s", report->error);
}

static bool text_has(const char *text, size_t size, const void *bytes, size_t count)
{
	return memmem(text, size, bytes, count) != NULL;
}

static char *read_all(FILE *file, size_t *size)
{
	rewind(file);
	char *text = xmalloc(SEALED_TEXT_LIMIT);
	*size = fread(text, 1, SEALED_TEXT_LIMIT, file);
	rewind(file);
	return text;
}

static uint64_t count_users(struct fixture *fixture)
{
	struct store_statistics statistics;
	store_statistics(fixture->store, &statistics);
	return statistics.users;
}

static uint64_t sum_of(const struct dump_report *report)
{
	uint64_t records = 0;
	for (size_t i = 0; i < DUMP_TABLES; i++)
		records += report->tables[i].records;
	return records;
}

START_TEST(a_sealed_export_shows_nothing_and_builds_the_same_store_with_its_keys)
{
	struct fixture fixture;
	struct fixture again;
	struct dump_report written, taken;
	char keys[UNIT_PATH];
	size_t size;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	sealed_fill_postings(&fixture);
	struct user_settings settings = settings_default();
	settings.note = SLICE("asked by Bergamot's letter");
	sealed_put_settings(&fixture, &settings);
	struct buffer before = sealed_picture(&fixture);
	FILE *lines = export_sealed(&fixture, &written);
	ck_assert_uint_eq(written.locked, 0);
	ck_assert_uint_eq(export_keys(&fixture, keys), 2);
	char *text = read_all(lines, &size);
	/* Each too long to stand in base64 by chance: four letters did in one run of 400. */
	static const char *const words[] = {"ergamot", "uillon", "session-of", "\"user\":\"alex\"",
					    "interest"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert(!text_has(text, size, words[i], strlen(words[i])));
	ck_assert(text_has(text, size, "{\"recalld_export\":2,\"sealed\":true,", 34));
	free(text);
	rebuild(&again, lines, keys, &taken);
	ck_assert_uint_eq(taken.locked, 0);
	ck_assert_uint_eq(sum_of(&taken), sum_of(&written));
	sealed_assert_picture(&again, &before);
	ck_assert(!sealed_shows_anything(&again));
	ck_assert_int_eq(unlink(keys), 0);
	(void)fclose(lines);
	fixture_finish(&again);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_has_no_keys_in_both_exports_is_left_out)
{
	struct fixture fixture;
	struct fixture again;
	struct dump_report report;
	char before[UNIT_PATH], after[UNIT_PATH];
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	FILE *early = export_sealed(&fixture, &report);
	const uint64_t all = sum_of(&report);
	ck_assert_uint_eq(export_keys(&fixture, before), 2);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_int_gt(store_keys_exported(fixture.store), 0);
	sealed_say(&fixture, "alex", "I was born in Bergamot", 9); /* with other keys */
	sealed_say(&fixture, "carl", "I am new", 10);
	FILE *late = export_sealed(&fixture, &report);
	ck_assert_uint_eq(export_keys(&fixture, after), 3);
	rebuild(&again, early, after, &report); /* alex's other keys open nothing of before */
	ck_assert_uint_gt(report.locked, 0);
	ck_assert_uint_eq(report.locked + sum_of(&report), all);
	ck_assert(!fixture_view(&again, "").known);
	fixture_finish(&again);
	rebuild(&again, late, before, &report);
	ck_assert_uint_gt(report.locked, 0);
	ck_assert(!fixture_view(&again, "").known);
	ck_assert_uint_eq(count_users(&again), 1);
	fixture_finish(&again);
	rebuild(&again, late, after, &report);
	ck_assert_uint_eq(report.locked, 0);
	ck_assert_uint_eq(count_users(&again), 3);
	fixture_finish(&again);
	(void)unlink(before);
	(void)unlink(after);
	(void)fclose(early);
	(void)fclose(late);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_export_leaves_out_whom_an_erasure_has_not_finished)
{
	struct fixture fixture;
	struct dump_report report;
	char *copy;
	size_t size;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	(void)fclose(export_sealed(&fixture, &report));
	const uint64_t all = sum_of(&report);
	copy = sealed_read_file(&fixture, "data.mdb", &size);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	store_close(fixture.store);
	sealed_write_file(&fixture, "data.mdb", copy, size); /* as if the records still stood */
	free(copy);
	(void)fclose(export_sealed(&fixture, &report));
	ck_assert_uint_gt(report.locked, 0);
	ck_assert_uint_eq(report.locked + sum_of(&report), all);
	char path[128];
	sealed_path(&fixture, "keys", path);
	ck_assert_int_eq(unlink(path), 0);
	FILE *out = tmpfile();
	const struct store_options options = {.path = fixture.path};
	ck_assert(!store_export_sealed(&options, fileno(out), NULL, &report));
	ck_assert_ptr_nonnull(strstr(report.error, "its file \"keys\" is missing"));
	(void)fclose(out);
	fixture.store = NULL;
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_opened_but_is_no_record_is_counted)
{
	struct fixture fixture;
	struct fixture again;
	struct dump_report report;
	char keys[UNIT_PATH];
	static char text[10000]; /* more than one part of base64 */
	memset(text, 'x', sizeof(text) - 1);
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	sealed_say(&fixture, "alex", text, 8);
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_FACTS, SLICE("no fact")), 1);
	export_keys(&fixture, keys);
	FILE *lines = export_sealed(&fixture, &report);
	const uint64_t all = sum_of(&report);
	rebuild(&again, lines, keys, &report);
	ck_assert_uint_eq(report.locked, 0);
	ck_assert_uint_eq(sum_of(&report), all - 1);
	for (size_t i = 0; i < DUMP_TABLES; i++)
		ck_assert_uint_eq(report.tables[i].unreadable,
				  strcmp(report.tables[i].name, "fact") == 0);
	const struct memory_view view = fixture_view(&again, "session-of-bergamot");
	ck_assert_uint_eq(view.turn_count, 6);
	unit_assert_slice(view.turns[4].text, text);
	ck_assert_int_eq(unlink(keys), 0);
	(void)fclose(lines);
	fixture_finish(&again);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_store_in_the_clear_has_no_sealed_export)
{
	struct fixture fixture;
	struct dump_report report;
	char error[512];
	size_t size, users;
	sealed_begin_clear(&fixture);
	sealed_fill(&fixture);
	FILE *lines = export_sealed(&fixture, &report);
	char *text = read_all(lines, &size);
	ck_assert(text_has(text, size, "{\"recalld_export\":1}", 20));
	ck_assert(text_has(text, size, "Bergamot", 8));
	free(text);
	(void)fclose(lines);
	ck_assert_int_eq(store_keys_exported(fixture.store), 0);
	ck_assert_int_eq(store_key_made(fixture.store), 0);
	const struct store_options none = {.path = "/tmp/recalld-no-store",
					   .master = sealed_wrong_key};
	ck_assert(!store_export_keys(&none, backup, 1, &users, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "there is no store"));
	const struct store_options clear = {.path = fixture.path, .master = sealed_wrong_key};
	ck_assert(!store_export_keys(&clear, backup, 1, &users, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "is missing"));
	fixture_finish(&fixture);
}
END_TEST

/* ---- what is refused ---- */

static void assert_refused(const char *text, const struct dump_keys *keys, const char *why)
{
	struct fixture fixture;
	struct dump_report report;
	int64_t made;
	FILE *lines = tmpfile();
	ck_assert_int_ge(fputs(text, lines), 0);
	rewind(lines);
	begin_empty(&fixture);
	const struct store_options to = {
		.path = fixture.path, .map_size = MAP, .receipts = 100, .master = fixture_master()};
	ck_assert(!store_rebuild_sealed(&to, lines, keys, &made, &report));
	ck_assert_msg(strstr(report.error, why) != NULL, "\"%s\" is not in %s", why, report.error);
	(void)fclose(lines);
	fixture.store = NULL;
	fixture_finish(&fixture);
}

static const char forged[] =
	"{\"table\":\"user\",\"of\":\"00000000000000000000000000000001\",\"tenant\":\"\","
	"\"user\":\"m\",\"first_seen\":1,\"last_seen\":1,\"next_turn\":1,\"next_fact\":1,"
	"\"next_conversation\":1,\"deferred\":0,\"hidden_since_summary\":false,\"bytes\":"
	"0}";

START_TEST(sealed_lines_of_another_form_are_refused)
{
	struct fixture fixture;
	struct dump_report report;
	char keys[UNIT_PATH], first[128], text[512];
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	export_keys(&fixture, keys);
	FILE *lines = export_sealed(&fixture, &report);
	ck_assert_ptr_nonnull(fgets(first, sizeof(first), lines));
	(void)fclose(lines);
	const struct dump_keys right = {keys, backup};
	const struct dump_keys off = {keys, sealed_wrong_key};
	assert_refused(first, NULL, "line 1: the export is sealed; name the file of its keys");
	assert_refused(first, &off, "it was wrapped with another key");
	assert_refused("{\"recalld_export\":2,\"sealed\":true}\n", &right,
		       "line 1: it is not an export");
	assert_refused("{\"recalld_export\":3,\"store\":\"0\"}\n", &right,
		       "line 1: it is not an export");
	assert_refused("{\"recalld_export\":2,\"store\":\"0000000000000001\"}\n", &right,
		       "another store's");
	static const char *const odd[] = {
		"{}",
		"{\"table\":\"none\"}",
		"{\"table\":\"turn\"}",
		"{\"table\":\"turn\",\"key\":\"AAAA\",\"sealed\":\"AAAA\"}",
		"{\"table\":\"user\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}",
		"{\"table\":\"user\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"sealed\":\"\"}",
		"{\"table\":\"user\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"sealed\":\"AAA\"}",
		"{\"table\":\"user\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"sealed\":\"A*AA\"}",
		"{\"table\":\"user\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"sealed\":7}",
		"{\"table\":\"audit\",\"key\":\"AAAAAAAAAAA=\",\"sealed\":\"AAAA\"}",
		/* Whoever can write a backup cannot put memories in it. */
		forged,
	};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s\n", first, odd[i]);
		assert_refused(text, &right, "line 2: it is not an export record");
	}
	(void)unlink(keys);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_sealed_export", an_export_needs_the_key_and_builds_the_same_store_again,
	  a_sealed_export_shows_nothing_and_builds_the_same_store_with_its_keys,
	  who_has_no_keys_in_both_exports_is_left_out,
	  an_export_leaves_out_whom_an_erasure_has_not_finished,
	  what_is_opened_but_is_no_record_is_counted, a_store_in_the_clear_has_no_sealed_export,
	  sealed_lines_of_another_form_are_refused)
