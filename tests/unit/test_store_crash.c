#include "storage/lmdb/reader.h"
#include "storage/record/key.h"
#include "storage/record/stored.h"
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

/* ---- killed at any moment ---- */

struct sent {
	struct fixture_wait wait;
	uint32_t number;
};

/* Appends exchange after exchange, some at a time, and writes the number of each to the pipe once
 * it is acknowledged. Ends only by being killed. */
static void append_for_ever(struct fixture *fixture, uint32_t first, int acknowledged)
{
	enum { AT_ONCE = 8 };
	for (uint32_t number = first;; number += AT_ONCE) {
		struct sent sent[AT_ONCE] = {{{0}, 0}};
		for (uint32_t i = 0; i < AT_ONCE; i++) {
			char text[32];
			(void)snprintf(text, sizeof(text), "number %u", number + i);
			struct append append = fixture_exchange(text, "noted", number + i);
			append.session = SLICE("chat");
			(void)store_append(fixture->store, &append,
					   (struct store_waiter){&fixture->loop.loop, fixture_done,
								 &sent[i].wait});
		}
		for (uint32_t i = 0; i < AT_ONCE; i++) {
			uint32_t done = number + i;
			if (fixture_await(&fixture->loop, &sent[i].wait) != STORE_OK ||
			    write(acknowledged, &done, sizeof(done)) != sizeof(done))
				_exit(1);
		}
	}
}

static size_t kill_while_appending(struct fixture *fixture, uint32_t first, useconds_t after,
				   uint32_t *acknowledged)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		char error[256];
		struct store_options options = {.path = fixture->path,
						.map_size = MAP,
						.receipts = 10,
						.master = fixture_master()};
		fixture_loop_init(&fixture->loop);
		fixture->store = store_open(&options, error, sizeof(error));
		if (fixture->store == NULL)
			_exit(1);
		append_for_ever(fixture, first, ends[1]);
	}
	close(ends[1]);
	/* Half of them before there is anything, half while it is at work, however slow that is. */
	struct pollfd first_one = {.fd = ends[0], .events = POLLIN};
	if (after % 2 == 0)
		(void)poll(&first_one, 1, 10000);
	usleep(after);
	int status;
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	size_t count = 0;
	while (read(ends[0], &acknowledged[count], sizeof(*acknowledged)) == sizeof(*acknowledged))
		count++;
	close(ends[0]);
	return count;
}

/* How often each number was said, by what the store remembers; and that it is whole. */
static void count_numbers(struct fixture *fixture, unsigned *times, size_t limit)
{
	struct user_memory memory;
	enum store_result result = store_read_user(fixture->store, fixture_key("alex"), 1000000, 0,
						   &memory, &fixture->arena);
	ck_assert(result == STORE_OK || result == STORE_NOT_FOUND);
	memset(times, 0, limit * sizeof(*times));
	for (size_t i = 0; i < memory.turn_count; i++) {
		unsigned number;
		if (memory.turns[i].role != ROLE_USER)
			continue;
		ck_assert_int_eq(sscanf(memory.turns[i].text.data, "number %u", &number), 1);
		ck_assert_uint_lt(number, limit);
		times[number]++;
		/* An exchange is there as a whole, with its answer. */
		ck_assert_uint_lt(i + 1, memory.turn_count);
	}
	struct store_statistics statistics;
	store_statistics(fixture->store, &statistics);
	ck_assert_uint_eq(statistics.turns, memory.turn_count);
	ck_assert_uint_eq(statistics.jobs, memory.turn_count / 2 + (memory.turn_count > 0));
	ck_assert_uint_eq(statistics.unreadable, 0);
}

START_TEST(whatever_was_acknowledged_is_there_once_after_a_kill)
{
	enum { KILLS = 20, PER_KILL = 20000 };
	struct fixture fixture;
	unsigned seed = (unsigned)time(NULL);
	unsigned *times = xcalloc(KILLS * PER_KILL, sizeof(*times));
	uint32_t *acknowledged = xcalloc(KILLS * PER_KILL, sizeof(*acknowledged));
	size_t count = 0;
	fixture_init(&fixture, MAP);
	for (uint32_t i = 0; i < KILLS; i++) {
		store_close(fixture.store);
		fixture.store = NULL;
		useconds_t after = (useconds_t)rand_r(&seed) % 60000 + 5000;
		count += kill_while_appending(&fixture, i * PER_KILL, after, acknowledged + count);
		char error[256];
		struct store_options options = {.path = fixture.path,
						.map_size = MAP,
						.receipts = 10,
						.master = fixture_master()};
		fixture.store = store_open(&options, error, sizeof(error));
		ck_assert_msg(fixture.store != NULL, "%s", error);
		count_numbers(&fixture, times, KILLS * PER_KILL);
		for (size_t k = 0; k < count; k++)
			ck_assert_uint_eq(times[acknowledged[k]], 1);
	}
	ck_assert_uint_gt(count, 0);
	for (size_t k = 0; k < KILLS * PER_KILL; k++)
		ck_assert_uint_le(times[k], 1);
	free(acknowledged);
	free(times);
	fixture_finish(&fixture);
}
END_TEST

/* ---- opening ---- */

static void on_lost_page(int number)
{
	(void)number;
	_exit(42);
}

/* Nobody asks it anything, so that only its own thread reads, when it looks at the room. */
static int lose_pages(void *path)
{
	char file[512];
	char error[256];
	struct store_options options = {
		.path = path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	if (store_open(&options, error, sizeof(error)) == NULL)
		return 1;
	(void)signal(SIGBUS, on_lost_page);
	(void)snprintf(file, sizeof(file), "%s/data.mdb", (const char *)path);
	if (truncate(file, 2 * sysconf(_SC_PAGESIZE)) != 0)
		return 2;
	(void)sleep(10);
	return 3;
}

START_TEST(the_stores_own_thread_says_so_when_it_loses_a_page)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	store_close(fixture.store);
	ck_assert_int_eq(reader_run_apart(lose_pages, fixture.path), 42);
	fixture_put_file(&fixture, "data.mdb");
	fixture_put_file(&fixture, "making");
	fixture.store = NULL;
	fixture_reopen(&fixture);
	fixture_finish(&fixture);
}
END_TEST

static int read_and_vanish(void *path)
{
	static struct reader reader;
	return reader_open(&reader, path, false) == NULL ? 7 : 0;
}

static int count_reader(const char *line, void *count)
{
	*(size_t *)count += strchr(line, '-') != NULL || strspn(line, " 0123456789abcdef") > 10;
	return 0;
}

static size_t readers_of(const struct store *store)
{
	size_t count = 0;
	ck_assert_int_ge(mdb_reader_list(store->env, count_reader, &count), 0);
	return count;
}

START_TEST(a_reader_that_was_killed_keeps_no_pages_from_being_used_again)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reader_run_apart(read_and_vanish, fixture.path), 7);
	/* The store's own thread looks each second, and is a reader itself while it looks. */
	for (int i = 0; i < 1000 && readers_of(fixture.store) > 0; i++)
		(void)usleep(10 * 1000);
	ck_assert_uint_eq(readers_of(fixture.store), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_unreadable_record_is_skipped_and_counted)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 3; i++) {
		struct append append = fixture_exchange("hi", "hello", 100 + 10 * i);
		append.session = SLICE("chat");
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	struct key user = key_of_user(fixture_key("alex"));
	fixture_put(&fixture, TABLE_TURNS, key_u64(user, 3), SLICE("\1\3"));
	fixture_put(&fixture, TABLE_FACTS, key_u64(user, 1), SLICE(""));
	fixture_put(&fixture, TABLE_SUMMARIES, user, SLICE("\7what a later version writes"));
	fixture_put(&fixture, TABLE_JOBS, key_u64(key_byte(user, JOB_FACTS), 3),
		    SLICE("\1\xff\xff"));
	fixture_put(&fixture, TABLE_FROZEN, key_u32(user, 1),
		    SLICE("\1\1\1\1\1\1\1\1\xff\xff\x7f"));
	store_close(fixture.store);
	struct store_options options = {
		.path = fixture.path, .map_size = MAP, .receipts = 10, .master = fixture_master()};
	char error[256];
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture.store != NULL, "%s", error);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 5);
	ck_assert(!view.has_summary && !view.has_frozen);
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 3);
	struct store_statistics statistics;
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_ge(statistics.unreadable, 5);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_disk_without_room_fails_writes_and_harms_nothing)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct rlimit before;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct rlimit small = {300 * 1024, before.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	char *large = xcalloc(1, 1024 * 1024);
	memset(large, 'x', 1024 * 1024 - 1);
	struct append too_large = fixture_exchange(large, "ok", 200);
	enum store_result result = fixture_append(&fixture, &too_large);
	ck_assert(result == STORE_FULL || result == STORE_FAILED);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 2);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(fixture_append(&fixture, &too_large), STORE_OK);
	free(large);
	fixture_finish(&fixture);
}
END_TEST

/* ---- many threads ---- */

enum { THREADS = 4, EXCHANGES = 100 };

struct worker {
	struct store *store;
	int number;
	pthread_t thread;
};

/* Each has a user of its own and one that all share, and reads what it wrote. No two say the same:
 * that would be one turn with several answers. */
static void *work(void *cookie)
{
	struct worker *worker = cookie;
	struct fixture_loop loop;
	char name[] = {(char)('a' + worker->number), '\0'};
	size_t *counted = xcalloc(1, sizeof(*counted));
	fixture_loop_init(&loop);
	for (int i = 0; i < EXCHANGES; i++) {
		struct fixture_wait waits[2] = {{0}};
		char said[] = {'h', 'i', name[0], (char)(' ' + i), '\0'};
		struct append append = fixture_exchange(said, "hello", 100 + i);
		append.session = SLICE("chat");
		(void)store_append(worker->store, &append,
				   (struct store_waiter){&loop.loop, fixture_done, &waits[0]});
		append.user = slice_of(name);
		(void)store_append(worker->store, &append,
				   (struct store_waiter){&loop.loop, fixture_done, &waits[1]});
		(void)fixture_await(&loop, &waits[0]);
		(void)fixture_await(&loop, &waits[1]);
		struct arena arena = {0};
		struct load load = {.user = fixture_key(name), .newest_turns = MEMORY_MAX_TURNS};
		struct memory_view view;
		if (store_load(worker->store, &load, &view, &arena) == STORE_OK)
			*counted = view.turn_count;
		arena_finish(&arena);
	}
	fixture_loop_finish(&loop);
	return counted;
}

START_TEST(many_threads_append_and_load_at_once)
{
	struct fixture fixture;
	struct worker workers[THREADS];
	fixture_init(&fixture, MAP);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.store = fixture.store, .number = i};
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *counted;
		ck_assert_int_eq(pthread_join(workers[i].thread, &counted), 0);
		ck_assert_uint_eq(*(size_t *)counted, 2 * EXCHANGES);
		free(counted);
	}
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.answers, THREADS * EXCHANGES);
	struct store_statistics statistics;
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.writes, 2 * THREADS * EXCHANGES);
	ck_assert_uint_lt(statistics.commits, statistics.writes);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_crash", whatever_was_acknowledged_is_there_once_after_a_kill,
	  the_stores_own_thread_says_so_when_it_loses_a_page,
	  a_reader_that_was_killed_keeps_no_pages_from_being_used_again,
	  an_unreadable_record_is_skipped_and_counted,
	  a_disk_without_room_fails_writes_and_harms_nothing, many_threads_append_and_load_at_once)
