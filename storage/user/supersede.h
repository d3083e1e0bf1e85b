/* What ceases to stand: exchanges that a request takes back, with those that return, and facts. */
#ifndef RECALLD_STORAGE_USER_SUPERSEDE_H
#define RECALLD_STORAGE_USER_SUPERSEDE_H

#include "storage/user/branch.h"
#include "storage/user/journal.h"

/* Writes what branch_find() found: turns, facts, jobs, and what was derived from them. `at` is when
 * the user took it back; jobs are made like `like`. */
void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like);

/* Writes what a person, an import or a merge changes, with its tombstones, and withdraws what holds
 * any of it as it was. */
void supersede_facts(const struct memory *memory, const struct fact_changes *changes, int64_t now);

#endif
