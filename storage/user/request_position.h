/* Where a request stands: its conversation, its position there, and what it takes back. This reads
 * the tables; core/memory/position.h decides. */
#ifndef RECALLD_STORAGE_USER_REQUEST_POSITION_H
#define RECALLD_STORAGE_USER_REQUEST_POSITION_H

#include "core/memory/position.h"
#include "storage/user/branch.h"

struct request_position {
	struct position_known known;
	struct position found;
	uint64_t same_exchange; /* the stored exchange of the same user turn; 0: none */
	bool same_learned;
	bool leaves_out; /* something stands before what the request carries */
	bool branches;
	uint32_t branch_from; /* what stands from this ordinal on and is not kept is taken back */
	struct branch branch; /* valid if it branches */
};

/* `link` belongs to the reply that the request continues from; NULL: none is known. `load` and
 * `link` must outlive the result. */
void request_position_read(struct request_position *at, const struct memory *memory,
			   const struct load *load, const struct chain_link *link);

/* Fills in the conversation, and how the request's history matches it, for the load and link that
 * are set. */
void request_position_read_conversation(struct position_known *known, const struct memory *memory);

#endif
