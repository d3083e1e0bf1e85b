/* A user's request to forget takes along: the turns that say it with their whole exchanges, the
 * words that facts quote from them, and a summary that may tell of them; and what goes because it
 * is past its time. */
#ifndef RECALLD_CORE_MEMORY_ERASURE_H
#define RECALLD_CORE_MEMORY_ERASURE_H

#include "core/base/ids.h"
#include "core/memory/given.h"
#include "core/memory/memory.h"

/* The erasures of one request to forget so far. Its lists lie in the arena of the calls that add to
 * them. Initialize it with ERASURE_NONE. */
struct erasure {
	struct id_list exchanges; /* whose turns are hidden */
	struct id_list learned;   /* hidden turns that were current and due for the summary */
	struct id_list turns;     /* whose texts go, in whole or in part */
	struct id_list facts;     /* forgotten */
	uint64_t first_turn; /* the lowest id of these turns and of those that the facts rest on;
				UINT64_MAX: there is none */
	bool forgotten;      /* a fact or a turn was forgotten: what was derived from it must go */
};

#define ERASURE_NONE ((struct erasure){.first_turn = UINT64_MAX})

/* Whether a turn that says what is to be forgotten is hidden: not if it was said after `until`. An
 * answer is as old as `asked`, the turn it answers; NULL: it answers none. */
bool erasure_takes_turn(const struct turn *turn, const struct turn *asked, int64_t until);

/* Hides a turn: erases its text; the caller stores it. `is_for_summary`: the turn was due to be
 * summarized. False: it is already hidden, and nothing changes. */
bool erasure_hide_turn(struct erasure *erasure, struct turn *turn, bool is_for_summary,
		       struct arena *arena);
/* Notes that a turn lost a part of its text. */
void erasure_note_turn(struct erasure *erasure, uint64_t turn, struct arena *arena);

/* Forgets a fact at `now`: erases its texts, but keeps the record that it existed. The caller hides
 * its exchange. */
void erasure_forget_fact(struct erasure *erasure, struct fact *fact, int64_t now,
			 struct arena *arena);

/* Notes that a fact is hidden, as are the turns of its exchange: nothing that was made of them
 * stays. */
void erasure_conceal_fact(struct erasure *erasure, const struct fact *fact, struct arena *arena);

/* Erases the quote of a hidden exchange from a fact that itself stays. False: there is no such
 * quote. */
bool erasure_unquote_fact(const struct erasure *erasure, struct fact *fact);

/* The turns and facts that leave memory with it. Sorts its lists. */
struct leaving erasure_leaving(struct erasure *erasure);

/* ---- what is past its time ---- */

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
