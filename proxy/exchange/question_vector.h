/* The vector of a question, fetched on a worker's loop while the request waits, at most [model]
 * embedding_timeout. After three failures in a row requests stop waiting, until a probe beside the
 * requests shows that the server keeps up again. Probes come after 5 s, then after pauses that
 * double up to 60 s. No trouble reaches the chat: there is a vector, or there is none. */
#ifndef RECALLD_PROXY_EXCHANGE_QUESTION_VECTOR_H
#define RECALLD_PROXY_EXCHANGE_QUESTION_VECTOR_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/upstream.h"

/* A worker's knowledge of the server; one per loop, used on its thread. */
struct question_vectors;
/* A question that waits. */
struct question_call;

struct question_vectors *question_vectors_create(struct loop *loop, struct upstream *upstream);
/* No call may be in progress. Destroy it before the upstream; NULL is fine. */
void question_vectors_destroy(struct question_vectors *vectors);

/* The vector has the form of those in the store (vector_quantize()) and is valid during the
 * call; NULL and 0: there is none. */
typedef void question_vector_given(void *cookie, const int8_t *vector, size_t dimensions);

/* Requests the vector of a question's text, of which the first 8 KB count. `clients_own` is the
 * request's field with its key, "NAME: VALUE", used if no key is configured; empty: none. Copies
 * everything. Calls the callback once from the loop, unless cancelled. Returns NULL, and does not
 * call it, if no vector can be had: no model is configured, the text is blank, or the server does
 * not keep up. */
struct question_call *question_vector_start(struct question_vectors *vectors, struct config *config,
					    struct slice question, struct slice clients_own,
					    question_vector_given *callback, void *cookie);
void question_vector_cancel(struct question_call *call); /* NULL is fine */

#endif
