/* What a request takes back when it continues from an older place of its conversation, and what
 * comes back with it: exchanges, answers, and the facts that rest on them. */
#ifndef RECALLD_CORE_MEMORY_BRANCH_H
#define RECALLD_CORE_MEMORY_BRANCH_H

#include "core/base/ids.h"
#include "core/memory/memory.h"

/* ---- exchanges ---- */

/* An answer carried in a request's history. */
struct carried_answer {
	uint64_t id;       /* the answer's turn */
	uint64_t standing; /* the answer that its exchange shows now, usually this one; 0: none */
};

/* Lists of exchanges and answers, by the ids of their turns, in the arena of the calls that add to
 * them. The caller fills in what the request keeps and carries; the functions below fill in the
 * rest. */
struct branch {
	struct id_list kept;
	struct id_list carried;  /* answers of kept exchanges that the history carries */
	struct id_list taken;    /* current exchanges that are not kept */
	struct id_list returned; /* kept exchanges that are superseded */
	struct id_list shown;    /* carried answers that another one has replaced */
	struct id_list gone; /* all turns that no longer stand when the branch is done, sorted */
};

/* Lists the kept exchanges that return; `kept` are exchanges of the conversation. Returns the
 * ordinal from which to search the conversation for exchanges to take back: `from`, or that of the
 * first exchange that returns. */
uint32_t branch_find_returned(struct branch *branch, const struct past_exchange *kept, size_t count,
			      uint32_t from, struct arena *arena);

/* Lists which of the conversation's `exchanges` from that ordinal on are taken, which answers are
 * shown, and thus which turns are gone. True: the branch changes something. */
bool branch_find_taken(struct branch *branch, struct past_exchanges exchanges,
		       const struct carried_answer *carried, size_t carried_count,
		       struct arena *arena);

/* The lowest id of a turn that goes or comes back; UINT64_MAX: there is none. A summary that covers
 * it may contain what is taken, or lack what comes back. */
uint64_t branch_first_turn(const struct branch *branch);

/* Whether an exchange stands when the branch is done. */
bool branch_lets_stand(const struct branch *branch, const struct past_exchange *exchange);

/* ---- facts ---- */

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
