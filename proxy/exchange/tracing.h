/* Traces an exchange: when its parts began and ended, and its spans when it is over. Each call does
 * nothing for an exchange that is not traced. */
#ifndef RECALLD_PROXY_EXCHANGE_TRACING_H
#define RECALLD_PROXY_EXCHANGE_TRACING_H

#include "core/dialect/reply.h"
#include "proxy/exchange/state.h"
#include "proxy/service/trace_context.h"

/* Decides from the request whether the exchange is traced. */
void exchange_trace_begin(struct exchange *exchange);
/* A request goes upstream, to a URL that must live in the arena. Replaces the traceparent field;
 * returns the number of fields. */
size_t exchange_trace_send(struct exchange *exchange, const char *url,
			   const struct http_field **fields, size_t count);
void exchange_trace_head(struct exchange *exchange, int status);
/* The transfer has ended; `fault` names why it failed, NULL: it succeeded. */
void exchange_trace_sent(struct exchange *exchange, const char *fault);
/* Records the upstream's token counts. */
void exchange_trace_usage(struct exchange *exchange, const struct reply *reply);
/* The exchange changes to the state. */
void exchange_trace_state(struct exchange *exchange, enum exchange_state state);
/* The exchange is over: hands its spans to the tracer. */
void exchange_trace_end(struct exchange *exchange, const char *reason);
/* The trace's id for the log; empty: none. */
struct slice exchange_trace_id(struct exchange *exchange);

#endif
