/* The replay ledger: what was recalled for the user turns of a conversation. */
#ifndef RECALLD_STORAGE_USER_REPLAYS_H
#define RECALLD_STORAGE_USER_REPLAYS_H

#include "storage/user/memory.h"

/* By ordinal, of one ordinal the newest last. Beyond MEMORY_TEXT_LIMIT the first are left out. */
struct replay *replays_read(const struct memory *memory, uint32_t conversation, size_t *count);
/* Takes the place of one for the same user turn at the same ordinal; another turn there keeps its
 * own. */
void replays_put(const struct memory *memory, uint32_t conversation, const struct replay *replay);
void replays_delete(const struct memory *memory, uint32_t conversation);

/* Whether one of these turns (rising ids) was given in it. */
bool frozen_shares(const struct frozen *frozen, const uint64_t *turns, size_t turn_count);
bool replay_shares(const struct replay *replay, const uint64_t *turns, size_t turn_count);
/* Deletes the user's frozen contexts that do. */
void frozen_delete_with(const struct memory *memory, const uint64_t *turns, size_t turn_count);

/* Deletes the user's replays in which one of these turns or facts (rising ids) was given. */
void replays_delete_with(const struct memory *memory, const uint64_t *turns, size_t turn_count,
			 const uint64_t *facts, size_t fact_count);

#endif
