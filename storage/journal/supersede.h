/* What an append does to the exchanges that its request takes back, and to what comes back. */
#ifndef RECALLD_STORAGE_JOURNAL_SUPERSEDE_H
#define RECALLD_STORAGE_JOURNAL_SUPERSEDE_H

#include "storage/journal/branch.h"
#include "storage/journal/journal.h"

/* Writes what branch_find() found: turns, facts, jobs, and what was made of them. `at` is when the
 * user took it back; jobs are made after `like`. */
void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like);

/* Drops what was given of a turn that another one took the place of. */
void supersede_given(const struct memory *memory, uint64_t turn);

/* Drops the summary and the frozen contexts that hold one of turns from `from` on: the next summary
 * is made of all that stands then. */
void supersede_summary(const struct memory *memory, uint64_t from, const struct job *like);

#endif
