/* What a request takes back when it continues from an older place of its conversation, and what
 * comes back with it. */
#ifndef RECALLD_CORE_MEMORY_BRANCH_H
#define RECALLD_CORE_MEMORY_BRANCH_H

#include "core/base/ids.h"
#include "core/memory/memory.h"

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
	struct id_list taken;    /* exchanges that stand and are not kept, forgotten ones too */
	struct id_list returned; /* kept exchanges that were taken back */
	struct id_list shown;    /* carried answers that another one has replaced */
	struct id_list gone; /* all turns that no longer stand when the branch is done, sorted */
	/* The lowest id of a turn whose text goes or comes back; 0: there is none. A
	 * summary that covers it may contain what is taken, or lack what comes back. */
	uint64_t first_turn;
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

/* Whether an exchange stands when the branch is done, with its texts. */
bool branch_lets_stand(const struct branch *branch, const struct past_exchange *exchange);

#endif
