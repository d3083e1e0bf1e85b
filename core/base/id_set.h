/* A set of numbers for lookup while it grows: ids of turns, hashes of texts. */
#ifndef RECALLD_CORE_BASE_ID_SET_H
#define RECALLD_CORE_BASE_ID_SET_H

#include "core/base/bytes.h"

struct id_set {
	uint64_t *slots; /* open addressing; 0: free */
	unsigned bits;   /* of a slot's index */
};

/* Makes room for `most` numbers; do not add more. */
void id_set_init(struct id_set *set, size_t most);
void id_set_finish(struct id_set *set);
/* The set never holds 0: adding it does nothing. */
void id_set_add(struct id_set *set, uint64_t id);
bool id_set_has(const struct id_set *set, uint64_t id);

#endif
