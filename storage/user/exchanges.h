/* Reads the exchanges of a conversation for the rules of core/memory. */
#ifndef RECALLD_STORAGE_USER_EXCHANGES_H
#define RECALLD_STORAGE_USER_EXCHANGES_H

#include "storage/user/memory.h"

enum {
	EXCHANGE_OFFSET = 24,  /* offset of its id in a key of TABLE_EXCHANGES */
	TURN_TIME_OFFSET = 24, /* offset of a turn's id in a key of TABLE_TURN_TIMES */
};

/* An exchange's user turn, without its text. False: it is gone. */
bool exchange_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn);

/* An exchange by its id, without its text. False: it is gone. */
bool exchange_read(const struct memory *memory, uint64_t id, struct past_exchange *exchange);

/* The conversation's exchanges with ordinals from `first` to `last`, in the memory's arena. Their
 * texts are not copied: they are valid until the transaction writes or ends. */
struct past_exchanges exchanges_read(const struct memory *memory, uint32_t conversation,
				     uint32_t first, uint32_t last);

#endif
