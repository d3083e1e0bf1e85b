/* Distributed tracing: which trace an exchange belongs to, its spans as OTLP/HTTP takes them in
 * JSON, and the tracer that sends them to a collector. Nothing here waits, and nothing that fails
 * here reaches an exchange.
 *
 * First W3C Trace Context (https://www.w3.org/TR/trace-context/): what the client's `traceparent`
 * says, and the one that the upstream gets. */
#ifndef RECALLD_PROXY_SERVICE_TRACE_CONTEXT_H
#define RECALLD_PROXY_SERVICE_TRACE_CONTEXT_H

#include "proxy/http/parser.h"

enum { TRACE_ID_SIZE = 16, SPAN_ID_SIZE = 8 };

struct span_id {
	unsigned char bytes[SPAN_ID_SIZE];
};

struct trace_context {
	bool sampled;    /* spans are reported; otherwise the rest means nothing */
	bool has_parent; /* the client sent a valid traceparent */
	unsigned char trace[TRACE_ID_SIZE];
	struct span_id parent; /* of has_parent: the client's span */
};

/* Decides from the fields of a request. A valid traceparent decides itself, by its sampled flag; of
 * the requests without one, `sample` (0 to 1) is the share that begins a trace. */
struct trace_context trace_context_begin(const struct http_field *fields, size_t count,
					 double sample);

struct span_id span_id_make(void); /* random */

/* The fields with a traceparent that names `span` in place of the client's. The client's tracestate
 * stays if its traceparent was valid. Returns their number; they live in the arena. For a sampled
 * context. */
size_t trace_context_fields(const struct trace_context *context, struct span_id span,
			    const struct http_field *fields, size_t count,
			    const struct http_field **out, struct arena *arena);

/* Lowercase hexadecimal. */
struct slice trace_hex(const unsigned char *bytes, size_t size, struct arena *arena);

/* ---- spans ---- */

/* Spans in the JSON encoding of OTLP (opentelemetry-proto 1, docs/specification.md: ids in
 * hexadecimal, 64-bit numbers as strings), one after the other with commas between them. */

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
