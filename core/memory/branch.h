/* Which facts are retracted, and which stand again, when exchanges are taken back or come back. */
#ifndef RECALLD_CORE_MEMORY_BRANCH_H
#define RECALLD_CORE_MEMORY_BRANCH_H

#include "core/memory/memory.h"

enum ground_change {
	GROUND_UNCHANGED,
	GROUND_TAKEN,    /* it stood, and is taken back now */
	GROUND_RETURNED, /* it was taken back, and stands now */
};

/* What becomes of the exchange that a fact rests on. */
struct ground {
	enum ground_change change;
	int64_t taken_back_at; /* when it was taken back before now; 0: it was not */
	/* Of a taken one, an exchange that stands and in which the user says the fact as well; 0:
	 * none. */
	uint64_t also_said_in;
	bool in_other_words; /* there: the fact's quote is not in it */
};

/* Whether a fact's exchange is taken back when the branch is done. */
bool ground_is_lost(const struct ground *ground);

/* Changes the facts (all but the forgotten) as their grounds change, at `now`, and sets the flag of
 * each that it changes. A fact that rests on taken exchanges alone is retracted; what it had taken
 * the place of stands again, unless its own exchange is lost. A fact that was retracted with its
 * exchange stands again with it. Of values that exclude each other the newest observation stands.
 * `grounds` and `changed` have one for each fact; `arena` is for its own notes. */
void facts_follow_grounds(struct fact *facts, const struct ground *grounds, bool *changed,
			  size_t count, int64_t now, struct arena *arena);

#endif
