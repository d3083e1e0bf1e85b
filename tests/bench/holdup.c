/* How long another user's exchange waits to be on disk while a memory of so many turns is imported
 * and then deleted: bench-holdup [TURNS], 100000 by default. */
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

/* Appends one exchange after the other until the operation is over. */
static void measure(struct fixture *fixture, const char *name, struct fixture_wait *wait)
{
	struct append append = fixture_exchange("hi", "hello", 100);
	double began = now_ms();
	size_t appended = 0;
	append.user = SLICE("ben");
	while (!wait->done && appended < MAX_WAITS) {
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

START_TEST(measurements)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	struct imported_turn *turns = xcalloc(count, sizeof(*turns));
	for (size_t i = 0; i < count; i++)
		turns[i] = (struct imported_turn){
			.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
			.text = SLICE("We park the car behind the house when the street is full."),
			.hash = i + 1,
			.created_at = (int64_t)i,
			.session = SLICE("old")};
	fixture_init(&fixture, (uint64_t)4 << 30);
	(void)store_import(fixture.store, SLICE("shared"), SLICE("alex"), turns, count, true,
			   SLICE("model"), 0, &fixture.loop.loop, fixture_done, &wait);
	measure(&fixture, "import", &wait);
	wait = (struct fixture_wait){0};
	(void)store_forget(fixture.store, fixture_key("alex"), &fixture.loop.loop, fixture_done,
			   &wait);
	measure(&fixture, "delete", &wait);
	free(turns);
	fixture_finish(&fixture);
}
END_TEST

int main(int argument_count, char **arguments)
{
	const TTest *const tests[] = {measurements};
	if (argument_count > 1)
		count = strtoul(arguments[1], NULL, 10);
	(void)setenv("CK_FORK", "no", true); /* it takes as long as it takes */
	return unit_run("holdup", tests, 1);
}
