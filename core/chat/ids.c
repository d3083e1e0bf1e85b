#include "core/chat/parts.h"

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
	size_t kept = 0;
	ids_sort(list->ids, list->count);
	for (size_t i = 0; i < list->count; i++) {
		if (kept == 0 || list->ids[kept - 1] != list->ids[i])
			list->ids[kept++] = list->ids[i];
	}
	list->count = kept;
}

bool chat_ids_hold(const struct chat_ids *list, uint64_t id)
{
	return ids_hold(list->ids, list->count, id);
}
