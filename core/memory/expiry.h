/* What is past its time, and goes. */
#ifndef RECALLD_CORE_MEMORY_EXPIRY_H
#define RECALLD_CORE_MEMORY_EXPIRY_H

#include "core/memory/memory.h"

struct expiry {
	int64_t now;
	/* Exchanges of which the user's turn was said then or before go, and summaries that are
	 * made of none said later; INT64_MIN: none do. */
	int64_t turns_until;
	int64_t facts_until; /* facts that were last said then or before; the same */
	enum pii pii;
	/* With the last part the user's bytes go from `counted` to `left`, as store_measure() gave
	 * them; both 0: they are left alone. */
	uint64_t counted;
	uint64_t left;
};

/* Whether a turn was said so long ago that it expires; whether it goes is turn_expires_alone()'s to
 * say for those that begin an exchange. */
bool expiry_takes_turn(const struct expiry *expiry, const struct turn *turn);

/* Whether an expired turn goes by itself, and takes the answers to it along: a user turn does, and
 * an answer to nothing that stands. `asked` is the turn that an answer was given to; NULL: there is
 * none. An answer to a turn that stands goes with that turn, which was said before it. */
bool turn_expires_alone(const struct turn *turn, const struct turn *asked);

/* Whether a conversation expires that was active last at `last_active`, once it has no turns. */
bool expiry_takes_conversation(const struct expiry *expiry, int64_t last_active);

/* Whether a turn that a summary covers keeps the summary: the summary lasts as long as the newest
 * of its turns, whenever it was written. */
bool expiry_keeps_summary(const struct expiry *expiry, const struct turn *covered);

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

/* Sets `turns_until` and `left` so that the oldest turns go and at most `keep` bytes are left. All
 * turns that were said in one millisecond go together. `turns` are the user's that take any bytes;
 * they are sorted by time. */
void expiry_cut(struct expiry *expiry, struct sized_turn *turns, size_t count, uint64_t keep);

struct expired_count {
	size_t exchanges;
	size_t facts; /* deleted or masked */
	bool more;    /* it is to be called again */
};

#endif
