/* Facts that follow the exchanges they rest on, which a branch takes back or returns. */
#ifndef RECALLD_CORE_FACTS_GROUNDS_H
#define RECALLD_CORE_FACTS_GROUNDS_H

#include "core/memory/branch.h"

enum ground_change {
	GROUND_UNCHANGED,
	GROUND_TAKEN,    /* it stood, and is taken back now */
	GROUND_RETURNED, /* it was taken back, and stands now */
};

/* What happens to the exchange that a fact rests on. */
struct ground {
	enum ground_change change;
	int64_t taken_back_at; /* when it was taken back before now; 0: it was not */
	/* For a taken exchange: a standing exchange in which the user says the fact as well; 0:
	 * none. */
	uint64_t also_said_in;
	bool in_other_words; /* that exchange does not contain the fact's quote */
};

/* What the branch does to an exchange; NULL: the exchange is gone. The caller finds out what is
 * also said elsewhere. */
struct ground branch_ground(const struct branch *branch, const struct past_exchange *exchange);

/* Whether the fact's state may change with the branch, so that its ground is worth reading. */
bool branch_may_change(const struct branch *branch, const struct fact *fact);

/* Whether a fact's exchange is taken back when the branch is done. */
bool ground_is_lost(const struct ground *ground);

/* Updates the facts (all but the forgotten) as their grounds change, at `now`, and sets the flag of
 * each fact that it changes. A fact that rests only on taken exchanges is retracted; the fact that
 * it superseded stands again, unless its own exchange is lost. A fact that was retracted with its
 * exchange stands again with it. Among values that exclude each other, the newest observation
 * stands. `grounds` and `changed` have one element per fact; `arena` is for working memory. */
void facts_follow_grounds(struct fact *facts, const struct ground *grounds, bool *changed,
			  size_t count, int64_t now, struct arena *arena);

#endif
