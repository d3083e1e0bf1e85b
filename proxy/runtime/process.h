/* The process's resources: how many file descriptors it may open and how they are divided, so that
 * an admitted client can always get an upstream socket, and how much freed memory it keeps. */
#ifndef RECALLD_PROXY_RUNTIME_PROCESS_H
#define RECALLD_PROXY_RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

struct descriptor_plan {
	size_t connections;   /* client connections at once; at most `wanted` */
	size_t room;          /* for client connections and requests in progress together */
	size_t idle_upstream; /* idle upstream connections that each worker may keep */
};

/* Divides `limit` descriptors. First reserves those for refused clients, idle upstream connections
 * and the process itself, then leaves a quarter of the rest to requests. */
struct descriptor_plan descriptors_plan(size_t limit, size_t workers, size_t wanted);
/* The most descriptors that the process may open (hard RLIMIT_NOFILE). */
size_t descriptors_limit(void);
/* Opens standard input, output and error if they are closed, so that no file or socket gets their
 * numbers and receives what is printed. Reading or writing them still fails. */
void descriptors_hold_standard(void);
/* Flushes standard output. Returns false if some output was lost, and reports that under the
 * program's name unless the reader closed the pipe. */
bool descriptors_finish_output(const char *program);
/* Raises the soft limit to the hard one: service managers and shells start with less. */
void descriptors_raise(void);

/* ---- memory ---- */

/* Call before any thread starts. Large allocations get their own mapping and are returned to the
 * system when freed. */
void malloc_set_up(void);
/* Returns free memory to the system if there is much of it. Any thread. Blocks malloc meanwhile, so
 * call it rarely. */
void malloc_give_back(void);

#endif
