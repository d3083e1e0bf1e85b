/* Inside lmdb_place: a request while its place is looked for. */
#ifndef RECALLD_STORAGE_JOURNAL_POSITION_H
#define RECALLD_STORAGE_JOURNAL_POSITION_H

#include "core/memory/conversation.h"
#include "storage/journal/request_position.h"

struct placing {
	const struct memory *memory;
	const struct load *load;
	struct place *place;
	struct answer_hit *hits;
	size_t hit_count;
	struct conversation_match match;
	size_t answers_sent; /* tool calls are none */
	bool is_anchored;    /* placed by its user turns */
	bool is_first;       /* it asks the first turn */
	bool certain;        /* so that it may take something back */
};

/* ---- lmdb_place_find.c: what stands where in the conversation ---- */

/* The exchange at an ordinal whose user turn reads so: the newest in this state. 0: none. */
uint64_t placing_find_exchange(const struct placing *placing, uint32_t ordinal, uint64_t user_hash,
			       enum turn_state state);
/* The same, whatever became of it. */
uint64_t placing_find_any(const struct placing *placing, uint32_t ordinal, uint64_t user_hash);
/* The current user turn at an ordinal for which `matches`; 0: none. */
uint64_t placing_find_turn(const struct placing *placing, uint32_t ordinal,
			   bool (*matches)(struct slice stored, struct slice newest));
/* The first ordinal at which something stands, and is not taken back; UINT32_MAX: none. */
uint32_t placing_first_standing(const struct placing *placing);
/* Where a user turn stands, when it is said there alone. False: nowhere, or at several places. */
bool placing_find_only_place(const struct placing *placing, uint64_t user_hash, uint32_t *ordinal);

/* ---- lmdb_place_again.c: the first turn, without a session, after its reply broke off ---- */

/* The conversation that a request which names none asks the first turn of again; 0: none. */
uint32_t placing_find_broken_first(struct placing *placing);

/* ---- lmdb_place_branch.c: what the request takes back ---- */

/* Whether its place is certain, so that it may take something back. */
bool placing_is_certain(const struct placing *placing);
/* The stored exchange at the request's place that asks the same. */
void placing_find_same_exchange(struct placing *placing);
void placing_find_branch(struct placing *placing);

#endif
