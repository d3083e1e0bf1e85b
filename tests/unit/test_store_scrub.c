/* Scrubs of a store that is open. */
#include "storage/deletions.h"
#include "storage/scrub.h"
#include "tests/unit/expire_fixture.h"
#include "tests/unit/store_picture.h"

#include <fcntl.h>
#include <sys/statvfs.h>

static void delete_turn(struct fixture *fixture, uint64_t id)
{
	static struct deletion_report report;
	struct fixture_wait wait = {0};
	const struct deletion deletion = {.kind = DELETION_TURN, .id = id};
	(void)store_delete(fixture->store, fixture_key("alex"), &deletion, 0, 1000, &report,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static bool file_has(const struct fixture *fixture, const char *text)
{
	char name[96];
	static char bytes[MAP];
	(void)snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
	FILE *file = fopen(name, "rb");
	ck_assert_ptr_nonnull(file);
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	return memmem(bytes, size, text, strlen(text)) != NULL;
}

static bool has_folder(const struct fixture *fixture)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "%s/scrub", fixture->path);
	return access(name, F_OK) == 0;
}

static void scrub_with(struct fixture *fixture, struct store_progress progress)
{
	char error[512] = "";
	const struct store_scrub scrub = {.progress = progress};
	ck_assert_msg(store_scrub(fixture->store, &scrub, error, sizeof(error)), "%s", error);
	ck_assert(!has_folder(fixture));
}

START_TEST(what_was_erased_leaves_the_file_and_all_else_stays)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "a", "I live in Lisbon", 100);
	say(&fixture, "b", "I live in Bergen", 200);
	talk_import(&fixture, 200);
	ck_assert(!store_scrubbed(fixture.store).pending);
	ck_assert_int_eq(store_scrubbed(fixture.store).at, 0);
	delete_turn(&fixture, 1);
	ck_assert(store_scrubbed(fixture.store).pending);
	ck_assert(file_has(&fixture, "Lisbon")); /* or the test shows nothing */
	const uint64_t turns = count(&fixture).turns;
	scrub_with(&fixture, (struct store_progress){0});
	ck_assert(!file_has(&fixture, "Lisbon"));
	ck_assert(!store_scrubbed(fixture.store).pending);
	ck_assert_int_gt(store_scrubbed(fixture.store).at, 0);
	ck_assert(recalls(&fixture, "Bergen"));
	ck_assert_uint_eq(count(&fixture).turns, turns);
	say(&fixture, "c", "Oslo is cold", 300);
	scrub_with(&fixture, (struct store_progress){0});
	fixture_reopen(&fixture);
	ck_assert(recalls(&fixture, "Oslo"));
	ck_assert(!store_scrubbed(fixture.store).pending);
	fixture_finish(&fixture);
}
END_TEST

/* Writes of others while a scrub copies: one part each time that it tells of its progress. */
struct meanwhile {
	struct fixture *fixture;
	int parts;
};

static void write_part(void *cookie, double share)
{
	struct meanwhile *meanwhile = cookie;
	struct fixture *fixture = meanwhile->fixture;
	ck_assert(share >= 0 && share <= 1);
	switch (meanwhile->parts++) {
	case 0:
		say(fixture, "new", "Oslo is cold", 5000);
		delete_turn(fixture, 1);
		break;
	case 1:
		say(fixture, "a", "Quito is high", 6000);
		learn_city(fixture, 5, "Tromso", 6000, false);
		break;
	default:
		break;
	}
}

START_TEST(what_is_written_meanwhile_is_in_the_new_file)
{
	struct fixture fixtures[2];
	struct buffer pictures[2];
	for (int i = 0; i < 2; i++) {
		struct meanwhile meanwhile = {&fixtures[i], 0};
		fixture_init(&fixtures[i], MAP);
		say(&fixtures[i], "a", "I live in Lisbon", 100);
		say(&fixtures[i], "b", "I live in Bergen", 200);
		say(&fixtures[i], "b", "and in Tromso", 300);
		if (i == 0)
			scrub_with(&fixtures[i], (struct store_progress){write_part, &meanwhile});
		ck_assert_int_le(meanwhile.parts, 2);
		while (meanwhile.parts < 2)
			write_part(&meanwhile, 0);
		ck_assert(!recalls(&fixtures[i], "Lisbon"));
		ck_assert(recalls(&fixtures[i], "Quito"));
		fixture_reopen(&fixtures[i]);
		buffer_init(&pictures[i], MAP);
		ck_assert_int_eq(store_picture(fixtures[i].store, &pictures[i]), STORE_OK);
		store_picture_counts(fixtures[i].store, &pictures[i]);
	}
	/* the deletion came after the beginning */
	ck_assert(store_scrubbed(fixtures[0].store).pending);
	ck_assert(slice_equal(buffer_slice(&pictures[0]), buffer_slice(&pictures[1])));
	for (int i = 0; i < 2; i++) {
		buffer_finish(&pictures[i]);
		fixture_finish(&fixtures[i]);
	}
}
END_TEST

/* Large enough for several slices. */
START_TEST(a_scrub_in_several_parts_finds_what_a_plain_search_finds)
{
	struct fixture fixture;
	struct oracle oracle;
	struct meanwhile meanwhile = {&fixture, 0};
	fixture_init(&fixture, MAP);
	say(&fixture, "a", "I live in Lisbon", 100);
	for (int i = 0; i < 2; i++)
		talk_import(&fixture, TALK_IMPORT);
	oracle_init(&oracle, &fixture);
	oracle_look(&oracle, TURN_CURRENT);
	scrub_with(&fixture, (struct store_progress){write_part, &meanwhile});
	oracle_look(&oracle, TURN_HIDDEN);
	for (int i = 0; i < 20; i++)
		(void)talk_recall(&oracle);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

/* A read that began before the exchange keeps what it reads. */
struct long_read {
	struct fixture *fixture;
	pthread_t thread;
	atomic_bool begun;
	atomic_bool ends;
	bool found;
};

static void *read_long(void *cookie)
{
	struct long_read *read = cookie;
	struct transaction transaction;
	struct slice value;
	ck_assert(transaction_begin_read(&transaction, read->fixture->store));
	atomic_store(&read->begun, true);
	while (!atomic_load(&read->ends))
		(void)usleep(1000);
	read->found = table_get(&transaction, TABLE_META, key_of_name("format"), &value);
	transaction_abort(&transaction);
	return NULL;
}

static void *scrub_apart(void *cookie)
{
	scrub_with(cookie, (struct store_progress){0});
	return NULL;
}

START_TEST(a_read_from_before_ends_in_the_old_file)
{
	struct fixture fixture;
	struct long_read read = {.fixture = &fixture};
	pthread_t scrub;
	fixture_init(&fixture, MAP);
	say(&fixture, "a", "I live in Lisbon", 100);
	ck_assert_int_eq(pthread_create(&read.thread, NULL, read_long, &read), 0);
	while (!atomic_load(&read.begun))
		(void)usleep(1000);
	ck_assert_int_eq(pthread_create(&scrub, NULL, scrub_apart, &fixture), 0);
	while (store_scrubbed(fixture.store).at == 0) /* others read and write the new one */
		(void)usleep(1000);
	say(&fixture, "a", "Quito is high", 200);
	ck_assert(recalls(&fixture, "Quito"));
	atomic_store(&read.ends, true);
	pthread_join(read.thread, NULL);
	pthread_join(scrub, NULL);
	ck_assert(read.found);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_scrub_that_fails_or_is_stopped_changes_nothing)
{
	struct fixture fixture;
	char error[512] = "";
	char name[96];
	const atomic_bool stops = true;
	const struct store_scrub scrub = {.stops = &stops};
	fixture_init(&fixture, MAP);
	say(&fixture, "a", "I live in Lisbon", 100);
	ck_assert(!store_scrub(fixture.store, &scrub, error, sizeof(error)));
	ck_assert_str_eq(error, "");
	ck_assert(!has_folder(&fixture));
	/* a file where the new one's folder would be */
	(void)snprintf(name, sizeof(name), "%s/scrub", fixture.path);
	fixture_put_file(&fixture, "scrub");
	ck_assert(!store_scrub(fixture.store, &(struct store_scrub){0}, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "cannot scrub"));
	ck_assert_int_eq(unlink(name), 0);
	say(&fixture, "a", "Quito is high", 200);
	ck_assert(recalls(&fixture, "Quito"));
	ck_assert_int_eq(store_scrubbed(fixture.store).at, 0);
	scrub_with(&fixture, (struct store_progress){0});
	ck_assert(recalls(&fixture, "Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

static uint64_t free_blocks = UINT64_MAX; /* that the disk says it has; UINT64_MAX: as it is */

/* In the C library's place. */
int statvfs(const char *path, struct statvfs *disk)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fstatvfs(folder, disk);
	close(folder);
	if (free_blocks != UINT64_MAX)
		disk->f_bavail = free_blocks;
	return result;
}

START_TEST(a_scrub_without_room_says_how_much_it_needs)
{
	struct fixture fixture;
	char error[512] = "";
	fixture_init(&fixture, MAP);
	say(&fixture, "a", "I live in Lisbon", 100);
	free_blocks = 10;
	ck_assert(!store_scrub(fixture.store, &(struct store_scrub){0}, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "free disk"));
	free_blocks = UINT64_MAX;
	scrub_with(&fixture, (struct store_progress){0});
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_scrub", what_was_erased_leaves_the_file_and_all_else_stays,
	  what_is_written_meanwhile_is_in_the_new_file,
	  a_scrub_in_several_parts_finds_what_a_plain_search_finds,
	  a_read_from_before_ends_in_the_old_file, a_scrub_that_fails_or_is_stopped_changes_nothing,
	  a_scrub_without_room_says_how_much_it_needs)
