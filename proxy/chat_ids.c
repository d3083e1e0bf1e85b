#include "proxy/chat_parts.h"

#include <stdlib.h>
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

static int compare_ids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

void chat_ids_sort(struct chat_ids *list)
{
	qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
}

bool chat_ids_hold(const struct chat_ids *list, uint64_t id)
{
	return list->count > 0 &&
	       bsearch(&id, list->ids, list->count, sizeof(id), compare_ids) != NULL;
}
