/* An allocator that fails when told to. An executable that links it uses it for everything in the
 * process: ours, LMDB's, libstemmer's, libunistring's, libcrypto's and libc's own allocations.
 *
 * A trial is one run of something in a process of its own with one allocation failing. It must end
 * well (exit 0) or clearly: with the one line that out_of_memory() writes and SIGABRT. */
#ifndef RECALLD_TESTS_FAILING_ALLOCATOR_H
#define RECALLD_TESTS_FAILING_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now on fails, 1 being the next; 0: none does. All threads' count. */
void allocator_fail(size_t nth);
/* Whether it has come to that. */
bool allocator_has_failed(void);
/* Allocations from now on until allocator_fail(0), none of which fails. */
void allocator_count(void);
size_t allocator_counted(void);
/* Every allocation of the calling process from now on calls this, until it is NULL; when it gives
 * true the allocation fails. Not called again from within itself. */
void allocator_ask(bool (*fails)(void));
/* How many allocations have not been freed. */
long allocator_live(void);

enum trial {
	TRIAL_ENDED_WELL,
	TRIAL_ENDED_CLEARLY,
	TRIAL_ENDED_BADLY, /* what it said is on standard error */
};
/* In a new process, between these two: trial_begin() gives true there and false in the process that
 * called, which then asks for the result. `reported` is set when the trial told trial_end() so. */
bool trial_begin(void);
_Noreturn void trial_end(bool reported);
enum trial trial_result(bool *reported);

/* In a trial: says what was expected and ends it badly. */
#define TRIAL_EXPECT(condition)                                                                    \
	((condition) ? (void)0 : trial_expected(__FILE__, __LINE__, #condition))
_Noreturn void trial_expected(const char *file, int line, const char *condition);

#endif
