/* How long another user's exchange waits to be on disk while a memory of so many turns is imported,
 * taken along, taken in by a new user, by one who has a memory, and twice, and then deleted:
 * bench-holdup [TURNS [WORDS]], 100000 turns of 12 words by default. */
#include "storage/portable.h"
#include "tests/unit/random.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_WAITS = 1 << 20 };

static double waits[MAX_WAITS]; /* in milliseconds */

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Appends one exchange after the other until the operation is over, and `least` in any case. */
static void measure(struct fixture *fixture, const char *name, struct fixture_wait *wait,
		    size_t least)
{
	struct append append = fixture_exchange("hi", "hello", 100);
	double began = now_ms();
	size_t appended = 0;
	append.user = SLICE("ben");
	while ((!wait->done || appended < least) && appended < MAX_WAITS) {
		double at = now_ms();
		if (fixture_append(fixture, &append) != STORE_OK)
			abort();
		waits[appended++] = now_ms() - at;
	}
	(void)fixture_await(&fixture->loop, wait);
	qsort(waits, appended, sizeof(*waits), compare);
	printf("%s: %.0f ms; %zu exchanges of another user meanwhile: median %.1f ms, p99 %.1f ms, "
	       "longest %.1f ms\n",
	       name, now_ms() - began, appended, waits[appended / 2], waits[appended * 99 / 100],
	       waits[appended - 1]);
}

static size_t count = 100000;

/* Turns with many seldom words: most of what is to be deleted is the words' lists. */
enum { VOCABULARY = 30000, WORD_SIZE = 8 };
static size_t words = 12;

static struct slice say(struct random *chance)
{
	char *text = xmalloc(words * WORD_SIZE);
	size_t size = 0;
	for (size_t i = 0; i < words; i++) {
		size_t word = random_below(chance, random_below(chance, VOCABULARY) + 1);
		for (word += 20; word > 0; word /= 20)
			text[size++] = "bcdfghjklmnpqrstvwxz"[word % 20];
		text[size++] = ' ';
	}
	return (struct slice){text, size};
}

static void take_in(struct fixture *fixture, struct portable_memory *memory, const char *user,
		    const char *name)
{
	struct fixture_wait wait = {0};
	struct take_in_count taken = {0};
	memory->user = slice_of(user);
	(void)store_take_in(fixture->store, memory, 0, &taken,
			    (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	measure(fixture, name, &wait, 0);
	if (wait.result != STORE_OK || taken.turns + taken.known != count)
		abort();
}

static void measure_taking_in(struct fixture *fixture)
{
	struct portable_memory memory;
	struct append append = fixture_exchange("hi", "hello", 100);
	struct fixture_wait over = {.done = true};
	double at = now_ms();
	if (store_read_memory(fixture->store, fixture_key("alex"), &memory, &fixture->arena) !=
	    STORE_OK)
		abort();
	printf("export: read in %.0f ms\n", now_ms() - at);
	take_in(fixture, &memory, "cleo", "take in");
	take_in(fixture, &memory, "cleo", "take in again");
	append.user = SLICE("dora");
	if (fixture_append(fixture, &append) != STORE_OK)
		abort();
	take_in(fixture, &memory, "dora", "take in beside a memory");
	measure(fixture, "nothing", &over, 300);
}

START_TEST(measurements)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	struct fixture_turn *turns = xcalloc(count, sizeof(*turns));
	struct random chance = {4711};
	for (size_t i = 0; i < count; i++)
		turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .text = say(&chance),
						 .hash = i + 1,
						 .created_at = (int64_t)i,
						 .session = SLICE("old")};
	fixture_init(&fixture, (uint64_t)4 << 30);
	wait.done = true;
	measure(&fixture, "nothing", &wait, 300);
	wait = (struct fixture_wait){0};
	(void)fixture_begin_import(fixture.store, SLICE("shared"), SLICE("alex"), turns, count,
				   true, 0,
				   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	measure(&fixture, "import", &wait, 0);
	measure_taking_in(&fixture);
	wait = (struct fixture_wait){0};
	(void)store_forget(fixture.store, fixture_key("alex"), 0, NULL,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	measure(&fixture, "delete", &wait, 0);
	for (size_t i = 0; i < count; i++)
		free((char *)turns[i].text.data);
	free(turns);
	fixture_finish(&fixture);
}
END_TEST

int main(int argument_count, char **arguments)
{
	const TTest *const tests[] = {measurements};
	if (argument_count > 1)
		count = strtoul(arguments[1], NULL, 10);
	if (argument_count > 2)
		words = strtoul(arguments[2], NULL, 10);
	(void)setenv("CK_FORK", "no", true); /* it takes as long as it takes */
	return unit_run("holdup", tests, 1);
}
