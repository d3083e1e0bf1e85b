/* What appending and importing have in common. */
#ifndef RECALLD_STORAGE_JOURNAL_JOURNAL_H
#define RECALLD_STORAGE_JOURNAL_JOURNAL_H

#include "storage/user/memory.h"

/* The user's record, or that of a new user. It is put back by the caller. */
void journal_open_user(const struct memory *memory, struct slice tenant, struct slice id,
		       int64_t seen_at, struct stored_user *user);
/* Gives the turn its id and stores it. */
void journal_add_turn(const struct memory *memory, struct stored_user *user,
		      struct stored_turn *turn);
/* Makes an answer findable by its hash; 0 is nobody's. */
void journal_fingerprint_answer(const struct memory *memory, uint64_t hash, uint32_t conversation,
				uint32_t ordinal, struct stored_answer answer);
/* An exchange's job, made after `like`. */
void journal_add_job(const struct memory *memory, struct stored_user *user, uint64_t exchange,
		     const struct job *like);
/* The summary's job is told of turns that came and went. With `like` it goes by that from now on.
 */
void journal_count_uncovered(const struct memory *memory, size_t came, size_t went,
			     const struct job *like);
/* Jobs that waited for a mode that learns go by the configuration from now on. */
void journal_release_jobs(const struct memory *memory, struct stored_user *user);

#endif
