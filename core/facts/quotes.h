/* Finds which of many quotes a text holds as whole words. The quotes stand in a table by their
 * first eight bytes: one pass over the text finds those that may begin in it, and only these are
 * searched for, each once. Quotes that are shorter, or begin alike, cost a search each. */
#ifndef RECALLD_CORE_FACTS_QUOTES_H
#define RECALLD_CORE_FACTS_QUOTES_H

#include "core/base/bytes.h"

struct quotes {
	const struct slice *quotes;
	size_t left;     /* how many have not been found */
	uint32_t *first; /* for each slot, a quote... */
	uint32_t *next;  /* ...and for each quote, the next of its slot */
	uint32_t *texts; /* for each slot of `first`, the last text that was searched for it */
	uint32_t text;
	unsigned bits; /* of the hash */
};

/* `list` has fewer than UINT32_MAX quotes and must live as long; none is in an empty one. The rest
 * is in the arena. */
void quotes_init(struct quotes *quotes, const struct slice *list, size_t count,
		 struct arena *arena);
/* Writes the places in the list of those that the text holds; they are not searched for again.
 * `found` has room for `left`. Returns their number. */
size_t quotes_take(struct quotes *quotes, struct slice text, uint32_t *found);

#endif
