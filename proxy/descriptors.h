/* How many file descriptors the process may open, and how many connections they suffice for, so
 * that a client that was let in never finds its request without a socket to the upstream. */
#ifndef RECALLD_PROXY_DESCRIPTORS_H
#define RECALLD_PROXY_DESCRIPTORS_H

#include <stddef.h>

struct descriptor_plan {
	size_t connections;   /* clients' at once, at most as many as wanted */
	size_t idle_upstream; /* connections that each worker may keep */
};

/* Of `limit` descriptors. A client takes two, its own and its upstream's; those that are refused,
 * kept upstream connections and the process's own files come off first. */
struct descriptor_plan descriptors_plan(size_t limit, size_t workers, size_t wanted);
/* The most that this process may open (RLIMIT_NOFILE, hard). */
size_t descriptors_limit(void);
/* Takes that many: service managers and shells give fewer at first. */
void descriptors_raise(void);

#endif
