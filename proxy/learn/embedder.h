/* The embedder: gives stored turns their vectors, off the path of requests, by [model]'s
 * /embeddings. It lives on the learner's thread, asks for a batch of one user's turns at a time and
 * for two users' at once, and keeps nothing but the vectors: what is left of a user's turns when
 * recalld ends, or when too many users wait, is taken up at the user's next wake. A server that
 * fails is asked again after pauses doubling from 1 s to 5 min. Without [model] embedding it does
 * nothing. */
#ifndef RECALLD_PROXY_LEARN_EMBEDDER_H
#define RECALLD_PROXY_LEARN_EMBEDDER_H

#include "proxy/config/config.h"
#include "proxy/learn/key_ring.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct embedder;
struct last_failure;
struct embedder_wait;

/* ---- from any thread ---- */

/* This user, whose mode recalls, may have turns without vectors. It does not cut a pause short. */
void embedder_wake(struct embedder *embedder, struct user_key user);

/* Wakes the user, and calls `done` on `loop`, whose thread this is to be called from, when all of
 * the user's turns have their vectors (`all`), when they cannot have them now, or after `timeout`
 * milliseconds. Never from within this function. NULL: recalld is ending, and `done` is not called.
 */
typedef void embedder_done(void *cookie, bool all);
struct embedder_wait *embedder_when_done(struct embedder *embedder, struct user_key user,
					 struct loop *loop, uint64_t timeout, embedder_done *done,
					 void *cookie);
/* From the thread that began it: `done` is not called. NULL is fine. */
void embedder_wait_cancel(struct embedder_wait *wait);

/* ---- for the learner, whose loop, upstream and keys it uses ---- */

struct embedder *embedder_create(struct store *store, struct loop *loop, struct upstream *upstream,
				 struct key_ring *keys, struct config *config,
				 struct last_failure *failure);
/* On the loop's thread: follows another configuration; nothing is paused any more. */
void embedder_configure(struct embedder *embedder, struct config *config);
/* On the loop's thread: this user has a new key, with which what failed is tried at once. */
void embedder_try_again(struct embedder *embedder, struct user_key user);
/* On the loop's thread, the last thing there: ends what is under way, and all waits, whose loops
 * must still be there. A wait that the loop has not come to is dropped: it must be cancelled before
 * what is posted to the loop runs. */
void embedder_stop(struct embedder *embedder);
/* After the loop is destroyed; NULL is fine. */
void embedder_destroy(struct embedder *embedder);

#endif
