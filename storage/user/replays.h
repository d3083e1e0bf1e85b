/* The replay ledger: what was recalled for the user turns of a conversation. */
#ifndef RECALLD_STORAGE_USER_REPLAYS_H
#define RECALLD_STORAGE_USER_REPLAYS_H

#include "storage/user/memory.h"

/* By ordinal, the newest last within an ordinal. Leaves out the first ones beyond
 * MEMORY_TEXT_LIMIT. */
struct replay *replays_read(const struct memory *memory, uint32_t conversation, size_t *count);
/* Replaces the replay of the same user turn at the same ordinal; another turn there keeps its
 * own. */
void replays_put(const struct memory *memory, uint32_t conversation, const struct replay *replay);
void replays_delete(const struct memory *memory, uint32_t conversation);

#endif
