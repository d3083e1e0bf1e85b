/* The tracer: takes the spans of exchanges from any thread into a bounded queue and posts them to
 * [trace] endpoint in batches, once a second, from the loop that it was made with. A collector that
 * is slow, fails or is not there costs spans, never an exchange:
 * recalld_trace_spans_total counts what became of them. */
#ifndef RECALLD_PROXY_SERVICE_TRACER_H
#define RECALLD_PROXY_SERVICE_TRACER_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"

struct tracer;

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
