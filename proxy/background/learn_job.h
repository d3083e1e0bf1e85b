/* A learn_job: one job of the learner, or several exchanges to learn facts from, from the input to
 * the result in the store. It makes one call to the memory model, or a few if the server needs
 * other parameters. On the learner's thread. */
#ifndef RECALLD_PROXY_BACKGROUND_LEARN_JOB_H
#define RECALLD_PROXY_BACKGROUND_LEARN_JOB_H

#include "proxy/background/next_job.h"
#include "proxy/background/pace.h"
#include "proxy/runtime/loop.h"
#include "proxy/service/service.h"
#include "proxy/upstream/upstream.h"

struct learn_job;

/* Features that servers refused or accepted, remembered per address and model. */
enum { QUIRK_SERVERS = 64 };
struct quirk_memory {
	struct {
		uint64_t server; /* a hash of address and model; 0: free */
		unsigned quirks;
	} entries[QUIRK_SERVERS];
	size_t next;
};

/* Shared by all of a learner's jobs; it outlives them. */
struct learn_means {
	struct service *service;
	struct loop *loop;
	struct upstream *upstream;
	struct pace pace;
	struct quirk_memory quirks;
};

/* Called once from the loop when the memory model is no longer needed: the rest is up to the
 * store. */
typedef void learn_job_asked(void *cookie);

/* Called once after that from the loop when the result, whatever it is, is in the store. `noted` is
 * false if the store did not even accept the job's next try, which must then wait all the same.
 * `wants_room`: there was no room for what was learned, and the next try would find none either. */
typedef void learn_job_ended(void *cookie, bool noted, bool wants_room);

/* Starts on a later turn of the loop with the jobs that next_job_choose() chose, of which it copies
 * what it needs; a failed try counts against the first. `model` is the model name to send. */
struct learn_job *learn_job_start(struct learn_means *means, const struct next_job *next,
				  struct config *config, struct slice model, learn_job_asked *asked,
				  learn_job_ended *ended, void *cookie);
/* Cancels the call to the model, without effect on the job. A result on its way to the store still
 * gets there. Calls nothing. */
void learn_job_cancel(struct learn_job *learn_job);

#endif
