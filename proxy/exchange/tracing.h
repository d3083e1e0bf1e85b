/* What an exchange tells a trace: when its parts began and ended, and its spans when it is over.
 * None of these calls does anything for an exchange that is not traced. */
#ifndef RECALLD_PROXY_EXCHANGE_TRACING_H
#define RECALLD_PROXY_EXCHANGE_TRACING_H

#include "core/dialect/reply.h"
#include "proxy/exchange/state.h"
#include "proxy/trace/context.h"

/* Whether it is traced, from its request. */
void exchange_trace_begin(struct exchange *exchange);
/* A request goes upstream, to a URL that lives in the arena. Replaces its traceparent; returns the
 * number of fields. */
size_t exchange_trace_send(struct exchange *exchange, const char *url,
			   const struct http_field **fields, size_t count);
void exchange_trace_head(struct exchange *exchange, int status);
/* The transfer has ended; `fault` names why it failed, NULL: it did not. */
void exchange_trace_sent(struct exchange *exchange, const char *fault);
/* What the upstream counted. */
void exchange_trace_usage(struct exchange *exchange, const struct reply *reply);
/* It changes to the state. */
void exchange_trace_state(struct exchange *exchange, enum exchange_state state);
/* It is over: its spans go to the tracer. */
void exchange_trace_end(struct exchange *exchange, const char *reason);
/* The trace's id for the log; empty: none. */
struct slice exchange_trace_id(struct exchange *exchange);

#endif
