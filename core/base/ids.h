/* Lists of numbers: ids of turns and facts, hashes of texts. */
#ifndef RECALLD_CORE_BASE_IDS_H
#define RECALLD_CORE_BASE_IDS_H

#include "core/base/bytes.h"

/* For qsort() and bsearch(): compares the numbers with which two things begin. */
int ids_compare(const void *left, const void *right);
/* Where the first thing stands whose number is at least this one, in a list of `count` things of
 * `size` bytes, sorted by the numbers with which they begin. */
size_t ids_first_from(const void *list, size_t count, size_t size, uint64_t number);

void ids_sort(uint64_t *ids, size_t count);
/* `ids` must be sorted; NULL only if there are none. */
bool ids_hold(const uint64_t *ids, size_t count, uint64_t id);

/* A list that grows in an arena, in any order. `ids` is NULL while it is empty. */
struct id_list {
	uint64_t *ids;
	size_t count;
	size_t capacity;
};
void id_list_add(struct id_list *list, struct arena *arena, uint64_t id);
void id_list_add_all(struct id_list *list, struct arena *arena, const uint64_t *ids, size_t count);
bool id_list_has(const struct id_list *list, uint64_t id);
/* Sorts the list and leaves out repeats. */
void id_list_sort(struct id_list *list);

/* A set for lookup while it grows. */
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
