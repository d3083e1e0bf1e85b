/* A learn_job: one job of the learner, or several exchanges to learn facts from, from the input to
 * the result in the store. It makes one call to the memory model, or a few if the server needs
 * other parameters. */
#ifndef RECALLD_PROXY_BACKGROUND_LEARN_JOB_H
#define RECALLD_PROXY_BACKGROUND_LEARN_JOB_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct learn_job;

/* Milliseconds after a user's newest turn when everything left is folded into the summary. */
enum { LEARN_JOB_IDLE_TIME = 60 * 60 * 1000 };
/* The longest pause before a job's next try, in milliseconds. */
enum { LEARN_JOB_LONGEST_PAUSE = 5 * 60 * 1000 };

struct pace;
struct quirk_memory;

struct learn_job_setting {
	struct store *store;
	struct loop *loop;
	struct upstream *upstream;
	struct config *config;
	struct quirk_memory *quirks;
	struct pace *pace;
	struct last_failure *failure; /* the memory model's */
	struct forgotten *forgotten;
	struct user_key user;
	struct slice tenant;
	struct slice user_id;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	struct slice model;     /* the model name to send */
};

/* Called once from the loop when the memory model is no longer needed: the rest is up to the
 * store. */
typedef void learn_job_asked(void *cookie);

/* Called once after that from the loop when the result, whatever it is, is in the store. `noted` is
 * false if the store did not even accept the job's next try, which must then wait all the same.
 * `wants_room`: there was no room for what was learned, and the next try would find none either. */
typedef void learn_job_ended(void *cookie, bool noted, bool wants_room);

/* Starts on a later turn of the loop. `jobs`: one, or up to LEARN_BATCH_MOST exchanges to learn
 * facts from, oldest first; a failed try counts against the first. Copies the setting and the jobs.
 */
struct learn_job *learn_job_start(const struct learn_job_setting *setting,
				  const struct job *const *jobs, size_t count,
				  learn_job_asked *asked, learn_job_ended *ended, void *cookie);
/* Cancels the call to the model, without effect on the job. A result on its way to the store still
 * gets there. Calls nothing. */
void learn_job_cancel(struct learn_job *learn_job);

#endif
