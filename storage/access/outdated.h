/* Which turns say what holds no longer, and which say what holds instead. */
#ifndef RECALLD_STORAGE_ACCESS_OUTDATED_H
#define RECALLD_STORAGE_ACCESS_OUTDATED_H

#include "storage/index/index.h"

struct outdated {
	struct fact *facts; /* ended ones, the oldest first; without entity and kind */
	size_t count;
	struct recall_successor *successors; /* by turn */
	size_t successor_count;
};

/* Reads all hidden facts, and the facts that ended of the user's newest ones. What it reads is in
 * memory->arena. */
void outdated_read(const struct memory *memory, struct outdated *outdated);
/* Reads their successors. */
void outdated_follow(const struct memory *memory, struct outdated *outdated);

/* The successors by document: those of which both documents were read. */
const struct recall_successor *outdated_place(const struct outdated *outdated,
					      const struct documents *documents, size_t *count,
					      struct arena *arena);

#endif
