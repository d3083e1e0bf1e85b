#include "proxy/background/scrubber.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "storage/lmdb/thread.h"
#include "storage/scrub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LOOK_MS = 1000,
	SETTLE_MS = 10 * 1000, /* after_delete: what is deleted together is scrubbed together */
	PAUSES = 19,           /* and a twentieth of the time at most */
	RETRY_MS = 10 * 60 * 1000,
};

struct scrubber {
	struct store *store;
	pthread_t thread;
	atomic_bool stops;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	uint64_t schedule; /* config->storage.scrub */
	bool asked;
	bool running;
	double share;
	char error[SCRUBBER_ERROR_SIZE];
	/* For when the next one is due; under the lock: */
	int64_t pending_at; /* since when one is; 0: none is */
	int64_t earliest;   /* that it may begin by itself */
};

/* ---- when ---- */

/* 0: never by itself. The caller holds the lock. */
static int64_t due_at(const struct scrubber *scrubber, const struct store_scrubbed *scrubbed)
{
	int64_t due = 0;
	if (!scrubbed->pending || scrubber->pending_at == 0 ||
	    scrubber->schedule == CONFIG_SCRUB_OFF || scrubber->schedule == CONFIG_SCRUB_START)
		return 0;
	if (scrubber->schedule == CONFIG_SCRUB_AFTER_DELETE)
		due = scrubber->pending_at + SETTLE_MS;
	else
		due = scrubbed->at == 0 ? scrubber->pending_at
					: scrubbed->at + (int64_t)scrubber->schedule;
	return due > scrubber->earliest ? due : scrubber->earliest;
}

static bool is_due(struct scrubber *scrubber)
{
	const struct store_scrubbed scrubbed = store_scrubbed(scrubber->store);
	int64_t now = clock_wall();
	pthread_mutex_lock(&scrubber->lock);
	if (!scrubbed.pending)
		scrubber->pending_at = 0;
	else if (scrubber->pending_at == 0)
		scrubber->pending_at = now;
	int64_t due = due_at(scrubber, &scrubbed);
	bool is = scrubber->asked || (due != 0 && now >= due);
	if (is) {
		scrubber->asked = false;
		scrubber->running = true;
		scrubber->share = 0;
	}
	pthread_mutex_unlock(&scrubber->lock);
	return is;
}

/* ---- the work ---- */

static void tell(void *cookie, double share)
{
	struct scrubber *scrubber = cookie;
	pthread_mutex_lock(&scrubber->lock);
	scrubber->share = share;
	pthread_mutex_unlock(&scrubber->lock);
}

static void scrub(struct scrubber *scrubber)
{
	char error[SCRUBBER_ERROR_SIZE] = "";
	const struct store_scrub how = {.progress = {tell, scrubber}, .stops = &scrubber->stops};
	int64_t begun_at = clock_wall();
	bool done = store_scrub(scrubber->store, &how, error, sizeof(error));
	int64_t took = clock_wall() - begun_at;
	if (done) {
		metrics_count(METRIC_SCRUBS_DONE, 1);
		log_info("scrub: the store's file was replaced in %.1f s", (double)took / 1000);
	} else if (error[0] != '\0') {
		metrics_count(METRIC_SCRUBS_FAILED, 1);
		log_error("scrub failed: %s", error);
	}
	pthread_mutex_lock(&scrubber->lock);
	memcpy(scrubber->error, error, sizeof(error));
	scrubber->earliest = clock_wall() + (done ? took * PAUSES : RETRY_MS);
	scrubber->pending_at = 0;
	scrubber->running = false;
	pthread_mutex_unlock(&scrubber->lock);
}

static void wait(struct scrubber *scrubber)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&scrubber->lock);
	if (!scrubber->asked && !atomic_load(&scrubber->stops))
		(void)pthread_cond_timedwait(&scrubber->changed, &scrubber->lock, &until);
	pthread_mutex_unlock(&scrubber->lock);
}

static void *run(void *cookie)
{
	struct scrubber *scrubber = cookie;
	thread_give_way(); /* to chats */
	while (!atomic_load(&scrubber->stops)) {
		if (is_due(scrubber))
			scrub(scrubber);
		else
			wait(scrubber);
	}
	return NULL;
}

/* ---- from other threads ---- */

void scrubber_ask(struct scrubber *scrubber)
{
	pthread_mutex_lock(&scrubber->lock);
	scrubber->asked = true;
	pthread_cond_signal(&scrubber->changed);
	pthread_mutex_unlock(&scrubber->lock);
}

void scrubber_configure(struct scrubber *scrubber, const struct config *config)
{
	pthread_mutex_lock(&scrubber->lock);
	scrubber->schedule = config->storage.scrub;
	pthread_mutex_unlock(&scrubber->lock);
}

void scrubber_look(struct scrubber *scrubber, struct scrubber_state *state)
{
	const struct store_scrubbed scrubbed = store_scrubbed(scrubber->store);
	int64_t now = clock_wall();
	*state = (struct scrubber_state){.last = scrubbed.at, .pending = scrubbed.pending};
	pthread_mutex_lock(&scrubber->lock);
	/* an erasure that the thread has not seen yet */
	if (scrubbed.pending && scrubber->pending_at == 0 && !scrubber->running)
		scrubber->pending_at = now;
	state->running = scrubber->running || scrubber->asked;
	state->share = scrubber->running ? scrubber->share : 0;
	state->due = scrubber->running ? 0 : due_at(scrubber, &scrubbed);
	memcpy(state->error, scrubber->error, sizeof(state->error));
	pthread_mutex_unlock(&scrubber->lock);
}

/* ---- its life ---- */

struct scrubber *scrubber_start(struct store *store, struct config *config)
{
	struct scrubber *scrubber = xcalloc(1, sizeof(*scrubber));
	pthread_condattr_t attributes;
	scrubber->store = store;
	scrubber->schedule = config->storage.scrub;
	pthread_mutex_init(&scrubber->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&scrubber->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (thread_start(&scrubber->thread, "scrub", run, scrubber))
		return scrubber;
	scrubber_destroy(scrubber);
	return NULL;
}

void scrubber_stop(struct scrubber *scrubber)
{
	pthread_mutex_lock(&scrubber->lock);
	atomic_store(&scrubber->stops, true);
	pthread_cond_signal(&scrubber->changed);
	pthread_mutex_unlock(&scrubber->lock);
	pthread_join(scrubber->thread, NULL);
}

void scrubber_destroy(struct scrubber *scrubber)
{
	if (scrubber == NULL)
		return;
	pthread_cond_destroy(&scrubber->changed);
	pthread_mutex_destroy(&scrubber->lock);
	free(scrubber);
}
