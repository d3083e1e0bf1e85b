/* What appending and importing share. */
#ifndef RECALLD_STORAGE_USER_JOURNAL_H
#define RECALLD_STORAGE_USER_JOURNAL_H

#include "storage/user/memory.h"

/* Reads the user's record, or prepares that of a new user. The caller writes it back. */
void journal_open_user(const struct memory *memory, struct slice tenant, struct slice id,
		       int64_t seen_at, struct stored_user *user);
/* Gives the turn its id and stores it. */
void journal_add_turn(const struct memory *memory, struct stored_user *user,
		      struct stored_turn *turn);
/* Makes an answer findable by its hash; does nothing for 0. */
void journal_fingerprint_answer(const struct memory *memory, uint64_t hash, uint32_t conversation,
				uint32_t ordinal, struct stored_answer answer);
/* Adds an exchange's job, made like `like`. */
void journal_add_job(const struct memory *memory, struct stored_user *user, uint64_t exchange,
		     const struct job *like);
/* Tells the summary's job how many turns came and went. If `like` is given, the job follows it from
 * now on. */
void journal_count_uncovered(const struct memory *memory, size_t came, size_t went,
			     const struct job *like);
/* Makes jobs that waited for a mode that learns follow the configuration from now on. */
void journal_release_jobs(const struct memory *memory, struct stored_user *user);

#endif
