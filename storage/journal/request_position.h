/* Where a request stands: to which conversation it belongs, where in it, and what it takes back. */
#ifndef RECALLD_STORAGE_JOURNAL_REQUEST_POSITION_H
#define RECALLD_STORAGE_JOURNAL_REQUEST_POSITION_H

#include "storage/journal/branch.h"

struct place {
	uint32_t conversation_id; /* 0: a new one */
	struct past_conversation conversation;
	uint32_t next_ordinal;
	uint32_t carried_from;
	uint64_t same_exchange;
	bool same_learned;
	bool leaves_out; /* something stands before what the request carries */
	bool branches;
	uint32_t branch_from; /* what stands from this ordinal on, and is not kept, is taken back */
	struct branch branch; /* when it does */
};

void place_find(struct place *place, const struct memory *memory, const struct load *load);

#endif
