#include "proxy/runtime/process.h"

#include "core/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- descriptors ---- */

enum {
	OF_THE_PROCESS = 384, /* the store, the log, admin clients, the learner */
	OF_A_WORKER = 32,     /* a worker's loop, its listener, a few refused clients */
	MOST_REFUSED = 240,   /* the rest of the refused clients (server.c) */
	MOST_IDLE = 128,
	SHARE = 16, /* of all descriptors: upper limit for each of these two */
	LEAST_ROOM = 16,
};

struct descriptor_plan descriptors_plan(size_t limit, size_t workers, size_t wanted)
{
	size_t idle = size_min(MOST_IDLE, 1 + limit / (SHARE * workers));
	size_t refused = size_min(MOST_REFUSED, limit / (SHARE * workers));
	size_t reserved = OF_THE_PROCESS + workers * (OF_A_WORKER + idle + refused);
	size_t room = limit > reserved + LEAST_ROOM ? limit - reserved : LEAST_ROOM;
	return (struct descriptor_plan){size_min(room / 4 * 3, wanted), room, idle};
}

size_t descriptors_limit(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_max : 0;
}

void descriptors_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* keep what we have if it fails */
}

void descriptors_hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

bool descriptors_finish_output(const char *program)
{
	bool arrived = ferror(stdout) == 0;
	errno = 0;
	if (fflush(stdout) == 0 && arrived)
		return true;
	if (errno != EPIPE)
		(void)fprintf(stderr, "%s: cannot write output: %s\n", program,
			      errno == 0 ? "it is truncated" : strerror(errno));
	return false;
}

/* ---- memory ---- */

/* By default, glibc raises its mmap threshold up to 32 MB as it sees large bodies. Ranking a long
 * memory uses smaller blocks, and their pages should stay: getting them anew for each request took
 * a fifth of its time. */
enum {
	MAPPED_ALONE = 1024 * 1024,
	KEPT_AT_TOP = 1024 * 1024,
	SPARE_MEMORY = 4 * 1024 * 1024,
};

void malloc_set_up(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_AT_TOP);
}

/* Small long-lived blocks keep glibc from returning what a peak of connections has left free. */
void malloc_give_back(void)
{
	if (mallinfo2().fordblks > SPARE_MEMORY)
		(void)malloc_trim(0);
}
