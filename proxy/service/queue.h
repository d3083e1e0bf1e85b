/* Spans on their way to the tracer's loop: what threads put in, one thread takes out. Bounded in
 * spans and in bytes. Nothing else than tracer.c uses it. */
#ifndef RECALLD_PROXY_SERVICE_QUEUE_H
#define RECALLD_PROXY_SERVICE_QUEUE_H

#include "core/base/bytes.h"

#include <pthread.h>

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

#endif
