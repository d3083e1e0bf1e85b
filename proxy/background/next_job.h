/* Chooses which of a user's jobs is next, and the key for it. Call next_job_choose() on the
 * learner's thread. */
#ifndef RECALLD_PROXY_BACKGROUND_NEXT_JOB_H
#define RECALLD_PROXY_BACKGROUND_NEXT_JOB_H

#include "proxy/background/key_ring.h"
#include "proxy/config/config.h"
#include "storage/store.h"

enum {
	/* Milliseconds after a user's newest turn when everything left is folded into the
	 * summary. */
	LEARN_JOB_IDLE_TIME = 60 * 60 * 1000,
	/* The longest pause before a job's next try, in milliseconds. */
	LEARN_JOB_LONGEST_PAUSE = 5 * 60 * 1000,
	/* The most exchanges of one call: [memory] learn_batch. */
	LEARN_BATCH_MOST = 16,
};

/* Whether an exchange in this mode leaves anything to do now; otherwise its job waits for another
 * mode, and any number of such jobs may have to be passed over. A wish to forget (`forgets`) waits
 * for no mode. Safe from any thread. */
bool learner_follows(const struct config_memory *settings, enum mode mode, bool forgets);

/* Whether the configuration wants the job done, now or after a pause: these are the jobs that
 * `pending` counts. A parked job does not count; neither does one whose mode does not learn, until
 * the mode changes. Safe from any thread. */
bool learner_wants(const struct config *config, const struct job_list *list, const struct job *job,
		   int64_t now);

/* Whether the user lets memory learn. If consent is required, learning stops when a user takes it
 * back; what waits stays, and goes on once the user agrees again. Safe from any thread. */
bool learner_may_learn(const struct config *config, struct store *store, struct user_key user);

struct next_job {
	/* The input of the choice. */
	struct store *store;
	const struct config *config;
	struct key_ring *keys;
	struct user_key user;
	bool has_new_key; /* what failed with the old key is tried at once */
	bool is_pressing; /* does not wait for more exchanges */
	int64_t quiet;    /* milliseconds since the user's last exchange woke the learner */
	int64_t (*clock)(void);

	/* The result, in the arena, until next_job_finish(). */
	const struct job *jobs[LEARN_BATCH_MOST]; /* to be learned from together */
	size_t count;                             /* 0: none is due */
	int64_t wait;           /* milliseconds until one is due; -1: there is none */
	bool idles;             /* it waits for more exchanges, or for the user to be quiet */
	int64_t idle;           /* for so many milliseconds */
	size_t most;            /* or until so many exchanges wait */
	struct slice key_field; /* "NAME: VALUE"; empty: none is needed */
	struct job_list page;   /* the jobs among which it was found */
	int64_t now;            /* the time after they were read: none is from later */
	struct arena arena;
	/* The first job of each kind that is wanted and has its key, or NULL. Jobs for facts run in
	 * order; they and the summary do not wait for each other. */
	const struct job *facts, *summary;
	/* `facts` and those after it that can be learned from in the same call. */
	const struct job *waiting[LEARN_BATCH_MOST];
	size_t waiting_count;
};

/* Fills in the result. */
void next_job_choose(struct next_job *next);
void next_job_finish(struct next_job *next);

#endif
