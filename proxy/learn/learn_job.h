/* A learn_job: one job of the learner's, from its input to its result in the store. One call to the
 * memory model, or a few when the server has to be met half-way. */
#ifndef RECALLD_PROXY_LEARN_LEARN_JOB_H
#define RECALLD_PROXY_LEARN_LEARN_JOB_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct learn_job;

/* Milliseconds after a user's newest turn when all that is left is folded into the summary. */
enum { LEARN_JOB_IDLE_TIME = 60 * 60 * 1000 };
/* Milliseconds that a job waits for its next try, at most. */
enum { LEARN_JOB_LONGEST_PAUSE = 5 * 60 * 1000 };

struct quirk_memory;

struct learn_job_setting {
	struct store *store;
	struct loop *loop;
	struct upstream *upstream;
	struct config *config;
	struct quirk_memory *quirks;
	struct last_failure *failure; /* the memory model's */
	struct user_key user;
	struct slice tenant;
	struct slice user_id;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	struct slice model;     /* the name to ask for */
};

/* Called once from the loop when the memory model is asked no more: what is left is the store's. */
typedef void learn_job_asked(void *cookie);

/* Called once after that from the loop when the result, whatever it is, is in the store; `noted` is
 * false when the store took not even the job's next try, which then is to wait all the same.
 * `wants_room`: there was none for what was learned, and the next try would find none either. */
typedef void learn_job_ended(void *cookie, bool noted, bool wants_room);

/* Starts it on a later turn of the loop. The setting and the job are copied. */
struct learn_job *learn_job_start(const struct learn_job_setting *setting, const struct job *job,
				  learn_job_asked *asked, learn_job_ended *ended, void *cookie);
/* Gives up the call to the model, without an effect on the job. A result that is on its way to the
 * store still gets there. Nothing is called. */
void learn_job_cancel(struct learn_job *learn_job);

/* How many of the uncovered turns are folded now, to the end of an exchange, once there are
 * `summarize_after`: all but half of that number, so that many, as after an edit, take one call;
 * all of them when `is_idle`; 0: none. */
size_t learn_job_fold_count(const struct turn *turns, size_t count, size_t summarize_after,
			    bool is_idle);

#endif
