/* A turn in the index: its document, its terms and its vector. */
#ifndef RECALLD_STORAGE_INDEX_TURN_INDEX_H
#define RECALLD_STORAGE_INDEX_TURN_INDEX_H

#include "storage/user/memory.h"

/* Indexes a turn that is new or whose state may have changed. */
void index_put_turn(const struct memory *memory, const struct turn *turn);
/* Follows a change of the stored turn's text to one that says less; the caller stores it. */
void index_shorten_turn(const struct memory *memory, const struct turn *shortened);

#endif
