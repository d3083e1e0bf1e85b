#include "tests/unit/failing_allocator.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc's own, whatever the executable calls malloc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static atomic_long live;
static atomic_long countdown; /* 0: nothing is counted; the allocation that takes it to 0 fails */
static atomic_size_t counted;
static atomic_bool counting;
static atomic_bool failed;
static bool (*_Atomic ask)(void);

static bool fails(void)
{
	if (atomic_load(&counting))
		atomic_fetch_add(&counted, 1);
	if (atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1) {
		atomic_store(&failed, true);
		return true;
	}
	bool (*question)(void) = atomic_exchange(&ask, NULL);
	if (question == NULL)
		return false;
	bool answer = question();
	if (!answer)
		atomic_store(&ask, question);
	return answer;
}

static void *given(void *memory)
{
	if (memory != NULL)
		atomic_fetch_add(&live, 1);
	return memory;
}

static void *refused(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return fails() ? refused() : given(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return fails() ? refused() : given(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
	if (fails())
		return refused();
	return memory == NULL ? given(__libc_malloc(size)) : __libc_realloc(memory, size);
}

void free(void *memory)
{
	if (memory != NULL)
		atomic_fetch_sub(&live, 1);
	__libc_free(memory);
}

void allocator_fail(size_t nth)
{
	atomic_store(&counting, false);
	atomic_store(&failed, false);
	atomic_store(&countdown, (long)nth);
}

bool allocator_has_failed(void)
{
	return atomic_load(&failed);
}

void allocator_count(void)
{
	atomic_store(&counted, 0);
	atomic_store(&counting, true);
}

size_t allocator_counted(void)
{
	return atomic_load(&counted);
}

void allocator_ask(bool (*fails_now)(void))
{
	atomic_store(&ask, fails_now);
}

long allocator_live(void)
{
	return atomic_load(&live);
}

/* ---- trials ---- */

enum { REPORTED = 77 };
static const char last_words[] = "recalld: out of memory\n";
static pid_t process;
static int said = -1; /* what the trial writes to standard error */

bool trial_begin(void)
{
	if (said < 0)
		said = memfd_create("said", MFD_CLOEXEC);
	(void)!ftruncate(said, 0);
	(void)lseek(said, 0, SEEK_SET);
	(void)fflush(NULL);
	process = fork();
	if (process != 0)
		return false;
	(void)dup2(said, STDERR_FILENO);
	return true;
}

void trial_end(bool reported)
{
	/* The code behind a library's failed allocation runs nowhere else. */
	if (reported)
		unit_keep_measured();
	_exit(reported ? REPORTED : 0);
}

void trial_expected(const char *file, int line, const char *condition)
{
	allocator_fail(0);
	(void)dprintf(STDERR_FILENO, "%s:%d: expected: %s\n", file, line, condition);
	_exit(1);
}

enum trial trial_result(bool *reported)
{
	int status = -1;
	char words[2048] = "";
	(void)waitpid(process, &status, 0);
	ssize_t size = pread(said, words, sizeof(words) - 1, 0);
	*reported = WIFEXITED(status) && WEXITSTATUS(status) == REPORTED;
	if (*reported || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return TRIAL_ENDED_WELL;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strcmp(words, last_words) == 0)
		return TRIAL_ENDED_CLEARLY;
	(void)fprintf(stderr, "status %#x, %.*s\n", (unsigned)status, (int)(size > 0 ? size : 0),
		      words);
	return TRIAL_ENDED_BADLY;
}
