#include "proxy/learn/embedder.h"

#include "core/memory/user_table.h"
#include "proxy/learn/embedding_batch.h"
#include "proxy/learn/embedding_call.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_BACKLOGS = 4096,
	MAX_BUSY = 2,
	FIRST_PAUSE = 1, /* seconds */
	LONGEST_PAUSE = 5 * 60,
};

enum backlog_state {
	BACKLOG_QUEUED, /* in embedder->queue */
	BACKLOG_BUSY,   /* its batch is in progress */
	BACKLOG_PAUSED, /* its timer runs; no caller waits for it */
};

/* A user who may have turns without vectors. */
struct backlog {
	struct user_node node;
	struct backlog *in_queue;
	struct embedder *embedder;
	enum backlog_state state;
	bool woken;        /* since its batch began */
	unsigned failures; /* in a row */
	uint64_t first;    /* see struct embedding_batch_setting */
	struct embedding_batch *batch;
	struct event *timer;
	struct embedder_wait *waits;
};

/* Belongs to the embedder's thread until it is posted back, except the callback, which always
 * belongs to the caller's thread. */
struct embedder_wait {
	struct embedder_wait *next; /* for the same backlog */
	struct embedder *embedder;
	struct user_key user;
	struct loop *loop;
	uint64_t timeout;
	struct backlog *backlog;
	struct event *deadline;
	bool all;
	embedder_done *done; /* NULL: cancelled */
	void *cookie;
};

struct embedder {
	struct store *store;
	struct loop *loop;
	struct upstream *upstream;
	struct key_ring *keys;
	struct config *config;
	struct embedding_server server;
	struct last_failure *failure;
	atomic_bool stopping;
	struct user_table backlogs;
	struct backlog *queue, **queue_end;
	size_t busy;
};

/* ---- waits ---- */

static void finish_wait(void *cookie)
{
	struct embedder_wait *wait = cookie;
	if (wait->done != NULL)
		wait->done(wait->cookie, wait->all);
	free(wait);
}

static void post_back(struct embedder_wait *wait, bool all)
{
	if (wait->deadline != NULL)
		event_free(wait->deadline);
	wait->all = all;
	loop_post(wait->loop, finish_wait, wait);
}

static void end_waits(struct backlog *backlog, bool all)
{
	while (backlog->waits != NULL) {
		struct embedder_wait *wait = backlog->waits;
		backlog->waits = wait->next;
		post_back(wait, all);
	}
}

static void on_wait_over(evutil_socket_t fd, short what, void *cookie)
{
	struct embedder_wait *wait = cookie;
	(void)fd;
	(void)what;
	struct embedder_wait **link = &wait->backlog->waits;
	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
	post_back(wait, false);
}

static void attach(struct embedder_wait *wait, struct backlog *backlog)
{
	const struct timeval timeout = {.tv_sec = (time_t)(wait->timeout / 1000),
					.tv_usec = (suseconds_t)(wait->timeout % 1000 * 1000)};
	wait->backlog = backlog;
	wait->next = backlog->waits;
	backlog->waits = wait;
	wait->deadline = evtimer_new(loop_base(wait->embedder->loop), on_wait_over, wait);
	evtimer_add(wait->deadline, &timeout);
}

/* ---- backlogs ---- */

static struct backlog *find_backlog(struct embedder *embedder, struct user_key user)
{
	return (struct backlog *)user_table_find(&embedder->backlogs, user);
}

static void enqueue(struct backlog *backlog)
{
	struct embedder *embedder = backlog->embedder;
	backlog->state = BACKLOG_QUEUED;
	backlog->in_queue = NULL;
	*embedder->queue_end = backlog;
	embedder->queue_end = &backlog->in_queue;
}

static struct backlog *dequeue(struct embedder *embedder)
{
	struct backlog *backlog = embedder->queue;
	embedder->queue = backlog->in_queue;
	if (embedder->queue == NULL)
		embedder->queue_end = &embedder->queue;
	return backlog;
}

/* Removes a backlog that is not in the queue. */
static void remove_backlog(struct backlog *backlog, bool all)
{
	user_table_remove(&backlog->embedder->backlogs, &backlog->node);
	end_waits(backlog, all);
	event_free(backlog->timer);
	free(backlog);
}

static bool is_paused(const struct user_node *node)
{
	return ((const struct backlog *)node)->state == BACKLOG_PAUSED;
}

/* Removes one paused backlog. */
static bool make_room(struct embedder *embedder)
{
	struct user_node *node = user_table_pick(&embedder->backlogs, is_paused);
	if (node != NULL)
		remove_backlog((struct backlog *)node, false);
	return node != NULL;
}

static void pump(struct embedder *embedder);

static void resume(struct backlog *backlog)
{
	event_del(backlog->timer);
	enqueue(backlog);
}

static void on_pause_over(evutil_socket_t fd, short what, void *cookie)
{
	struct backlog *backlog = cookie;
	(void)fd;
	(void)what;
	resume(backlog);
	pump(backlog->embedder);
}

static void pause_backlog(struct backlog *backlog)
{
	unsigned doublings = backlog->failures < 10 ? backlog->failures : 10;
	long seconds = FIRST_PAUSE << doublings;
	const struct timeval pause = {.tv_sec = seconds < LONGEST_PAUSE ? seconds : LONGEST_PAUSE};
	backlog->failures++;
	backlog->state = BACKLOG_PAUSED;
	end_waits(backlog, false);
	evtimer_add(backlog->timer, &pause);
}

/* NULL: there are too many. */
static struct backlog *wake_backlog(struct embedder *embedder, struct user_key user)
{
	struct backlog *backlog = find_backlog(embedder, user);
	if (backlog != NULL) {
		backlog->woken = true;
		return backlog;
	}
	if (embedder->backlogs.count >= MAX_BACKLOGS && !make_room(embedder))
		return NULL;
	backlog = xcalloc(1, sizeof(*backlog));
	backlog->embedder = embedder;
	backlog->node.user = user;
	backlog->timer = evtimer_new(loop_base(embedder->loop), on_pause_over, backlog);
	user_table_add(&embedder->backlogs, &backlog->node);
	enqueue(backlog);
	return backlog;
}

/* ---- batches ---- */

static void on_batch_ended(void *cookie, enum batch_end end)
{
	struct backlog *backlog = cookie;
	struct embedder *embedder = backlog->embedder;
	backlog->batch = NULL;
	embedder->busy--;
	if (end != BATCH_FAILED)
		backlog->failures = 0;
	if (end == BATCH_FAILED)
		pause_backlog(backlog);
	else if (end == BATCH_STORED || backlog->woken)
		enqueue(backlog); /* after the others */
	else
		remove_backlog(backlog, true);
	pump(embedder);
}

static void begin_batch(struct backlog *backlog)
{
	struct embedder *embedder = backlog->embedder;
	struct arena arena = {0};
	const struct embedding_batch_setting setting = {
		.store = embedder->store,
		.loop = embedder->loop,
		.upstream = embedder->upstream,
		.config = embedder->config,
		.server = &embedder->server,
		.failure = embedder->failure,
		.user = backlog->node.user,
		.key_field = embedding_key_field(
			embedder->config, key_ring_get(embedder->keys, backlog->node.user, &arena),
			&arena),
		.first = &backlog->first,
	};
	backlog->state = BACKLOG_BUSY;
	backlog->woken = false;
	embedder->busy++;
	backlog->batch = embedding_batch_start(&setting, on_batch_ended, backlog);
	arena_finish(&arena);
}

static void pump(struct embedder *embedder)
{
	bool is_on = embedder->config->model.embedding[0] != '\0';
	while (embedder->queue != NULL && (!is_on || embedder->busy < MAX_BUSY)) {
		struct backlog *backlog = dequeue(embedder);
		if (is_on)
			begin_batch(backlog);
		else
			remove_backlog(backlog, true);
	}
}

/* ---- from other threads ---- */

struct wake_task {
	struct embedder *embedder;
	struct user_key user;
};

static void wake(void *cookie)
{
	struct wake_task *task = cookie;
	if (!atomic_load(&task->embedder->stopping)) {
		(void)wake_backlog(task->embedder, task->user);
		pump(task->embedder);
	}
	free(task);
}

void embedder_wake(struct embedder *embedder, struct user_key user)
{
	struct wake_task *task = xmalloc(sizeof(*task));
	*task = (struct wake_task){.embedder = embedder, .user = user};
	loop_post(embedder->loop, wake, task);
}

static void begin_wait(void *cookie)
{
	struct embedder_wait *wait = cookie;
	struct embedder *embedder = wait->embedder;
	if (atomic_load(&embedder->stopping)) {
		free(wait); /* its loop and its caller may be gone */
		return;
	}
	struct backlog *backlog = wake_backlog(embedder, wait->user);
	if (backlog != NULL && backlog->state != BACKLOG_PAUSED)
		attach(wait, backlog);
	else
		post_back(wait, false);
	pump(embedder);
}

struct embedder_wait *embedder_when_done(struct embedder *embedder, struct user_key user,
					 struct loop *loop, uint64_t timeout, embedder_done *done,
					 void *cookie)
{
	if (atomic_load(&embedder->stopping))
		return NULL;
	struct embedder_wait *wait = xmalloc(sizeof(*wait));
	*wait = (struct embedder_wait){.embedder = embedder,
				       .user = user,
				       .loop = loop,
				       .timeout = timeout,
				       .done = done,
				       .cookie = cookie};
	loop_post(embedder->loop, begin_wait, wait);
	return wait;
}

void embedder_wait_cancel(struct embedder_wait *wait)
{
	if (wait != NULL)
		wait->done = NULL;
}

/* ---- for the learner ---- */

void embedder_try_again(struct embedder *embedder, struct user_key user)
{
	struct backlog *backlog = find_backlog(embedder, user);
	if (backlog == NULL || backlog->state != BACKLOG_PAUSED)
		return;
	backlog->failures = 0;
	resume(backlog);
	pump(embedder);
}

void embedder_configure(struct embedder *embedder, struct config *config)
{
	config_release(embedder->config);
	embedder->config = config_retain(config);
	embedder->server = (struct embedding_server){0};
	last_failure_clear(embedder->failure);
	struct user_node *node = NULL;
	while ((node = user_table_next(&embedder->backlogs, node)) != NULL) {
		if (is_paused(node))
			resume((struct backlog *)node);
	}
	pump(embedder);
}

struct embedder *embedder_create(struct store *store, struct loop *loop, struct upstream *upstream,
				 struct key_ring *keys, struct config *config,
				 struct last_failure *failure)
{
	struct embedder *embedder = xcalloc(1, sizeof(*embedder));
	embedder->failure = failure;
	embedder->store = store;
	embedder->loop = loop;
	embedder->upstream = upstream;
	embedder->keys = keys;
	embedder->config = config_retain(config);
	embedder->queue_end = &embedder->queue;
	return embedder;
}

void embedder_stop(struct embedder *embedder)
{
	atomic_store(&embedder->stopping, true);
	struct user_node *node;
	while ((node = user_table_next(&embedder->backlogs, NULL)) != NULL) {
		struct backlog *backlog = (struct backlog *)node;
		embedding_batch_cancel(backlog->batch);
		remove_backlog(backlog, false);
	}
}

void embedder_destroy(struct embedder *embedder)
{
	if (embedder == NULL)
		return;
	config_release(embedder->config);
	free(embedder);
}
