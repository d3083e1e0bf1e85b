#include "core/base/ids.h"

#include "core/base/grow.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

void ids_sort(uint64_t *ids, size_t count)
{
	if (count > 0)
		qsort(ids, count, sizeof(*ids), compare);
}

bool ids_hold(const uint64_t *ids, size_t count, uint64_t id)
{
	return count > 0 && bsearch(&id, ids, count, sizeof(id), compare) != NULL;
}

void id_list_add(struct id_list *list, struct arena *arena, uint64_t id)
{
	list->ids = arena_grow(arena, list->ids, list->count, &list->capacity, sizeof(*list->ids));
	list->ids[list->count++] = id;
}

bool id_list_has(const struct id_list *list, uint64_t id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->ids[i] == id)
			return true;
	}
	return false;
}
