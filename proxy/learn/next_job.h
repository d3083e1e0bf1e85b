/* Which of a user's jobs is done next, and with which key. next_job_choose() belongs to the
 * learner's thread. */
#ifndef RECALLD_PROXY_LEARN_NEXT_JOB_H
#define RECALLD_PROXY_LEARN_NEXT_JOB_H

#include "proxy/config/config.h"
#include "proxy/learn/key_ring.h"
#include "storage/store.h"

/* Whether an exchange of this mode leaves anything to do now; else its job waits for another mode,
 * and there may be any number of them to walk over. From any thread. */
bool learner_follows(const struct config_memory *settings, enum mode mode);

/* Whether a job is one that the configuration wants done, be it now or after a pause: the jobs that
 * `pending` counts. A parked one is not; nor is one whose mode does not learn, until the mode
 * changes. From any thread. */
bool learner_wants(const struct config *config, const struct job_list *list, const struct job *job,
		   int64_t now);

struct next_job {
	/* What to choose from. */
	struct store *store;
	const struct config *config;
	struct key_ring *keys;
	struct user_key user;
	bool has_new_key; /* what failed with the old one is tried at once */
	int64_t now;

	/* What was chosen; in the arena, until next_job_finish(). */
	const struct job *job;  /* NULL: none is due... */
	int64_t wait;           /* ...until so many milliseconds have passed; -1: there is none */
	struct slice key_field; /* "NAME: VALUE"; empty: none is needed */
	struct job_list page;   /* the jobs among which it was found */
	struct arena arena;
	/* The first of each kind that is wanted and has its key, or NULL. Those for facts go in
	 * their order; the summary waits for none of them, nor they for it. */
	const struct job *facts, *summary;
};

/* Fills in the second part. */
void next_job_choose(struct next_job *next);
void next_job_finish(struct next_job *next);

#endif
