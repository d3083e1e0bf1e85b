/* Arrays that grow by one element at a time. */
#ifndef RECALLD_CORE_BASE_GROW_H
#define RECALLD_CORE_BASE_GROW_H

#include "core/base/bytes.h"

/* Makes room for one more element of `size` bytes behind `count` of them, and returns the array,
 * which may have moved. `capacity` doubles when it is used up; it is 0 at first, as the array is
 * NULL. Room in an arena is zeroed; room on the heap is the caller's to free. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);
void *xgrow(void *array, size_t count, size_t *capacity, size_t size);

#endif
