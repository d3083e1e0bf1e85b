/* Values that were corrected away: learning, late jobs and imports do not bring them back. A
 * tombstone holds no text of the value, only a hash of it. */
#ifndef RECALLD_CORE_RIGHTS_TOMBSTONE_H
#define RECALLD_CORE_RIGHTS_TOMBSTONE_H

#include "core/memory/memory.h"

/* Case folded, in NFKC, each run of white space as one space, without it and without closing marks
 * at the ends: the form in which entities, keys and values are compared. */
struct slice rights_fold(struct slice text, struct arena *arena);

/* The hash of a value, with the user's salt: the same value of two users has two hashes. */
uint64_t tombstone_hash(struct slice salt, struct slice value, struct arena *arena);
/* The hash of what the value was of. */
uint64_t tombstone_subject(struct slice salt, struct slice entity, struct slice key,
			   struct arena *arena);

/* Whether the value has a tombstone under that entity and key. `is_subject` says whether a
 * tombstone's entity and key are the ones that are meant; it is asked for equal values only. */
bool tombstones_hold(const struct tombstones *tombstones, struct slice value,
		     bool (*is_subject)(void *cookie, struct slice entity, struct slice key),
		     void *cookie, struct arena *arena);

#endif
