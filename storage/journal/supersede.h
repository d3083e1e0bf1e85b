/* What an append does to the exchanges that its request takes back and to those that return. */
#ifndef RECALLD_STORAGE_JOURNAL_SUPERSEDE_H
#define RECALLD_STORAGE_JOURNAL_SUPERSEDE_H

#include "storage/journal/branch.h"
#include "storage/journal/journal.h"

/* Writes what branch_find() found: turns, facts, jobs, and what was derived from them. `at` is when
 * the user took it back; jobs are made like `like`. */
void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like);

/* Drops what was given for a turn that has been replaced. */
void supersede_given(const struct memory *memory, uint64_t turn);

/* Drops the summary and the frozen contexts that contain a turn from `from` on: the next summary is
 * made from all turns that then stand. */
void supersede_summary(const struct memory *memory, uint64_t from, const struct job *like);

#endif
