/* What goes when a user asks to forget something: the turns that say it with their whole exchanges,
 * the words that facts quote from them, and a summary that may tell of them. */
#ifndef RECALLD_CORE_MEMORY_ERASURE_H
#define RECALLD_CORE_MEMORY_ERASURE_H

#include "core/base/ids.h"
#include "core/memory/given.h"

/* What one request to forget has erased so far. Its lists lie in the arena of the calls that add to
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

/* What leaves memory with it. Sorts its lists. */
struct leaving erasure_leaving(struct erasure *erasure);

#endif
