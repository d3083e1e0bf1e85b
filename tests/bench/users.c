/* A store of many users, each with one exchange, 20 facts and a summary:
 *
 *     bench-users [USERS]
 *
 * Prints one line of JSON: what it takes on disk, how long it takes to open, and what a lookup of a
 * user costs (facts, summary and newest turns), warm and with the pages dropped from memory. */
#include "core/learn/learn.h"
#include "core/text/text.h"
#include "tests/unit/random.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FACTS = 20, BATCH = 4000, LOOKUPS = 20000 };

static unsigned long users = 1000000;

static double microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void one_done(void *cookie, enum store_result result)
{
	ck_assert_int_eq(result, STORE_OK);
	--*(unsigned *)cookie;
}

static void await(struct fixture *fixture, const unsigned *pending)
{
	while (*pending > 0)
		fixture_loop_turn(&fixture->loop);
}

/* The users in the order of their keys: made so, they share pages, and each commit writes few. */
static struct user {
	struct user_key key;
	unsigned long number;
} * order;

static int by_key(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct user_key));
}

static void put_in_order(void)
{
	order = xcalloc(users, sizeof(*order));
	for (unsigned long i = 0; i < users; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "user-%lu", i);
		order[i] = (struct user){fixture_key(name), i};
	}
	qsort(order, users, sizeof(*order), by_key);
}

static void name_user(char name[32], unsigned long at)
{
	(void)snprintf(name, 32, "user-%lu", order[at].number);
}

static void journal(struct fixture *fixture, unsigned long first, unsigned count)
{
	char name[32];
	unsigned pending = count;
	for (unsigned i = 0; i < count; i++) {
		struct append append = fixture_exchange(
			"My desk is oak, my phone is blue and I moved to Lisbon last spring.",
			"Noted: an oak desk, a blue phone, and Lisbon since spring.", 1000000);
		name_user(name, first + i);
		append.user = slice_of(name);
		append.session = SLICE("first");
		(void)store_append(fixture->store, &append,
				   (struct store_waiter){&fixture->loop.loop, one_done, &pending});
	}
	await(fixture, &pending);
}

static void describe(struct change *change, int number, uint64_t exchange, struct arena *arena)
{
	*change = (struct change){.kind = CHANGE_ADD, .replaced_by = -1};
	change->fact = (struct fact){
		.entity = SLICE("user"),
		.kind = SLICE("user"),
		.key = arena_printf(arena, "preference_%d", number),
		.value = arena_printf(arena, "the value of fact %d, which is so", number),
		.quote = SLICE("I moved to Lisbon last spring"),
		.confidence = 0.9,
		.exchange = exchange,
		.observed_at = 1000000};
}

static void learn(struct fixture *fixture, unsigned long first, unsigned count)
{
	char name[32];
	unsigned pending = count;
	struct change changes[FACTS];
	for (unsigned i = 0; i < count; i++) {
		struct job_list jobs;
		name_user(name, first + i);
		struct user_key key = fixture_key(name);
		ck_assert_int_eq(store_user_jobs(fixture->store, key, 0, 1, &jobs, &fixture->arena),
				 STORE_OK);
		uint64_t exchange = jobs.jobs[0].exchange;
		for (int number = 0; number < FACTS; number++)
			describe(&changes[number], number, exchange, &fixture->arena);
		(void)store_learned(
			fixture->store, key,
			&(struct learned){exchange, UINT64_MAX, changes, FACTS, false, 1000000},
			(struct store_waiter){&fixture->loop.loop, one_done, &pending});
		arena_finish(&fixture->arena);
		fixture->arena = (struct arena){0};
	}
	await(fixture, &pending);
}

static struct memory_view look_up(struct fixture *fixture, unsigned long number,
				  struct arena *arena)
{
	char name[32];
	struct memory_view view = {0};
	name_user(name, number);
	struct load load = {.user = fixture_key(name),
			    .session = SLICE("second"),
			    .newest_turns = 20,
			    .uncovered_text = SIZE_MAX,
			    .facts = true,
			    .now = 2000000};
	/* No assertion here, which is in what is timed: Check writes each to a file. */
	(void)store_load(fixture->store, &load, &view, arena);
	return view;
}

static void summarize(struct fixture *fixture, unsigned long first, unsigned count)
{
	char name[32];
	unsigned pending = count;
	for (unsigned i = 0; i < count; i++) {
		struct arena arena = {0};
		struct memory_view view = look_up(fixture, first + i, &arena);
		ck_assert(view.known && view.turn_count > 0);
		struct summary summary = {
			.text = SLICE(
				"The user lives in Lisbon since last spring, works at an oak "
				"desk and carries a blue phone. They want short answers, like "
				"lists, and are planning a trip with a tent and a bike. The "
				"boiler at home is to be replaced before winter; nothing was "
				"decided about the piano yet, and the printer stays."),
			.covers = view.turns[view.turn_count - 1].id,
			.updated_at = 1000000,
			.model = SLICE("model")};
		name_user(name, first + i);
		(void)store_summarized(
			fixture->store, fixture_key(name), UINT64_MAX, &summary, 0,
			(struct store_waiter){&fixture->loop.loop, one_done, &pending});
		arena_finish(&arena);
	}
	await(fixture, &pending);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static void print_lookups(struct fixture *fixture, const char *name)
{
	static double times[LOOKUPS];
	struct random chance = {99};
	for (int i = 0; i < LOOKUPS; i++) {
		struct arena arena = {0};
		unsigned long number = random_below(&chance, (uint32_t)users);
		double begin = microseconds();
		struct memory_view view = look_up(fixture, number, &arena);
		times[i] = microseconds() - begin;
		ck_assert(view.known && view.has_summary);
		ck_assert_uint_eq(view.fact_count, FACTS);
		arena_finish(&arena);
	}
	qsort(times, LOOKUPS, sizeof(*times), compare);
	printf("\"%s_p50_us\":%.2f,\"%s_p99_us\":%.2f,", name, times[LOOKUPS / 2], name,
	       times[LOOKUPS * 99 / 100]);
}

static double bytes_on_disk(const struct fixture *fixture)
{
	char path[128];
	struct stat status;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
	ck_assert_int_eq(stat(path, &status), 0);
	return (double)status.st_blocks * 512;
}

static double reopen(struct fixture *fixture, bool cold)
{
	char path[128];
	char error[256];
	struct store_options options = {.path = fixture->path,
					.map_size = fixture->map_size,
					.receipts = fixture->receipts,
					.master = fixture_master()};
	store_close(fixture->store);
	if (cold) {
		(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
		int file = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_eq(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
		(void)close(file);
	}
	double begin = microseconds();
	fixture->store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture->store);
	return (microseconds() - begin) / 1e3;
}

START_TEST(measurements)
{
	struct fixture fixture;
	put_in_order();
	fixture_init(&fixture, UINT64_C(64) << 30);
	double begin = microseconds();
	for (unsigned long first = 0; first < users; first += BATCH) {
		unsigned part = users - first < BATCH ? (unsigned)(users - first) : BATCH;
		journal(&fixture, first, part);
		learn(&fixture, first, part);
		summarize(&fixture, first, part);
	}
	printf("{\"users\":%lu,\"made_s\":%.1f,", users, (microseconds() - begin) / 1e6);
	printf("\"bytes_per_user\":%.0f,", bytes_on_disk(&fixture) / (double)users);
	printf("\"open_cold_ms\":%.2f,", reopen(&fixture, true));
	print_lookups(&fixture, "cold");
	print_lookups(&fixture, "warm");
	printf("\"open_warm_ms\":%.2f}\n", reopen(&fixture, false));
	fixture_finish(&fixture);
	free(order);
}
END_TEST

int main(int count, char **arguments)
{
	const TTest *const tests[] = {measurements};
	if (count > 1)
		users = strtoul(arguments[1], NULL, 10);
	(void)setenv("CK_FORK", "no", true); /* it takes as long as it takes */
	return unit_run("users", tests, 1);
}
