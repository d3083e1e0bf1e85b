/* A disk that fails, under the log's file calls: it knows what of a folder's files is durable and
 * what only the cache holds, and can lose power at any call. The files themselves hold what a
 * process sees. One disk at a time. */
#ifndef RECALLD_TESTS_LOG_DISK_H
#define RECALLD_TESTS_LOG_DISK_H

#include "storage/log/calls.h"
#include "tests/unit/random.h"

#include <stdbool.h>

/* How many of a thousand calls fail. */
struct disk_faults {
	unsigned full;        /* reserving and writing: no room */
	unsigned broken;      /* any: EIO; a sync that fails writes a part and forgets the rest */
	unsigned interrupted; /* reading and writing: EINTR, or a part only */
};

extern const struct log_calls disk_calls;

/* `folder` is empty and outlives the disk; so does `random`. */
void disk_begin(const char *folder, struct random *random);
/* Deletes the files. */
void disk_end(void);
void disk_set_faults(struct disk_faults faults);
/* From the `calls`-th call on nothing works any more. 0: for ever. */
void disk_stop_after(size_t calls);
bool disk_is_stopped(void);
/* The process ended, and the machine did not: the files stay as they are. */
void disk_kill(void);
/* Of what was not synced, any part reaches the disk, in pieces of 512 bytes and in any order; the
 * files are what is left. */
void disk_lose_power(void);

#endif
