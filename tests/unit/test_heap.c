#include "proxy/runtime/process.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 16 * 1024, PIECE = 8000, MEGABYTE = 1 << 20 };

static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*u %lu", &pages), 1);
	(void)fclose(file);
	return pages * 4096;
}

/* Each eighth piece lives on, so that nothing goes back by itself. */
static void *rise_and_fall(void *cookie)
{
	char **pieces = cookie;
	for (int i = 0; i < PIECES; i++) {
		size_t size = i % 8 == 0 ? 40 : PIECE;
		pieces[i] = malloc(size);
		memset(pieces[i], 1, size);
	}
	for (int i = 0; i < PIECES; i++) {
		if (i % 8 != 0)
			free(pieces[i]);
	}
	return NULL;
}

START_TEST(what_a_peak_of_threads_has_left_free_goes_back)
{
	static char *pieces[PIECES];
	pthread_t thread;
	malloc_set_up();
	ck_assert_int_eq(pthread_create(&thread, NULL, rise_and_fall, pieces), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	size_t peak = resident();
	ck_assert_uint_gt(peak, 96 * MEGABYTE);
	malloc_give_back();
	ck_assert_uint_lt(resident(), peak - 80 * MEGABYTE);
	for (int i = 0; i < PIECES; i += 8)
		free(pieces[i]);
}
END_TEST

UNIT_MAIN("heap", what_a_peak_of_threads_has_left_free_goes_back)
