/* Expiry: which data is past its time and goes. */
#ifndef RECALLD_CORE_MEMORY_EXPIRY_H
#define RECALLD_CORE_MEMORY_EXPIRY_H

#include "core/memory/memory.h"

struct expiry {
	int64_t now;
	/* Exchanges whose user turn was said at this time or earlier go, as do summaries of nothing
	 * said later; INT64_MIN: none go. */
	int64_t turns_until;
	int64_t facts_until;             /* the same for facts, by when they were last said */
	int64_t kinds_until[FACT_KINDS]; /* the same for facts of one kind; 0: none go */
	int64_t summaries_until;         /* for summaries, by when they were written; 0: none go */
	int64_t receipts_until;          /* for receipts; 0: none go */
	int64_t hidden_until;            /* for hidden facts, with their turns; 0: none go */
	enum pii pii;
};

/* Whether a turn was said so long ago that it expires. If it begins an exchange,
 * turn_expires_alone() decides whether it goes. */
bool expiry_takes_turn(const struct expiry *expiry, const struct turn *turn);

/* Whether an expired turn goes by itself and takes its answers along: a user turn does, and an
 * answer to nothing that stands. `asked` is the turn that an answer was given to; NULL: there is
 * none. An answer to a turn that stands goes with that turn, which was said before it. */
bool turn_expires_alone(const struct turn *turn, const struct turn *asked);

/* Whether a conversation last active at `last_active` expires once it has no turns. */
bool expiry_takes_conversation(const struct expiry *expiry, int64_t last_active);

/* Whether a turn that a summary covers keeps the summary: a summary lasts as long as the newest of
 * its turns, whenever it was written. */
bool expiry_keeps_summary(const struct expiry *expiry, const struct turn *covered);

/* Whether a summary goes by the time it was written at. */
bool expiry_takes_summary(const struct expiry *expiry, const struct summary *summary);
/* Whether a receipt goes by its time, which its id begins with. */
bool expiry_takes_receipt(const struct expiry *expiry, uint64_t receipt);

enum fact_fate {
	FACT_STAYS,
	FACT_IS_MASKED, /* by fact_mask() */
	FACT_IS_DELETED,
};

enum fact_fate expiry_of_fact(const struct expiry *expiry, const struct fact *fact);
/* Whether it can change any fact at all. */
bool expiry_takes_facts(const struct expiry *expiry);

struct sized_turn {
	int64_t said_at;
	uint64_t bytes;
};

/* Sets `turns_until` so that the oldest turns go and at most `keep` bytes of them are left. Turns
 * said in the same millisecond go together. Sorts the turns by time. */
void expiry_cut(struct expiry *expiry, struct sized_turn *turns, size_t count, uint64_t keep);

struct expired_count {
	size_t exchanges;
	size_t facts; /* deleted or masked */
	bool more;    /* call again: there is more */
};

#endif
