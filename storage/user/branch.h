/* Reads a request's branch (core/memory/position.h) from the user's tables: when the request is
 * loaded, and again when it is appended. */
#ifndef RECALLD_STORAGE_USER_BRANCH_H
#define RECALLD_STORAGE_USER_BRANCH_H

#include "core/facts/change.h"
#include "storage/user/memory.h"

/* The exchange's answer with this hash, whether it stands or another one does; 0: none. */
uint64_t branch_answer(const struct memory *memory, uint64_t shown, uint64_t hash);

/* Fills in what the branch takes, returns and shows, starting at `from` or at the first kept
 * exchange's ordinal. True: the branch changes something. */
bool branch_find(struct branch *branch, const struct memory *memory, uint32_t conversation,
		 uint32_t from);

/* The user's facts, forgotten ones too, as they are when the branch is done at `now`: those of
 * taken exchanges are retracted, those of returned ones stand again. `changed` has a flag for each.
 */
struct fact *branch_facts(const struct branch *branch, const struct memory *memory, int64_t now,
			  bool **changed, size_t *count);

/* Whether an exchange is taken back when the branch is done; one hidden since then stays hidden. */
bool branch_is_taken_back(const struct branch *branch, const struct memory *memory,
			  uint64_t exchange);

/* Supersedes exchanges that a request takes back and facts that rest on them, and restores those
 * that return. */

/* Writes what branch_find() found: turns, facts, jobs, and what was derived from them. `at` is when
 * the user took it back; jobs are made like `like`. */
void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like);

/* Writes what a person, an import or a merge changes, with its tombstones, and withdraws what holds
 * any of it as it was. */
void supersede_facts(const struct memory *memory, const struct fact_changes *changes, int64_t now);

#endif
