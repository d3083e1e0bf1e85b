#include "core/base/id_set.h"

#include <stdlib.h>

void id_set_init(struct id_set *set, size_t most)
{
	set->bits = 4;
	while (((size_t)1 << set->bits) < 2 * most)
		set->bits++;
	set->slots = xcalloc((size_t)1 << set->bits, sizeof(*set->slots));
}

void id_set_finish(struct id_set *set)
{
	free(set->slots);
	*set = (struct id_set){0};
}

/* The slot that holds the id, or the free slot for it. Fibonacci hashing spreads ids, which are
 * consecutive. */
static uint64_t *find_slot(const struct id_set *set, uint64_t id)
{
	const uint64_t spread = 0x9E3779B97F4A7C15;
	size_t mask = ((size_t)1 << set->bits) - 1;
	size_t at = (size_t)((id * spread) >> (64 - set->bits));
	while (set->slots[at] != 0 && set->slots[at] != id)
		at = (at + 1) & mask;
	return &set->slots[at];
}

void id_set_add(struct id_set *set, uint64_t id)
{
	if (id != 0)
		*find_slot(set, id) = id;
}

bool id_set_has(const struct id_set *set, uint64_t id)
{
	return id != 0 && *find_slot(set, id) == id;
}
