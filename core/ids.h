/* Sorted lists of numbers: ids of turns and facts, hashes of texts. */
#ifndef RECALLD_CORE_IDS_H
#define RECALLD_CORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ids_sort(uint64_t *ids, size_t count);
/* `ids` are sorted; NULL only when there are none. */
bool ids_hold(const uint64_t *ids, size_t count, uint64_t id);

#endif
