/* What a request that goes on from an older place of its conversation takes back, and what comes
 * back with it: exchanges, answers, and the facts that rest on them. */
#ifndef RECALLD_CORE_MEMORY_BRANCH_H
#define RECALLD_CORE_MEMORY_BRANCH_H

#include "core/base/ids.h"
#include "core/memory/memory.h"

/* ---- exchanges ---- */

/* An answer that a request's history carries. */
struct carried_answer {
	uint64_t id;       /* the answer's turn */
	uint64_t standing; /* the answer that its exchange shows, mostly the same; 0: none */
};

/* Lists of exchanges and of answers, by the ids of their turns; in the arena of the calls that add
 * to them. The caller fills in what the request keeps and carries, the functions below the rest. */
struct branch {
	struct id_list kept;
	struct id_list carried;  /* answers that the history carries, of kept exchanges */
	struct id_list taken;    /* current exchanges that are not kept */
	struct id_list returned; /* kept exchanges that are superseded */
	struct id_list shown;    /* carried answers in whose place another one stands */
	struct id_list gone;     /* all turns that stand no more when the branch is done, sorted */
};

/* Lists the kept exchanges that return; `kept` are exchanges of the conversation. Returns the
 * ordinal from which on the conversation's exchanges are to be looked at for what is taken: `from`,
 * or that of the first one that returns. */
uint32_t branch_find_returned(struct branch *branch, const struct past_exchange *kept, size_t count,
			      uint32_t from, struct arena *arena);

/* Lists what is taken of the conversation's `exchanges` from that ordinal on, the answers that are
 * shown, and with them what is gone. True: the branch changes anything. */
bool branch_find_taken(struct branch *branch, struct past_exchanges exchanges,
		       const struct carried_answer *carried, size_t carried_count,
		       struct arena *arena);

/* The lowest id of a turn that goes or comes back; UINT64_MAX: none does. A summary that covers it
 * may hold what is taken, or lack what comes back. */
uint64_t branch_first_turn(const struct branch *branch);

/* Whether an exchange stands when the branch is done. */
bool branch_lets_stand(const struct branch *branch, const struct past_exchange *exchange);

/* ---- facts ---- */

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

/* What the branch does to an exchange; what is also said elsewhere is the caller's to find. NULL:
 * the exchange is gone. */
struct ground branch_ground(const struct branch *branch, const struct past_exchange *exchange);

/* Whether the fact's state may change with the branch, so that its ground is worth reading. */
bool branch_may_change(const struct branch *branch, const struct fact *fact);

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
