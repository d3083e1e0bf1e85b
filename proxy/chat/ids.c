#include "proxy/chat/parts.h"

#include "core/base/ids.h"

#include <string.h>

struct chat_ids chat_ids_make(size_t most, struct arena *arena)
{
	return (struct chat_ids){arena_alloc(arena, most * sizeof(uint64_t)), 0};
}

void chat_ids_add(struct chat_ids *list, const uint64_t *ids, size_t count)
{
	if (count > 0)
		memcpy(list->ids + list->count, ids, count * sizeof(*ids));
	list->count += count;
}

void chat_ids_sort(struct chat_ids *list)
{
	ids_sort(list->ids, list->count);
}

bool chat_ids_hold(const struct chat_ids *list, uint64_t id)
{
	return ids_hold(list->ids, list->count, id);
}

/* ---- a set ---- */

struct chat_id_set chat_id_set_make(size_t most, struct arena *arena)
{
	struct chat_id_set set = {.bits = 4};
	while (((size_t)1 << set.bits) < 2 * most)
		set.bits++;
	size_t size = ((size_t)1 << set.bits) * sizeof(*set.slots);
	set.slots = memset(arena_alloc(arena, size), 0, size);
	return set;
}

/* The slot that holds the id, or the free one that is to hold it. */
static uint64_t *find_slot(const struct chat_id_set *set, uint64_t id)
{
	const uint64_t spread = 0x9e3779b97f4a7c15;
	size_t mask = ((size_t)1 << set->bits) - 1;
	size_t at = (size_t)((id * spread) >> (64 - set->bits));
	while (set->slots[at] != 0 && set->slots[at] != id)
		at = (at + 1) & mask;
	return &set->slots[at];
}

bool chat_id_set_holds_any(const struct chat_id_set *set, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ids[i] != 0 && *find_slot(set, ids[i]) == ids[i])
			return true;
	}
	return false;
}

void chat_id_set_add(struct chat_id_set *set, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*find_slot(set, ids[i]) = ids[i];
}
