#include "storage/lmdb/writer.h"

#include "storage/audit.h"
#include "storage/lmdb/engine.h"
#include "storage/lmdb/table.h"
#include "storage/lmdb/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BATCH_LIMIT = 256,
	QUEUE_LIMIT = 64 * 1024 * 1024, /* bytes */
	LONGEST_WAIT_MS = 10,           /* for operations that may wait for others */
};

/* The caller's handle. It outlives the operation until the loop has run its callback. */
struct store_call {
	struct store_waiter waiter; /* its callback, NULL: cancelled, is the loop's thread's */
	enum store_result result;
	size_t count;
};

/* Operations in order of arrival. Operations of one user run in that order, so those after an
 * operation in slices wait until it ends. */
struct queue {
	struct operation *first;
	struct operation **last;
	size_t bytes;  /* total of queued and running operations */
	size_t urgent; /* number of queued operations that may not wait */
	size_t paused; /* number of operations in slices whose last slice failed; retried later */
};

struct writer {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* Under the lock: */
	struct queue queue;
	struct timespec wait_to; /* deadline of the first queued operation */
	bool stopping;
	void (*between)(void *cookie); /* NULL: nothing is to be run */
	void *between_cookie;
	pthread_cond_t between_done;
	/* Used only by the thread: */
	size_t written;          /* bytes since the last check of the room */
	struct timespec look_at; /* when the next check is due */
};

/* ---- operations ---- */

void *operation_create(size_t size, operation_run *run, const struct user_key *user)
{
	struct operation *operation = xcalloc(1, size);
	operation->run = run;
	operation->size = size;
	operation->has_user = user != NULL;
	if (user != NULL)
		operation->user = *user;
	return operation;
}

void *operation_copy(struct operation *operation, const void *bytes, size_t size)
{
	operation->size += size;
	void *copy = arena_bytes(&operation->arena, size);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

struct slice operation_slice(struct operation *operation, struct slice bytes)
{
	return (struct slice){operation_copy(operation, bytes.data, bytes.size), bytes.size};
}

static void operation_destroy(struct operation *operation)
{
	arena_finish(&operation->arena);
	free(operation);
}

static void call_finish(void *cookie)
{
	struct store_call *call = cookie;
	if (call->waiter.callback != NULL)
		call->waiter.callback(call->waiter.cookie, call->result);
	free(call);
}

size_t store_call_count(const struct store_call *call)
{
	return call->count;
}

void store_cancel(struct store_call *call)
{
	if (call != NULL)
		call->waiter.callback = NULL;
}

/* Reports to the caller; the operation may continue without one. */
static void operation_answer(struct operation *operation, enum store_result result)
{
	struct store_call *call = operation->call;
	operation->call = NULL;
	if (call == NULL)
		return;
	call->result = result;
	call->count = operation->count;
	call->waiter.loop->post(call->waiter.loop, call_finish, call);
}

static void operation_finish(struct operation *operation, enum store_result result)
{
	operation_answer(operation, result);
	operation_destroy(operation);
}

/* ---- the queue ---- */

static bool queue_fits(const struct queue *queue, size_t size)
{
	return queue->bytes == 0 || (size <= QUEUE_LIMIT && queue->bytes <= QUEUE_LIMIT - size);
}

static void queue_add(struct queue *queue, struct operation *operation)
{
	operation->next = NULL;
	*queue->last = operation;
	queue->last = &operation->next;
	queue->bytes += operation->size;
	queue->urgent += !operation->may_wait;
}

static void unlink_at(struct queue *queue, struct operation **link)
{
	struct operation *operation = *link;
	*link = operation->next;
	if (queue->last == &operation->next)
		queue->last = link;
	queue->urgent -= !operation->may_wait;
}

static bool is_of_same_user(const struct operation *a, const struct operation *b)
{
	return !a->has_user || !b->has_user || user_equal(a->user, b->user);
}

/* Operations in slices that stand before it hold it back; they are few. */
static bool is_held(const struct operation *operation, struct operation *const *holders,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_of_same_user(operation, holders[i]))
			return true;
	}
	return false;
}

static size_t queue_take(struct queue *queue, struct operation **batch, size_t limit)
{
	enum { MOST_HOLDERS = 256 };
	struct operation *holders[MOST_HOLDERS];
	size_t holder_count = 0;
	size_t count = 0;
	struct operation **link = &queue->first;
	while (*link != NULL && count < limit && holder_count < MOST_HOLDERS) {
		struct operation *operation = *link;
		bool is_free = !is_held(operation, holders, holder_count);
		if (is_free && operation->in_slices)
			holders[holder_count++] = operation;
		if (!is_free || operation->paused) {
			link = &operation->next;
			continue;
		}
		unlink_at(queue, link);
		batch[count++] = operation;
	}
	return count;
}

static void queue_put_back(struct queue *queue, struct operation *operation, bool pause)
{
	operation->next = queue->first;
	if (queue->first == NULL)
		queue->last = &operation->next;
	queue->first = operation;
	queue->urgent += !operation->may_wait;
	operation->paused = pause;
	queue->paused += pause;
}

static void queue_resume(struct queue *queue)
{
	for (struct operation *at = queue->first; at != NULL && queue->paused > 0; at = at->next) {
		queue->paused -= at->paused;
		at->paused = false;
	}
}

static struct timespec from_now(long milliseconds)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += milliseconds * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

static bool accept(struct writer *writer, struct operation *operation)
{
	struct queue *queue = &writer->queue;
	pthread_mutex_lock(&writer->lock);
	bool fits = operation->promised || queue_fits(queue, operation->size);
	if (fits) {
		bool is_first = queue->first == NULL;
		queue_add(queue, operation);
		if (is_first)
			writer->wait_to = from_now(LONGEST_WAIT_MS);
		if (is_first || !operation->may_wait)
			pthread_cond_signal(&writer->work);
	}
	pthread_mutex_unlock(&writer->lock);
	return fits;
}

static struct store_call *call_create(struct store_waiter waiter)
{
	struct store_call *call = xmalloc(sizeof(*call));
	*call = (struct store_call){.waiter = waiter};
	return call;
}

static void keep_audit(struct operation *operation, const struct audit_entry *entry)
{
	struct audit_entry *copy = operation_copy(operation, entry, sizeof(*entry));
	copy->from = operation_slice(operation, entry->from);
	copy->item = operation_slice(operation, entry->item);
	copy->tenant = operation_slice(operation, entry->tenant);
	operation->audit = copy;
}

struct store_call *writer_submit(struct writer *writer, struct operation *operation,
				 struct store_waiter waiter)
{
	const struct store_loop *loop = waiter.loop;
	bool is_told = loop != NULL && waiter.callback != NULL;
	struct store_call *call = is_told ? call_create(waiter) : NULL;
	operation->call = call;
	if (loop != NULL && loop->audit != NULL)
		keep_audit(operation, loop->audit);
	if (operation->grows && !store_has_room(writer->store))
		operation_finish(operation, STORE_FULL);
	else if (!accept(writer, operation))
		operation_finish(operation, STORE_FAILED);
	return call;
}

void writer_resume(struct writer *writer, struct operation *operation)
{
	operation->promised = true;
	operation->begun = true;
	(void)accept(writer, operation);
}

bool writer_is_full(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	bool is_full = !queue_fits(&writer->queue, 1);
	pthread_mutex_unlock(&writer->lock);
	return is_full;
}

bool store_is_behind(const struct store *store)
{
	return writer_is_full(store->writer);
}

static void tell_of_facts_gone(struct store *store, struct operation **operations, size_t count)
{
	fact_limit_listener *listener = atomic_load(&store->fact_limit_listener);
	for (size_t i = 0; i < count; i++) {
		struct operation *operation = operations[i];
		operation->facts_gone += operation->facts_gone_now;
		if (operation->facts_gone > 0 && !operation->unfinished && listener != NULL)
			listener(operation->user, operation->facts_gone);
	}
}

void store_listen_to_fact_limit(struct store *store, fact_limit_listener *listener)
{
	atomic_store(&store->fact_limit_listener, listener);
}

static enum store_result run_one(struct operation *operation, struct transaction *transaction)
{
	struct arena scratch = {0};
	const struct memory memory = {transaction, operation->user, &scratch};
	enum store_result result = operation->run(operation, &memory);
	arena_finish(&scratch);
	return result;
}

/* Returns how many were written in one transaction: 0, all, or those up to one that ends a user. */
static size_t run_together(struct writer *writer, struct operation **operations, size_t count)
{
	struct store *store = writer->store;
	struct transaction transaction;
	if (!transaction_begin_write(&transaction, store)) {
		operations[0]->result = transaction.result;
		return 0;
	}
	transaction.spare = SLICE_STEPS;
	for (size_t i = 0; i < count; i++) {
		operations[i]->unfinished = operations[i]->declined = false;
		transaction.facts_gone = 0;
		enum store_result result = run_one(operations[i], &transaction);
		if (result == STORE_OK && operations[i]->audit != NULL)
			store->record_audit(operations[i], &transaction);
		/* a table's failure takes precedence over the operation's own result */
		if (transaction.result != STORE_OK)
			result = transaction.result;
		operations[i]->result = result;
		if ((result == STORE_FULL || result == STORE_FAILED) && !operations[i]->declined) {
			transaction_abort(&transaction);
			return 0;
		}
		operations[i]->facts_gone_now = transaction.facts_gone;
		count = transaction.ends_user ? i + 1 : count;
	}
	enum store_result committed = transaction_commit(&transaction);
	if (committed != STORE_OK) {
		operations[0]->result = committed;
		return 0;
	}
	atomic_fetch_add(&store->commits, 1);
	atomic_fetch_add(&store->writes, count);
	store->tell_audit(store, operations, count);
	tell_of_facts_gone(store, operations, count);
	/* Only now may a reader get a forget_epoch that says it read the state after a
	 * forgetting. */
	atomic_store(&store->forget_epoch, store->next_forget_epoch);
	return count;
}

/* The next check sees it, and then readiness and the status of chats report it. */
static void note_full(struct store *store)
{
	/* a full disk is checked again each second; a full map stays full */
	engine_reserve(store);
	store->full_at = engine_disk_has_room(store) ? engine_bytes_used(store) : 0;
	atomic_store(&store->has_room, false);
}

static bool is_slice_of_import(const struct operation *operation)
{
	return operation->in_slices && operation->grows;
}

static void run_batch(struct writer *writer, struct operation **operations, size_t count)
{
	size_t done = run_together(writer, operations, count);
	for (; count > 1 && done < count; done++)
		(void)run_together(writer, &operations[done], 1);
	for (size_t i = 0; i < count; i++) {
		/* a slice of an import takes more than there is room for, not the last of it */
		if (operations[i]->result == STORE_FULL && !is_slice_of_import(operations[i]))
			note_full(writer->store);
	}
}

static bool is_due(const struct timespec *at)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec >= at->tv_nsec);
}

/* Checks once a second, before large writes, and at once after a delete that may have made room:
 * whoever makes room stops when there is enough. */
static void look_at_room(struct writer *writer, size_t written)
{
	struct store *store = writer->store;
	writer->written += written;
	if (store_has_room(store) && !store_is_crowded(store) &&
	    writer->written < engine_look_distance(store) && !is_due(&writer->look_at))
		return;
	engine_look_at_room(store);
	writer->written = 0;
	clock_gettime(CLOCK_MONOTONIC, &writer->look_at);
	writer->look_at.tv_sec++;
	pthread_mutex_lock(&writer->lock);
	queue_resume(&writer->queue);
	pthread_mutex_unlock(&writer->lock);
}

/* Waits for work. Takes up to BATCH_LIMIT operations; 0: a second has passed, or the writer
 * stops. */
static size_t take_batch(struct writer *writer, struct operation **batch, bool *stopping)
{
	struct queue *queue = &writer->queue;
	size_t count = 0;
	int waited = 0;
	pthread_mutex_lock(&writer->lock);
	for (;;) {
		bool is_over = writer->stopping || writer->between != NULL || waited != 0;
		if (is_over || queue->urgent > 0)
			count = queue_take(queue, batch, BATCH_LIMIT);
		if (is_over || count > 0)
			break;
		/* everything queued may wait for others, or for a paused operation */
		bool waits_long = queue->first == NULL || queue->paused > 0;
		waited = pthread_cond_timedwait(&writer->work, &writer->lock,
						waits_long ? &writer->look_at : &writer->wait_to);
		/* what came as the second ended may still wait for others */
		if (waits_long && queue->first != NULL && queue->paused == 0)
			waited = 0;
	}
	*stopping = writer->stopping;
	pthread_mutex_unlock(&writer->lock);
	return count;
}

/* Unfinished operations continue before all that waits, and so do those that failed half-way, which
 * otherwise the next start would find. */
static void settle(struct writer *writer, struct operation **batch, size_t count)
{
	pthread_mutex_lock(&writer->lock);
	for (size_t i = count; i-- > 0;) {
		struct operation *operation = batch[i];
		enum store_result result = operation->result;
		bool failed = result == STORE_FULL || result == STORE_FAILED;
		/* what is cut off is settled by the next start, as after a crash */
		if (writer->stopping && operation->in_slices && (failed || operation->unfinished)) {
			writer->queue.bytes -= operation->size;
			operation->result = STORE_FAILED;
			continue;
		}
		if (failed ? operation->begun : operation->unfinished) {
			operation->begun = true;
			operation->slices += !failed;
			queue_put_back(&writer->queue, operation, failed);
			if (failed)
				operation_answer(operation, result);
			if (failed && operation->undo != NULL)
				operation->run = operation->undo;
			batch[i] = NULL;
		} else {
			writer->queue.bytes -= operation->size;
		}
	}
	pthread_mutex_unlock(&writer->lock);
	for (size_t i = 0; i < count; i++) {
		if (batch[i] != NULL)
			operation_finish(batch[i], batch[i]->result);
	}
}

/* The texts of an import are its caller's. */
static size_t size_of(const struct store *store, struct operation *const *batch, size_t count)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += is_slice_of_import(batch[i]) ? engine_look_distance(store) : batch[i]->size;
	return size;
}

void writer_run_between(struct writer *writer, void (*run)(void *cookie), void *cookie)
{
	pthread_mutex_lock(&writer->lock);
	writer->between_cookie = cookie;
	writer->between = run;
	pthread_cond_signal(&writer->work);
	while (writer->between != NULL)
		pthread_cond_wait(&writer->between_done, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

static void run_between(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	void (*run)(void *cookie) = writer->between;
	pthread_mutex_unlock(&writer->lock);
	if (run == NULL)
		return;
	run(writer->between_cookie);
	pthread_mutex_lock(&writer->lock);
	writer->between = NULL;
	pthread_cond_signal(&writer->between_done);
	pthread_mutex_unlock(&writer->lock);
}

static void *writer_main(void *cookie)
{
	struct writer *writer = cookie;
	struct operation *batch[BATCH_LIMIT];
	bool stopping = false;
	for (;;) {
		size_t count = take_batch(writer, batch, &stopping);
		if (count == 0 && stopping)
			return NULL;
		if (count > 0)
			run_batch(writer, batch, count);
		look_at_room(writer, size_of(writer->store, batch, count));
		settle(writer, batch, count);
		run_between(writer);
		engine_cache_singly(writer->store);
	}
}

static void make_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void writer_free(struct writer *writer)
{
	/* operations held back by a pause; the next start resumes those that had begun */
	for (struct operation *left = writer->queue.first, *next; left != NULL; left = next) {
		next = left->next;
		operation_finish(left, STORE_FAILED);
	}
	pthread_cond_destroy(&writer->between_done);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

struct writer *writer_start(struct store *store)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	writer->store = store;
	writer->queue.last = &writer->queue.first;
	pthread_mutex_init(&writer->lock, NULL);
	make_condition(&writer->work);
	make_condition(&writer->between_done);
	/* Blocks signals, which are for the threads that have a loop, except those that the
	 * thread's own faults raise: if blocked, they would end the process without a message. */
	static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = thread_start(&writer->thread, "store", writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		return writer;
	writer_free(writer);
	return NULL;
}

void writer_stop(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}
