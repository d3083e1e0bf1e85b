/* The vector of a question: asked for on a worker's loop while the request waits for it, at most
 * [model] embedding_timeout. After three failures in a row no request waits any more, until a call
 * that is made beside the requests, after 5 s and then pauses doubling to 60 s, shows that the
 * server keeps up again. Nothing of this reaches the chat: there is a vector, or there is none. */
#ifndef RECALLD_PROXY_EXCHANGE_QUESTION_VECTOR_H
#define RECALLD_PROXY_EXCHANGE_QUESTION_VECTOR_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/upstream.h"

/* What a worker knows of the server: one for each loop, on its thread. */
struct question_vectors;
/* A question that waits. */
struct question_call;

struct question_vectors *question_vectors_create(struct loop *loop, struct upstream *upstream);
/* No call may be under way. Before the upstream is destroyed; NULL is fine. */
void question_vectors_destroy(struct question_vectors *vectors);

/* The vector is as those in the store, see core/recall/vector.h, and valid during the call; NULL
 * and 0: there is none. */
typedef void question_vector_given(void *cookie, const int8_t *vector, size_t dimensions);

/* Asks for the vector of a question's text, of which the first 8 KB count. `clients_own` is the
 * request's field with its key, "NAME: VALUE", used when no key is configured; empty: none. All is
 * copied. The callback is called once from the loop, unless cancelled. NULL: there is none to be
 * had (no model is configured, the text is blank, or the server does not keep up); the callback is
 * not called. */
struct question_call *question_vector_start(struct question_vectors *vectors, struct config *config,
					    struct slice question, struct slice clients_own,
					    question_vector_given *callback, void *cookie);
void question_vector_cancel(struct question_call *call); /* NULL is fine */

#endif
