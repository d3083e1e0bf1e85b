/* Shared by all unit tests: one suite, run as TAP. */
#ifndef RECALLD_TESTS_UNIT_H
#define RECALLD_TESTS_UNIT_H

#include "core/base/bytes.h"

#include <check.h>

/* How long a test waits for what must come: only so that a failure has a name. */
enum { WAIT_MS = 20 * 1000 };

/* Makes a new folder for a test's files: in $TMPDIR, else in memory, where no sync waits for a
 * disk, else in /tmp. It has room for a few more characters. unit_run() removes what is left of all
 * of them, after tests that failed, too. */
enum { UNIT_PATH = 64 };
void unit_folder(char folder[UNIT_PATH]);

/* Adds a test case of its own for each listed test; a test file ends with
 *     UNIT_MAIN("json", test_one_thing, test_another) */
int unit_run(const char *suite, const TTest *const *tests, size_t count);

#define UNIT_MAIN(suite, ...)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		return unit_run(suite, tests, sizeof(tests) / sizeof(tests[0]));                   \
	}

/* In a build that measures coverage, writes down which lines of the tested code this process has
 * run, as its end by exit() would. For a process that ends by _exit(). */
void unit_keep_measured(void);

/* Whether a text holds a part. */
bool unit_has(struct slice text, const char *part);

/* Fails with both texts shown unless the slice reads `expected`. */
void unit_assert_slice(struct slice actual, const char *expected);

#endif
