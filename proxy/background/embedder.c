#include "proxy/background/embedder.h"

#include "core/base/utf8.h"
#include "core/memory/user.h"
#include "proxy/background/model_call.h"
#include "proxy/config/config.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_BACKLOGS = 4096,
	MAX_BUSY = 2,
	FIRST_PAUSE = 1, /* seconds */
	LONGEST_PAUSE = 5 * 60,
	BATCH_TURNS = 32,
	BATCH_BYTES = 100 * 1024,
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
	uint64_t first;    /* the first turn that its last batch stored: must not come again */
	struct batch *batch;
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
	bool server_gives; /* it has returned a vector before */
	struct last_failure *failure;
	atomic_bool stopping;
	struct user_table backlogs;
	struct backlog *queue, **queue_end;
	size_t busy;
};

enum batch_end {
	BATCH_NONE_LEFT, /* every turn has its vector, or will get none */
	BATCH_STORED,    /* there may be more */
	BATCH_FAILED,    /* try again after a pause; the vectors received are stored */
};

/* A batch: takes some of a user's turns from having no vectors to having them in the store. It
 * makes one call of /embeddings, or more if the server needs smaller requests.
 *
 *  turns:  | answered | to be asked for | blank |
 *          0        done             to_ask   count   */
struct batch {
	struct backlog *backlog;
	struct config *config;
	struct arena arena;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	enum batch_end end;
	struct event *at_end;
	struct store_call *store_call; /* under way */
	struct embedding_call *call;   /* under way */
	struct embedded_turn *turns;
	struct slice *texts; /* of the turns, in the form that is sent */
	size_t count, to_ask, done;
	size_t asked;      /* how many the current call asks for */
	size_t dimensions; /* of the vectors received; 0: none yet */
	uint64_t first;    /* the id of the oldest turn */
};

/* ---- batches ---- */

static void destroy(struct batch *batch)
{
	store_cancel(batch->store_call);
	embedding_call_cancel(batch->call);
	event_free(batch->at_end);
	config_release(batch->config);
	arena_finish(&batch->arena);
	free(batch);
}

static void on_batch_ended(struct backlog *backlog, enum batch_end end);

static void on_at_end(evutil_socket_t fd, short what, void *cookie)
{
	struct batch *batch = cookie;
	(void)fd;
	(void)what;
	struct backlog *backlog = batch->backlog;
	enum batch_end end = batch->end;
	backlog->batch = NULL;
	destroy(batch);
	on_batch_ended(backlog, end);
}

/* Runs from the loop, since a batch may be over before begin_batch() returns. */
static void end_batch(struct batch *batch, enum batch_end end)
{
	batch->end = end;
	event_active(batch->at_end, EV_TIMEOUT, 0);
}

static void warn_of_failure(struct batch *batch, const char *detail, int status)
{
	const struct failure_words why = failure_words(detail, status);
	if (last_failure_note(batch->backlog->embedder->failure, &why))
		log_warn("embedding call failed: %s; turns wait and are found by their words "
			 "meanwhile; check [model] embedding, base_url and api_key",
			 why.text);
}

/* ---- to the store ---- */

static void on_stored(void *cookie, enum store_result result)
{
	struct batch *batch = cookie;
	batch->store_call = NULL;
	bool stored = result == STORE_OK || result == STORE_STALE || result == STORE_NOT_FOUND;
	if (!stored)
		warn_of_failure(batch, store_result_name(result), 0);
	else
		batch->backlog->first = batch->first;
	end_batch(batch, stored ? batch->end : BATCH_FAILED);
}

static void store_turns(struct batch *batch, size_t count, enum batch_end end)
{
	struct embedder *embedder = batch->backlog->embedder;
	batch->end = end;
	for (size_t i = 0; i < count; i++)
		metrics_count(batch->turns[i].vector != NULL ? METRIC_TURNS_EMBEDDED
							     : METRIC_TURNS_WITHOUT,
			      1);
	batch->store_call = store_embedded(
		embedder->store, batch->backlog->node.user,
		slice_of(batch->config->model.embedding), batch->dimensions, batch->turns, count,
		(struct store_waiter){loop_for_store(embedder->loop), on_stored, batch});
}

/* ---- from the server ---- */

static void give_up(struct batch *batch, const struct embedding_answer *answer)
{
	warn_of_failure(batch, answer->detail, answer->status);
	/* A server that refuses everything may itself be at fault: marks no turn then. */
	if (batch->done > 0 && batch->backlog->embedder->server_gives)
		store_turns(batch, batch->done, BATCH_FAILED);
	else
		end_batch(batch, BATCH_FAILED);
}

static void on_called(void *cookie, const struct embedding_answer *answer);

static void ask(struct batch *batch)
{
	const struct embedder *embedder = batch->backlog->embedder;
	size_t left = batch->to_ask - batch->done;
	if (batch->asked > left)
		batch->asked = left;
	const struct embedding_request request = {
		.to = {.loop = embedder->loop,
		       .upstream = embedder->upstream,
		       .config = batch->config,
		       .key_field = batch->key_field,
		       .timeout = batch->config->model.timeout},
		.texts = batch->texts + batch->done,
		.count = batch->asked,
	};
	batch->call = embedding_call_start(&request, on_called, batch);
}

static void go_on(struct batch *batch, const struct embedding_answer *answer)
{
	if (batch->done < batch->to_ask)
		ask(batch);
	else if (batch->backlog->embedder->server_gives)
		store_turns(batch, batch->count, BATCH_STORED);
	else
		give_up(batch, answer);
}

static void take_vectors(struct batch *batch, const struct embedding_answer *answer)
{
	struct embedded_turn *turns = batch->turns + batch->done;
	size_t size = answer->dimensions;
	for (size_t i = 0; i < batch->asked; i++) {
		if (answer->vectors[i] != NULL)
			turns[i].vector =
				(const int8_t *)arena_copy(
					&batch->arena,
					(struct slice){(const char *)answer->vectors[i], size})
					.data;
	}
	if (size > 0) {
		batch->dimensions = size;
		batch->backlog->embedder->server_gives = true;
		last_failure_end(batch->backlog->embedder->failure);
	}
	batch->done += batch->asked;
	batch->asked *= 2;
	go_on(batch, answer);
}

/* The request, or one text, is too much for the server: asks for fewer, shorter, or without it. */
static void give_way(struct batch *batch, const struct embedding_answer *answer)
{
	struct slice *text = &batch->texts[batch->done];
	if (batch->asked > 1) {
		batch->asked /= 2;
	} else if (text->size > EMBEDDING_SHORT_TEXT) {
		*text = utf8_cut(*text, text->size / 2);
	} else if (answer->outcome == EMBEDDING_REFUSED) {
		batch->done++;
	} else {
		give_up(batch, answer);
		return;
	}
	go_on(batch, answer);
}

static void on_called(void *cookie, const struct embedding_answer *answer)
{
	struct batch *batch = cookie;
	batch->call = NULL;
	bool differs = batch->dimensions != 0 && answer->dimensions != 0 &&
		       answer->dimensions != batch->dimensions;
	if (answer->outcome == EMBEDDING_FAILED || differs)
		give_up(batch, answer);
	else if (answer->outcome == EMBEDDING_GIVEN)
		take_vectors(batch, answer);
	else
		give_way(batch, answer);
}

/* ---- the turns ---- */

/* How many of the turns fit into one call; at least one. */
static size_t fitting(const struct turn *turns, size_t count)
{
	size_t bytes = 0, fit = 0;
	for (; fit < count; fit++) {
		bytes += utf8_cut(turns[fit].text, EMBEDDING_TEXT_LIMIT).size;
		if (fit > 0 && bytes > BATCH_BYTES)
			break;
	}
	return fit;
}

/* Moves blank texts, which a server may refuse, after the others. */
static void take_turns(struct batch *batch, const struct turn *turns, size_t count)
{
	batch->count = fitting(turns, count);
	batch->turns = arena_alloc(&batch->arena, batch->count * sizeof(*batch->turns));
	batch->texts = arena_alloc(&batch->arena, batch->count * sizeof(*batch->texts));
	size_t blank = batch->count;
	for (size_t i = 0; i < batch->count; i++) {
		struct slice text = utf8_cut(turns[i].text, EMBEDDING_TEXT_LIMIT);
		size_t at = slice_trim(text).size > 0 ? batch->to_ask++ : --blank;
		batch->turns[at].turn = turns[i].id;
		batch->texts[at] = text;
	}
	batch->asked = batch->to_ask;
}

/* A call whose result was not stored must not be repeated at once. */
static void begin(struct batch *batch)
{
	struct backlog *backlog = batch->backlog;
	struct unembedded unembedded;
	enum store_result result = store_unembedded(backlog->embedder->store, backlog->node.user,
						    slice_of(batch->config->model.embedding),
						    BATCH_TURNS, &unembedded, &batch->arena);
	if (result == STORE_OK && unembedded.count == 0) {
		end_batch(batch, BATCH_NONE_LEFT);
	} else if (result != STORE_OK || unembedded.turns[0].id == backlog->first) {
		backlog->first = 0;
		end_batch(batch, BATCH_FAILED);
	} else {
		batch->first = unembedded.turns[0].id;
		take_turns(batch, unembedded.turns, unembedded.count);
		if (batch->to_ask > 0)
			ask(batch);
		else
			store_turns(batch, batch->count, BATCH_STORED);
	}
}

static void begin_batch(struct backlog *backlog)
{
	struct embedder *embedder = backlog->embedder;
	struct batch *batch = xcalloc(1, sizeof(*batch));
	batch->backlog = backlog;
	batch->config = config_retain(embedder->config);
	batch->key_field = model_key_field(
		embedder->config, key_ring_get(embedder->keys, backlog->node.user, &batch->arena),
		&batch->arena);
	batch->at_end = event_new(loop_base(embedder->loop), -1, 0, on_at_end, batch);
	backlog->state = BACKLOG_BUSY;
	backlog->woken = false;
	backlog->batch = batch;
	embedder->busy++;
	begin(batch);
}

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
	wait->backlog = backlog;
	wait->next = backlog->waits;
	backlog->waits = wait;
	wait->deadline = evtimer_new(loop_base(wait->embedder->loop), on_wait_over, wait);
	loop_wait(wait->deadline, (int64_t)wait->timeout);
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
	backlog->failures++;
	backlog->state = BACKLOG_PAUSED;
	end_waits(backlog, false);
	loop_wait(backlog->timer, (seconds < LONGEST_PAUSE ? seconds : LONGEST_PAUSE) * 1000);
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

static void on_batch_ended(struct backlog *backlog, enum batch_end end)
{
	struct embedder *embedder = backlog->embedder;
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

static void wake(void *cookie, void *user)
{
	struct embedder *embedder = cookie;
	if (!atomic_load(&embedder->stopping)) {
		(void)wake_backlog(embedder, *(const struct user_key *)user);
		pump(embedder);
	}
	free(user);
}

void embedder_wake(struct embedder *embedder, struct user_key user)
{
	struct user_key *copy = xmalloc(sizeof(*copy));
	*copy = user;
	loop_post_with(embedder->loop, wake, embedder, copy);
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
	embedder->server_gives = false;
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
		if (backlog->batch != NULL)
			destroy(backlog->batch);
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
