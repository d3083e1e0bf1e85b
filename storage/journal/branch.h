/* What a request that goes on from an older place of its conversation takes back, and what comes
 * back with it. Worked out when the request is loaded, and again when it is appended. */
#ifndef RECALLD_STORAGE_JOURNAL_BRANCH_H
#define RECALLD_STORAGE_JOURNAL_BRANCH_H

#include "core/base/ids.h"
#include "storage/user/memory.h"

enum {
	EXCHANGE_OFFSET = 24,  /* of its id in a key of TABLE_EXCHANGES */
	TURN_TIME_OFFSET = 24, /* of a turn's id in a key of TABLE_TURN_TIMES */
};

/* Lists of exchanges, and of answers. */
struct branch {
	struct id_list kept;
	struct id_list taken;    /* current ones that are not kept */
	struct id_list returned; /* kept ones that are superseded */
	struct id_list carried;  /* the answers that the history carries, of kept exchanges */
	struct id_list shown;    /* of them those in whose place another one stands */
};

/* An exchange's user turn, without its text. False: it is gone. */
bool branch_turn(const struct memory *memory, uint64_t exchange, struct stored_turn *turn);

/* The answer of an exchange that has this hash, whether it stands or another one does; 0: none. */
uint64_t branch_answer(const struct memory *memory, const struct stored_exchange *exchange,
		       uint64_t hash);

/* Fills in what is taken, returned and shown, from `from` on or from the first kept exchange's
 * ordinal. True: there is anything. */
bool branch_find(struct branch *branch, const struct memory *memory, uint32_t conversation,
		 uint32_t from);

/* What becomes of the facts (all but the forgotten): those of taken exchanges are retracted at
 * `now`, those of returned ones stand again. Gives which were changed, one flag each. */
bool *branch_change_facts(const struct branch *branch, const struct memory *memory,
			  struct fact *facts, size_t count, int64_t now);

/* All turns that stand no more when the branch is done, sorted. */
struct id_list branch_gone(const struct branch *branch, const struct memory *memory);

/* Whether an exchange is taken back when the branch is done; what was hidden since stays so. */
bool branch_is_taken_back(const struct branch *branch, const struct memory *memory,
			  uint64_t exchange);

#endif
