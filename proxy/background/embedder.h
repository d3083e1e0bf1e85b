/* The embedder: gives stored turns their vectors through [model]'s /embeddings, off the path of
 * requests. It runs on the learner's thread, fetches batches of one user's turns, for two users at
 * once, and stores only vectors. If recalld ends or too many users wait, the rest of a user's turns
 * waits for the user's next wake. After a failure it pauses, doubling from 1 s to 5 min. Without
 * [model] embedding it does nothing. */
#ifndef RECALLD_PROXY_BACKGROUND_EMBEDDER_H
#define RECALLD_PROXY_BACKGROUND_EMBEDDER_H

#include "proxy/background/key_ring.h"
#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct embedder;
struct last_failure;
struct embedder_wait;

/* ---- from any thread ---- */

/* This user, whose mode recalls, may have turns without vectors. Does not shorten a pause. */
void embedder_wake(struct embedder *embedder, struct user_key user);

/* Wakes the user, and calls `done` on `loop` when all of the user's turns have vectors (`all`),
 * when they cannot get them now, or after `timeout` milliseconds. Call on the loop's thread; `done`
 * is never called from within this function. NULL: recalld is ending, and `done` is not called. */
typedef void embedder_done(void *cookie, bool all);
struct embedder_wait *embedder_when_done(struct embedder *embedder, struct user_key user,
					 struct loop *loop, uint64_t timeout, embedder_done *done,
					 void *cookie);
/* On the thread that started the wait: `done` is not called. NULL is fine. */
void embedder_wait_cancel(struct embedder_wait *wait);

/* ---- for the learner, whose loop, upstream and keys it uses ---- */

struct embedder *embedder_create(struct store *store, struct loop *loop, struct upstream *upstream,
				 struct key_ring *keys, struct config *config,
				 struct last_failure *failure);
/* On the loop's thread: applies another configuration; ends all pauses. */
void embedder_configure(struct embedder *embedder, struct config *config);
/* On the loop's thread: this user has a new key, so what failed is tried again at once. */
void embedder_try_again(struct embedder *embedder, struct user_key user);
/* On the loop's thread, as its last step: ends what is in progress, and all waits, whose loops must
 * still exist. Drops a wait whose result is posted but not yet run: cancel it before the loop runs
 * what is posted. */
void embedder_stop(struct embedder *embedder);
/* Call after the loop is destroyed; NULL is fine. */
void embedder_destroy(struct embedder *embedder);

#endif
