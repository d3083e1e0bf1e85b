#include "proxy/background/learner.h"

#include "core/memory/user.h"
#include "proxy/background/embedder.h"
#include "proxy/background/key_ring.h"
#include "proxy/background/learn_job.h"
#include "proxy/runtime/metrics.h"
#include "storage/lmdb/thread.h"
#include "storage/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The longest pause of a user, in milliseconds. */
enum { LEARNER_LONGEST_WAIT_MS = 30000 };

/* The state says where the user is. */
enum learner_user_state {
	LEARNER_USER_QUEUED,
	LEARNER_USER_BUSY,   /* its learn_job runs */
	LEARNER_USER_PAUSED, /* its timer runs */
};

struct learner_user {
	struct user_node node;
	struct learner_user *in_queue;
	struct learner *learner;
	enum learner_user_state state;
	bool has_new_key; /* since its last learn_job: what failed with the old key is tried at once
			   */
	bool wants_room;  /* the store had no room for what its last learn_job learned */
	bool is_pressing; /* an exchange that waits asks to forget or corrects something */
	uint64_t woken;   /* when its last exchange came, steady, in microseconds; 0: before */
	bool idles;       /* paused until it is quiet for `idle` ms or `most` exchanges wait */
	int64_t idle;
	size_t most;
	size_t waiting; /* at least so many do */
	struct learn_job *learn_job;
	struct event *timer;
};

enum wake_cause {
	WAKE_EXCHANGE,
	WAKE_PRESSING, /* an exchange that is to be learned from at once */
	WAKE_KEY,
};

enum { LEARNER_USERS_LIMIT = 4096 };

/* ---- one user ---- */

/* Pauses a user who is not queued, for so many milliseconds at most. */
static void learner_user_pause(struct learner_user *learner_user, int64_t wait)
{
	if (wait > LEARNER_LONGEST_WAIT_MS)
		wait = LEARNER_LONGEST_WAIT_MS;
	learner_user->state = LEARNER_USER_PAUSED;
	loop_wait(learner_user->timer, wait);
}

/* Waits until the next job is due, or until more exchanges make it due. */
static void learner_user_pause_for(struct learner_user *learner_user, const struct next_job *next)
{
	learner_user->idles = next->idles;
	learner_user->idle = next->idle;
	learner_user->most = next->most;
	learner_user->waiting = next->waiting_count;
	learner_user_pause(learner_user, next->wait);
}

/* Exchanges that waited with a failed one have waited long enough. */
static void learner_user_note_next(struct learner_user *learner_user, const struct next_job *next)
{
	if (next->facts == NULL)
		learner_user->is_pressing = false;
	else if (next->facts->tries > 0)
		learner_user->is_pressing = true;
}

/* Milliseconds since the user's last exchange woke the learner; INT64_MAX: none has. */
static int64_t learner_user_quiet_time(const struct learner_user *learner_user)
{
	if (learner_user->woken == 0)
		return INT64_MAX;
	return (int64_t)(clock_steady() - learner_user->woken) / 1000;
}

static void learner_user_note_wake(struct learner_user *learner_user, enum wake_cause cause)
{
	learner_user->has_new_key |= cause == WAKE_KEY;
	learner_user->is_pressing |= cause == WAKE_PRESSING;
	if (cause != WAKE_KEY)
		learner_user->woken = clock_steady();
}

/* Whether one more exchange changes nothing for a user whose exchanges wait for each other, so that
 * the jobs need not be read again; the pause then begins anew. */
static bool learner_user_goes_on_idling(struct learner_user *learner_user)
{
	if (learner_user->state != LEARNER_USER_PAUSED || !learner_user->idles ||
	    ++learner_user->waiting >= learner_user->most)
		return false;
	learner_user_pause(learner_user, learner_user->idle);
	return true;
}

/* The model that a tenant's newest exchange named, for imported turns, which name none. In memory
 * only, for a bounded number of tenants. One tenant's model never reaches another tenant, whose key
 * would be used to ask for it. */

static struct user_key hash_of(struct slice tenant)
{
	return store_user_key(tenant, (struct slice){0});
}

void learner_models_note(struct learner_models *models, struct slice tenant, struct slice model)
{
	const struct user_key hash = hash_of(tenant);
	struct learner_model *place = &models->places[user_hash(hash) % LEARNER_TENANTS];
	if (model.size == 0 || model.size > sizeof(place->name))
		return;
	place->tenant = hash;
	place->size = model.size;
	memcpy(place->name, model.data, model.size);
}

struct slice learner_models_find(const struct learner_models *models, struct slice tenant)
{
	const struct user_key hash = hash_of(tenant);
	const struct learner_model *place = &models->places[user_hash(hash) % LEARNER_TENANTS];
	if (!user_equal(place->tenant, hash))
		return (struct slice){0};
	return (struct slice){place->name, place->size};
}

/* A server other than api.openai.com may not have gpt-4o-mini, but it has the chat's model. */
struct slice learner_models_name(struct learner_models *models, const struct config *config,
				 struct slice tenant, struct slice of_chat)
{
	const char *base = config_model_base_url(config);
	if (config->model.name[0] != '\0')
		return slice_of(config->model.name);
	if (strstr(base, "://api.openai.com") == NULL) {
		learner_models_note(models, tenant, of_chat);
		struct slice model =
			of_chat.size > 0 ? of_chat : learner_models_find(models, tenant);
		if (model.size > 0)
			return model;
	}
	return SLICE("gpt-4o-mini");
}

enum {
	SCAN_SLICE = 256,
	SCAN_SLICE_MS = 20,     /* a slice ends with the user during whose jobs this time passes */
	SCAN_PAUSE_MS = 100,    /* milliseconds between two slices of a scan, at least */
	SCAN_PAUSES = 19,       /* the pause in times of what the slice took */
	SCAN_PERIOD_MS = 30000, /* between two scans */
	ROOM_WAIT_MS = 1000,
	MAX_STORING = 64, /* learn_jobs whose results are on their way to the disk */
};

struct learner {
	struct learn_means means;
	struct config *config;
	struct key_ring *keys;
	struct embedder *embedder;
	pthread_t thread;
	bool stopping;

	/* The users whose jobs are checked, and which of them are taken next. Used only on the
	 * learner's thread. */
	struct user_table users;
	struct learner_user *queue, **queue_end;
	size_t asking;     /* learn_jobs at the memory model, or about to call it */
	size_t learn_jobs; /* these, and those whose results are being stored */
	struct learner_models models;

	struct event *scan;
	struct user_key scan_after;
	bool scan_goes_on;
	uint64_t scan_begun; /* of the current slice */
};

/* ---- users ---- */

static void pump(struct learner *learner);

/* NULL: the user is not on the list. */
static struct learner_user *find_user(const struct learner *learner, struct user_key user)
{
	return (struct learner_user *)user_table_find(&learner->users, user);
}

static void enqueue(struct learner_user *learner_user)
{
	struct learner *learner = learner_user->learner;
	learner_user->state = LEARNER_USER_QUEUED;
	learner_user->in_queue = NULL;
	*learner->queue_end = learner_user;
	learner->queue_end = &learner_user->in_queue;
	metrics_move(METRIC_LEARNER_QUEUE, 1);
}

/* NULL: no user waits. */
static struct learner_user *dequeue(struct learner *learner)
{
	struct learner_user *learner_user = learner->queue;
	if (learner_user == NULL)
		return NULL;
	learner->queue = learner_user->in_queue;
	if (learner->queue == NULL)
		learner->queue_end = &learner->queue;
	metrics_move(METRIC_LEARNER_QUEUE, -1);
	return learner_user;
}

/* The user must not be queued, unless the list is no longer used. */
static void remove_user(struct learner_user *learner_user)
{
	user_table_remove(&learner_user->learner->users, &learner_user->node);
	event_free(learner_user->timer);
	free(learner_user);
}

static bool only_waits(const struct user_node *node)
{
	return ((const struct learner_user *)node)->state == LEARNER_USER_PAUSED;
}

/* Removes a user who only waits, whom the scan finds again. */
static bool make_room(struct learner *learner)
{
	struct user_node *node = user_table_pick(&learner->users, only_waits);
	if (node != NULL)
		remove_user((struct learner_user *)node);
	return node != NULL;
}

static void on_pause_over(evutil_socket_t fd, short what, void *cookie)
{
	struct learner_user *learner_user = cookie;
	(void)fd;
	(void)what;
	enqueue(learner_user);
	pump(learner_user->learner);
}

/* Puts a user on the list, or a paused one back into the queue. False: the list is full. */
static bool add_user(struct learner *learner, struct user_key user, bool at_once)
{
	struct learner_user *learner_user = find_user(learner, user);
	if (learner_user != NULL) {
		if (at_once && learner_user->state == LEARNER_USER_PAUSED) {
			event_del(learner_user->timer);
			enqueue(learner_user);
		}
		return true;
	}
	if (learner->users.count >= LEARNER_USERS_LIMIT && !make_room(learner))
		return false;
	learner_user = xcalloc(1, sizeof(*learner_user));
	learner_user->node.user = user;
	learner_user->learner = learner;
	learner_user->timer =
		evtimer_new(loop_base(learner->means.loop), on_pause_over, learner_user);
	user_table_add(&learner->users, &learner_user->node);
	enqueue(learner_user);
	return true;
}

static void on_asked(void *cookie)
{
	struct learner_user *learner_user = cookie;
	learner_user->learner->asking--;
	metrics_move(METRIC_LEARNER_CALLS, -1);
	pump(learner_user->learner);
}

static void on_learn_job_ended(void *cookie, bool noted, bool wants_room)
{
	struct learner_user *learner_user = cookie;
	struct learner *learner = learner_user->learner;
	learner_user->learn_job = NULL;
	learner_user->wants_room = wants_room;
	learner->learn_jobs--;
	if (noted)
		enqueue(learner_user); /* for more jobs */
	else
		learner_user_pause(learner_user, LEARNER_LONGEST_WAIT_MS);
	pump(learner);
}

static void begin_learn_job(struct learner_user *learner_user, const struct next_job *next)
{
	struct learner *learner = learner_user->learner;
	const struct slice model = learner_models_name(&learner->models, learner->config,
						       next->page.tenant, next->jobs[0]->model);
	learner_user->has_new_key = false;
	learner_user->state = LEARNER_USER_BUSY;
	learner->asking++;
	learner->learn_jobs++;
	metrics_move(METRIC_LEARNER_CALLS, 1);
	learner_user->learn_job = learn_job_start(&learner->means, next, learner->config, model,
						  on_asked, on_learn_job_ended, learner_user);
}

static void look_at(struct learner *learner, struct learner_user *learner_user)
{
	/* Calling the model would cost money for a result that the store refuses. */
	if (learner_user->wants_room && !store_has_room(learner->means.service->store)) {
		learner_user_pause(learner_user, ROOM_WAIT_MS);
		return;
	}
	learner_user->wants_room = false;
	struct next_job next = {
		.store = learner->means.service->store,
		.config = learner->config,
		.keys = learner->keys,
		.user = learner_user->node.user,
		.has_new_key = learner_user->has_new_key,
		.is_pressing = learner_user->is_pressing,
		.quiet = learner_user_quiet_time(learner_user),
		.clock = clock_wall,
	};
	next_job_choose(&next);
	learner_user_note_next(learner_user, &next);
	if (next.count > 0)
		begin_learn_job(learner_user, &next);
	else if (next.wait >= 0)
		learner_user_pause_for(learner_user, &next);
	else
		remove_user(learner_user);
	next_job_finish(&next);
}

static bool can_begin(const struct learner *learner)
{
	size_t concurrency = learner->config->model.concurrency;
	return !learner->stopping &&
	       learner->asking < pace_limit(&learner->means.pace, concurrency) &&
	       learner->learn_jobs < concurrency + MAX_STORING;
}

static void pump(struct learner *learner)
{
	struct learner_user *learner_user;
	while (can_begin(learner) && (learner_user = dequeue(learner)) != NULL)
		look_at(learner, learner_user);
}

static void on_pace_over(void *cookie)
{
	pump(cookie);
}

/* ---- the scan for jobs that are left from earlier or have become due ---- */

static int64_t scan_has_taken(const struct learner *learner)
{
	return (int64_t)(clock_steady() - learner->scan_begun) / 1000;
}

static void add_users(struct learner *learner, const struct user_page *page)
{
	learner->scan_goes_on = page->more;
	for (size_t i = 0; i < page->count; i++) {
		if ((i > 0 && scan_has_taken(learner) >= SCAN_SLICE_MS) ||
		    !add_user(learner, page->users[i], false)) {
			learner->scan_goes_on = true; /* continue here when there is room */
			return;
		}
		learner->scan_after = page->users[i];
		pump(learner); /* many jobs may wait for another mode */
	}
}

/* Limits the scan to a twentieth of a processor. */
static int64_t scan_pause(const struct learner *learner)
{
	int64_t pause = scan_has_taken(learner) * SCAN_PAUSES;
	return pause > SCAN_PAUSE_MS ? pause : SCAN_PAUSE_MS;
}

static void on_scan(evutil_socket_t fd, short what, void *cookie)
{
	struct learner *learner = cookie;
	(void)fd;
	(void)what;
	struct arena arena = {0};
	struct user_page page;
	learner->scan_begun = clock_steady();
	if (!learner->scan_goes_on)
		learner->scan_after = (struct user_key){0};
	if (store_users_with_jobs(learner->means.service->store, &learner->scan_after, SCAN_SLICE,
				  &page, &arena) != STORE_OK)
		page = (struct user_page){0};
	add_users(learner, &page);
	arena_finish(&arena);
	loop_wait(learner->scan, learner->scan_goes_on ? scan_pause(learner) : SCAN_PERIOD_MS);
}

/* ---- from other threads ---- */

struct embedder *learner_embedder(struct learner *learner)
{
	return learner->embedder;
}

struct wake_task {
	struct learner *learner;
	struct user_key user;
	enum wake_cause cause;
};

static void wake_user(struct learner *learner, struct user_key user, enum wake_cause cause)
{
	struct learner_user *learner_user = find_user(learner, user);
	if (learner_user != NULL && cause == WAKE_EXCHANGE &&
	    learner_user_goes_on_idling(learner_user)) {
		learner_user_note_wake(learner_user, cause);
		return;
	}
	add_user(learner, user, true);
	learner_user = find_user(learner, user);
	if (learner_user != NULL)
		learner_user_note_wake(learner_user, cause);
}

static void wake(void *cookie)
{
	struct wake_task *task = cookie;
	if (!task->learner->stopping) {
		wake_user(task->learner, task->user, task->cause);
		if (task->cause == WAKE_KEY)
			embedder_try_again(task->learner->embedder, task->user);
		pump(task->learner);
	}
	free(task);
}

static void post_wake(struct learner *learner, struct user_key user, enum wake_cause cause)
{
	struct wake_task *task = xmalloc(sizeof(*task));
	*task = (struct wake_task){.learner = learner, .user = user, .cause = cause};
	loop_post(learner->means.loop, wake, task);
}

void learner_wake(struct learner *learner, struct user_key user, bool is_pressing)
{
	post_wake(learner, user, is_pressing ? WAKE_PRESSING : WAKE_EXCHANGE);
}

void learner_offer_key(struct learner *learner, struct user_key user, struct slice key_field)
{
	if (key_ring_put(learner->keys, user, key_field))
		post_wake(learner, user, WAKE_KEY);
}

void learner_forget(struct learner *learner, struct user_key user)
{
	key_ring_drop(learner->keys, user);
}

static void scan_anew(void *cookie)
{
	struct learner *learner = cookie;
	if (!learner->stopping) {
		learner->scan_goes_on = false;
		loop_wait(learner->scan, 0);
	}
}

void learner_wake_all(struct learner *learner)
{
	loop_post(learner->means.loop, scan_anew, learner);
}

static void configure(void *cookie, void *config)
{
	struct learner *learner = cookie;
	config_release(learner->config);
	learner->config = config;
	last_failure_clear(&learner->means.service->learning);
	pace_note_answer(&learner->means.pace);
	if (!learner->stopping)
		embedder_configure(learner->embedder, learner->config);
	scan_anew(learner); /* another mode may want jobs that the old one left */
}

void learner_configure(struct learner *learner, struct config *config)
{
	loop_post_with(learner->means.loop, configure, learner, config_retain(config));
}

/* ---- its life ---- */

static void end_learn_jobs(struct learner *learner)
{
	struct user_node *node;
	learner->stopping = true;
	while ((node = user_table_next(&learner->users, NULL)) != NULL) {
		struct learner_user *learner_user = (struct learner_user *)node;
		if (learner_user->learn_job != NULL)
			learn_job_cancel(learner_user->learn_job);
		remove_user(learner_user);
	}
}

static void *run(void *cookie)
{
	struct learner *learner = cookie;
	thread_give_way(); /* to chats */
	loop_run(learner->means.loop);
	end_learn_jobs(learner);
	embedder_stop(learner->embedder);
	return NULL;
}

struct learner *learner_start(struct service *service, struct config *config)
{
	struct learner *learner = xcalloc(1, sizeof(*learner));
	learner->means.service = service;
	learner->config = config_retain(config);
	learner->means.loop = loop_create();
	learner->means.upstream = upstream_create(loop_base(learner->means.loop), 16);
	learner->keys = key_ring_create();
	learner->embedder =
		embedder_create(service->store, learner->means.loop, learner->means.upstream,
				learner->keys, learner->config, &service->embedding);
	learner->queue_end = &learner->queue;
	pace_init(&learner->means.pace, loop_base(learner->means.loop), on_pace_over, learner);
	learner->scan = evtimer_new(loop_base(learner->means.loop), on_scan, learner);
	loop_wait(learner->scan, 0);
	if (!thread_start(&learner->thread, "learn", run, learner)) {
		learner_destroy(learner);
		return NULL;
	}
	return learner;
}

void learner_stop(struct learner *learner)
{
	loop_stop(learner->means.loop);
	pthread_join(learner->thread, NULL);
}

void learner_destroy(struct learner *learner)
{
	if (learner == NULL)
		return;
	upstream_destroy(learner->means.upstream);
	event_free(learner->scan);
	pace_finish(&learner->means.pace);
	loop_destroy(learner->means.loop);
	embedder_destroy(learner->embedder);
	key_ring_destroy(learner->keys);
	config_release(learner->config);
	free(learner);
}
