/* The lists of the postings: for each term, the turns of a span that have it. Many occurrences go
 * in or out at once, so that each list is read and written once. */
#ifndef RECALLD_STORAGE_INDEX_LISTS_H
#define RECALLD_STORAGE_INDEX_LISTS_H

#include "storage/index/index.h"

/* A term in a turn. */
struct occurrence {
	uint64_t hash; /* as the store has it, see terms_hidden() */
	uint64_t turn;
	uint32_t count;
};

/* Zero-initialize it. */
struct occurrences {
	struct occurrence *list;
	size_t count;
	size_t capacity;
};

void occurrences_add(struct occurrences *occurrences, struct occurrence occurrence);

struct key lists_key(const struct memory *memory, uint64_t turn, uint64_t hash);
/* Removes a turn's terms if they wait beside its block; otherwise adds what its lists have of it.
 */
void terms_take_out(const struct memory *memory, uint64_t turn, const struct term_list *terms,
		    struct occurrences *gone);
/* Both free the occurrences. The turns that go in are newer than all in the lists. */
void lists_put(const struct memory *memory, struct occurrences *occurrences);
void lists_erase(const struct memory *memory, struct occurrences *occurrences);

#endif
