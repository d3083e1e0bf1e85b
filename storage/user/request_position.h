/* Where a request stands: its conversation, its place there, and what it takes back. This reads the
 * tables; core/memory/position.h decides. */
#ifndef RECALLD_STORAGE_USER_REQUEST_POSITION_H
#define RECALLD_STORAGE_USER_REQUEST_POSITION_H

#include "core/memory/position.h"
#include "storage/user/branch.h"

struct place {
	uint32_t conversation_id; /* 0: a new one */
	struct past_conversation conversation;
	struct conversation_match match;
	struct request_position position;
	uint64_t same_exchange;
	bool same_learned;
	bool leaves_out; /* something stands before what the request carries */
	bool branches;
	uint32_t branch_from; /* what stands from this ordinal on and is not kept is taken back */
	struct branch branch; /* valid if it branches */
};

/* `link` belongs to the reply that the request continues from; NULL: none is known. */
void place_find(struct place *place, const struct memory *memory, const struct load *load,
		const struct chain_link *link);

/* Fills in the conversation, and how the request's history matches it. */
void place_find_conversation(struct place *place, const struct memory *memory,
			     const struct load *load, const struct chain_link *link);

#endif
