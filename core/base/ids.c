#include "core/base/ids.h"

#include <stdlib.h>

int ids_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

size_t ids_first_from(const void *list, size_t count, size_t size, uint64_t number)
{
	size_t low = 0;
	size_t high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ids_compare((const char *)list + middle * size, &number) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void ids_sort(uint64_t *ids, size_t count)
{
	if (count > 0)
		qsort(ids, count, sizeof(*ids), ids_compare);
}

bool ids_hold(const uint64_t *ids, size_t count, uint64_t id)
{
	return count > 0 && bsearch(&id, ids, count, sizeof(id), ids_compare) != NULL;
}

void id_list_add(struct id_list *list, struct arena *arena, uint64_t id)
{
	list->ids = arena_grow(arena, list->ids, list->count, &list->capacity, sizeof(*list->ids));
	list->ids[list->count++] = id;
}

void id_list_add_all(struct id_list *list, struct arena *arena, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		id_list_add(list, arena, ids[i]);
}

bool id_list_has(const struct id_list *list, uint64_t id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->ids[i] == id)
			return true;
	}
	return false;
}

void id_list_sort(struct id_list *list)
{
	size_t kept = 0;
	ids_sort(list->ids, list->count);
	for (size_t i = 0; i < list->count; i++) {
		if (kept == 0 || list->ids[kept - 1] != list->ids[i])
			list->ids[kept++] = list->ids[i];
	}
	list->count = kept;
}

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
