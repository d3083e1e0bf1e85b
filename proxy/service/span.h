/* Writes spans in the JSON encoding of OTLP (opentelemetry-proto 1, docs/specification.md: ids in
 * hexadecimal, 64-bit numbers as strings), one after the other with commas between them. */
#ifndef RECALLD_PROXY_SERVICE_SPAN_H
#define RECALLD_PROXY_SERVICE_SPAN_H

#include "proxy/service/trace_context.h"

/* The numbers of SpanKind. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };

struct span {
	enum span_kind kind;
	struct span_id id;
	const struct span_id *parent; /* NULL: the trace begins here */
	bool parent_is_remote;        /* it is another program's */
	struct slice name;
	uint64_t begun; /* nanoseconds since 1970 */
	uint64_t ended;
};

/* One span: span_open(), its attributes, span_close(). Buffers that overflow are not sent. */
void span_open(struct buffer *out, const struct trace_context *context, const struct span *span);
void span_add_text(struct buffer *out, const char *name, struct slice value);
void span_add_number(struct buffer *out, const char *name, int64_t value);
void span_add_seconds(struct buffer *out, const char *name, uint64_t microseconds);
void span_add_flag(struct buffer *out, const char *name, bool value);
void span_close(struct buffer *out, bool is_error);

#endif
