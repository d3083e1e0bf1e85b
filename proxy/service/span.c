#include "proxy/service/span.h"

#include "core/json/json.h"

/* SpanFlags: whether the parent is remote is known, and that it is. The trace's own flag: sampled.
 */
enum { PARENT_IS_KNOWN = 0x100, PARENT_IS_REMOTE = 0x200, IS_SAMPLED = 1, STATUS_ERROR = 2 };

static void append_hex(struct buffer *out, const unsigned char *bytes, size_t size)
{
	struct arena arena = {0};
	buffer_append(out, trace_hex(bytes, size, &arena));
	arena_finish(&arena);
}

static unsigned flags_of(const struct span *span)
{
	return IS_SAMPLED | PARENT_IS_KNOWN | (span->parent_is_remote ? PARENT_IS_REMOTE : 0);
}

void span_open(struct buffer *out, const struct trace_context *context, const struct span *span)
{
	if (out->size > 0)
		buffer_append_byte(out, ',');
	buffer_append(out, SLICE("{\"traceId\":\""));
	append_hex(out, context->trace, TRACE_ID_SIZE);
	buffer_append(out, SLICE("\",\"spanId\":\""));
	append_hex(out, span->id.bytes, SPAN_ID_SIZE);
	if (span->parent != NULL) {
		buffer_append(out, SLICE("\",\"parentSpanId\":\""));
		append_hex(out, span->parent->bytes, SPAN_ID_SIZE);
	}
	buffer_append(out, SLICE("\",\"name\":"));
	json_quote(out, span->name);
	buffer_printf(out,
		      ",\"kind\":%d,\"flags\":%u,\"startTimeUnixNano\":\"%llu\","
		      "\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
		      (int)span->kind, flags_of(span), (unsigned long long)span->begun,
		      (unsigned long long)(span->ended < span->begun ? span->begun : span->ended));
}

/* Up to the value; the caller closes two braces. */
static void open_attribute(struct buffer *out, const char *name, const char *type)
{
	if (out->size > 0 && out->data[out->size - 1] == '}')
		buffer_append_byte(out, ',');
	buffer_printf(out, "{\"key\":\"%s\",\"value\":{\"%s\":", name, type);
}

void span_add_text(struct buffer *out, const char *name, struct slice value)
{
	open_attribute(out, name, "stringValue");
	json_quote(out, value);
	buffer_append(out, SLICE("}}"));
}

void span_add_number(struct buffer *out, const char *name, int64_t value)
{
	open_attribute(out, name, "intValue");
	buffer_printf(out, "\"%lld\"}}", (long long)value);
}

void span_add_seconds(struct buffer *out, const char *name, uint64_t microseconds)
{
	open_attribute(out, name, "doubleValue");
	buffer_printf(out, "%llu.%06u}}", (unsigned long long)(microseconds / 1000000),
		      (unsigned)(microseconds % 1000000));
}

void span_add_flag(struct buffer *out, const char *name, bool value)
{
	open_attribute(out, name, "boolValue");
	buffer_append(out, value ? SLICE("true}}") : SLICE("false}}"));
}

void span_close(struct buffer *out, bool is_error)
{
	buffer_append_byte(out, ']');
	if (is_error)
		buffer_printf(out, ",\"status\":{\"code\":%d}", STATUS_ERROR);
	buffer_append_byte(out, '}');
}
