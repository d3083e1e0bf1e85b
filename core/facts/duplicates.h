/* Facts that say the same: they have the same entity, key and value, as corrections compare them.
 * Learning and corrections make none; imports may. */
#ifndef RECALLD_CORE_FACTS_DUPLICATES_H
#define RECALLD_CORE_FACTS_DUPLICATES_H

#include "core/memory/memory.h"

/* The lists lie in the arena. */
struct duplicates {
	struct fact *facts; /* all that change: facts that stay, those that they supersede, and
			     * suggestions against these */
	size_t count;
	uint64_t *gone; /* the superseded ones' ids, ascending */
	size_t gone_count;
};

/* Finds the sets of equal facts that stand at `now`. A pinned fact of a set stays, else the one
 * said last. It takes over the others' repeats, the newest time and the longest life, and
 * supersedes them, so that an import knows them again. */
struct duplicates duplicates_find(const struct fact *facts, size_t count, int64_t now,
				  struct arena *arena);

#endif
