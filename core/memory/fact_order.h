/* Two orders of facts: the stable one in which they are shown, and the one in which they are
 * chosen. */
#ifndef RECALLD_CORE_MEMORY_FACT_ORDER_H
#define RECALLD_CORE_MEMORY_FACT_ORDER_H

#include "core/memory/memory.h"

bool fact_is_about_user(const struct fact *fact);
/* Whether both are values of the same key of the same entity, byte for byte. */
bool fact_same_key(const struct fact *a, const struct fact *b);

/* Whether only one of two facts can be current: both are values of the same key, and not both are
 * among several. */
bool fact_excludes(const struct fact *a, const struct fact *b);
/* Whether `fact` is the newer observation; at the same instant, the one with the higher id. */
bool fact_is_newer(const struct fact *fact, const struct fact *than);

/* Sorts pointers to facts: the user's first, then by entity, key and id. */
void fact_sort_shown(const struct fact **facts, size_t count);
/* Sorts pointers to facts: the newest observation first; at the same instant, the higher id. */
void fact_sort_newest(const struct fact **facts, size_t count);

#endif
