/* The tracer: takes the spans of exchanges from any thread into a bounded queue and posts them to
 * [trace] endpoint in batches, once a second, from the loop that it was made with. A collector that
 * is slow, fails or is not there costs spans, never an exchange:
 * recalld_trace_spans_total counts what became of them. */
#ifndef RECALLD_PROXY_SERVICE_TRACER_H
#define RECALLD_PROXY_SERVICE_TRACER_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"

#include <pthread.h>

struct tracer;

/* Spans on their way to the tracer's loop: what threads put in, one thread takes out. Bounded in
 * spans and in bytes. */

enum { QUEUE_SPANS = 8192, QUEUE_BYTES = 16 * 1024 * 1024 };

struct span_bundle;

struct span_queue {
	pthread_mutex_t lock; /* over all the rest; held for a few instructions */
	struct span_bundle *first;
	struct span_bundle **end;
	size_t spans;
	size_t bytes;
};

void span_queue_init(struct span_queue *queue);
void span_queue_finish(struct span_queue *queue);
/* Copies. False: the queue is full. */
bool span_queue_put(struct span_queue *queue, struct slice spans, size_t count);
/* Moves the oldest bundles to `out`, with commas between them: as many as come to `most` spans, or
 * the first alone. Returns how many spans that are. */
size_t span_queue_take(struct span_queue *queue, size_t most, struct buffer *out);
/* Returns how many spans are dropped. */
size_t span_queue_clear(struct span_queue *queue);

/* ---- the tracer ---- */

/* Without an endpoint it has neither a timer nor a connection. */
struct tracer *tracer_create(struct loop *loop, struct config *config);
/* The loop's thread. Without an endpoint, what is queued is dropped. */
void tracer_configure(struct tracer *tracer, struct config *config);
/* Any thread; copies. `spans` are as span.h writes them, `count` their number. Drops them if the
 * queue is full. */
void tracer_offer(struct tracer *tracer, struct slice spans, size_t count);
/* Sends what is queued, in two seconds at most, and gives up at the first failure. No thread may be
 * inside loop_run() of its loop, which this runs. NULL is fine. */
void tracer_flush(struct tracer *tracer);
/* Before its loop is destroyed; no thread may offer any more. NULL is fine. */
void tracer_destroy(struct tracer *tracer);

#endif
