/* The branch of a request (core/memory/branch.h) read from the user's tables. It is worked out when
 * the request is loaded, and again when it is appended. */
#ifndef RECALLD_STORAGE_JOURNAL_BRANCH_H
#define RECALLD_STORAGE_JOURNAL_BRANCH_H

#include "core/memory/branch.h"
#include "storage/journal/exchanges.h"

/* The answer of an exchange that has this hash, whether it stands or another one does; 0: none. */
uint64_t branch_answer(const struct memory *memory, uint64_t shown, uint64_t hash);

/* Fills in what the branch takes, returns and shows, from `from` on or from the first kept
 * exchange's ordinal. True: there is anything. */
bool branch_find(struct branch *branch, const struct memory *memory, uint32_t conversation,
		 uint32_t from);

/* What becomes of the facts (all but the forgotten): those of taken exchanges are retracted at
 * `now`, those of returned ones stand again. Returns which were changed, one flag each. */
bool *branch_change_facts(const struct branch *branch, const struct memory *memory,
			  struct fact *facts, size_t count, int64_t now);

/* Whether an exchange is taken back when the branch is done; what was hidden since stays so. */
bool branch_is_taken_back(const struct branch *branch, const struct memory *memory,
			  uint64_t exchange);

#endif
