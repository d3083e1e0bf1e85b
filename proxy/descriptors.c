#include "proxy/descriptors.h"

#include <sys/resource.h>

enum {
	OF_THE_PROCESS = 384, /* the store, the logs, the admin address's clients, the learner */
	OF_A_WORKER = 32,     /* its loop, its listener, those that it refuses */
	MOST_IDLE = 128,
	IDLE_SHARE = 16, /* of all descriptors, kept for connections that idle upstream */
	/* One more client takes 2, and an eighth for each worker of those that it may refuse. */
	EIGHTHS_OF_A_CLIENT = 16,
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct descriptor_plan descriptors_plan(size_t limit, size_t workers, size_t wanted)
{
	size_t idle = smaller(MOST_IDLE, 1 + limit / (IDLE_SHARE * workers));
	size_t reserved = OF_THE_PROCESS + workers * (OF_A_WORKER + idle);
	size_t left = limit > reserved ? limit - reserved : 0;
	size_t connections = left / (EIGHTHS_OF_A_CLIENT + workers) * 8;
	if (connections == 0)
		connections = 1;
	return (struct descriptor_plan){smaller(connections, wanted), idle};
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
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* what we have will have to do */
}
