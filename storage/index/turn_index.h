/* A turn in the index: its document, its terms and its vector. */
#ifndef RECALLD_STORAGE_INDEX_TURN_INDEX_H
#define RECALLD_STORAGE_INDEX_TURN_INDEX_H

#include "storage/user/memory.h"

/* Indexes a turn that is new or whose state may have changed. */
void index_put_turn(const struct memory *memory, const struct turn *turn);
/* Removes everything derived from the stored turn's text, including its vector. */
void index_erase_turn(const struct memory *memory, uint64_t id);

#endif
