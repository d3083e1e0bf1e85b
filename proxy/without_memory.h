/* Requests at paths that have no memory: their users are told by a header, their operators by a
 * metric and, once for each client program, by the log. */
#ifndef RECALLD_PROXY_WITHOUT_MEMORY_H
#define RECALLD_PROXY_WITHOUT_MEMORY_H

#include "core/base/bytes.h"

#include <stdatomic.h>

enum { WARNED_PROGRAMS = 64 };

/* The client programs that were warned of, by the hashes of their names. All zeroes is its start;
 * any thread may use it. */
struct warned_programs {
	atomic_uint_fast64_t hashes[WARNED_PROGRAMS];
};

/* Counts a request that named its user, by its path; a path that the metrics have no label for
 * counts as "other". */
void without_memory_count(struct slice path);

/* Logs that the program asks a model at `path`, where nothing is remembered, unless that was said
 * before. `user_agent` is its User-Agent field, of which only the first product's name is told.
 * Once WARNED_PROGRAMS have been told of, no more are. */
void without_memory_warn(struct warned_programs *warned, struct slice user_agent,
			 struct slice path);

#endif
