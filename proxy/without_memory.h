/* Requests to paths that have no memory. A header tells the user, a metric tells the operator, and
 * the log names each client program once. */
#ifndef RECALLD_PROXY_WITHOUT_MEMORY_H
#define RECALLD_PROXY_WITHOUT_MEMORY_H

#include "core/base/bytes.h"

#include <stdatomic.h>

enum { WARNED_PROGRAMS = 64 };

/* The client programs already logged, as hashes of their names. Zero-initialize it. Thread-safe. */
struct warned_programs {
	/* No table: all threads read and write it without a lock. */
	atomic_uint_fast64_t hashes[WARNED_PROGRAMS];
};

/* Counts a request that named its user, by path. Paths without their own metric label count as
 * "other". */
void without_memory_count(struct slice path);

/* Logs, once per program, that a program calls a model at `path`, where nothing is remembered.
 * `user_agent` is its User-Agent field, of which only the first product's name is logged. Stops
 * logging after WARNED_PROGRAMS programs. */
void without_memory_warn(struct warned_programs *warned, struct slice user_agent,
			 struct slice path);

#endif
