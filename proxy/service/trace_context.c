#include "proxy/service/trace_context.h"

#include "core/json/json.h"

#include <string.h>
#include <sys/random.h>

/* "00-" trace id "-" parent id "-" flags. */
enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, PARENT_SIZE = 55, FLAG_SAMPLED = 1 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: not lowercase hexadecimal. */
static bool read_hex(const char *text, unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Section 3.2: a version above 00 may have more after its flags, and ff is invalid. */
static bool has_form(struct slice value)
{
	unsigned char version;
	if (value.size < PARENT_SIZE || !read_hex(value.data, &version, 1) || version == 0xff)
		return false;
	if (value.size > PARENT_SIZE && (version == 0 || value.data[PARENT_SIZE] != '-'))
		return false;
	return value.data[TRACE_AT - 1] == '-' && value.data[PARENT_AT - 1] == '-' &&
	       value.data[FLAGS_AT - 1] == '-';
}

static bool read_parent(struct slice value, struct trace_context *context)
{
	unsigned char flags;
	if (!has_form(value) || !read_hex(value.data + TRACE_AT, context->trace, TRACE_ID_SIZE) ||
	    !read_hex(value.data + PARENT_AT, context->parent.bytes, SPAN_ID_SIZE) ||
	    !read_hex(value.data + FLAGS_AT, &flags, 1) || is_zero(context->trace, TRACE_ID_SIZE) ||
	    is_zero(context->parent.bytes, SPAN_ID_SIZE))
		return false;
	context->sampled = (flags & FLAG_SAMPLED) != 0;
	return true;
}

static bool is_parent_field(const struct http_field *field)
{
	return slice_equal_nocase(field->name, SLICE("traceparent"));
}

/* The only traceparent; empty if there is none, or several. */
static struct slice find_parent(const struct http_field *fields, size_t count)
{
	struct slice found = {0};
	for (size_t i = 0; i < count; i++) {
		if (!is_parent_field(&fields[i]))
			continue;
		if (found.data != NULL)
			return (struct slice){0};
		found = fields[i].value;
	}
	return found;
}

/* Without randomness, which Linux always has once it is up, the id is zero and so invalid. */
static void fill(unsigned char *bytes, size_t size)
{
	if (getrandom(bytes, size, 0) != (ssize_t)size)
		memset(bytes, 0, size);
}

/* As TraceIdRatioBased samplers do, by the last 7 bytes: those of a trace agree. */
static bool is_drawn(const unsigned char trace[TRACE_ID_SIZE], double sample)
{
	uint64_t number = 0;
	for (size_t i = TRACE_ID_SIZE - 7; i < TRACE_ID_SIZE; i++)
		number = number << 8 | trace[i];
	return (double)number < sample * (double)(UINT64_C(1) << 56);
}

struct trace_context trace_context_begin(const struct http_field *fields, size_t count,
					 double sample)
{
	struct trace_context context = {0};
	context.has_parent = read_parent(find_parent(fields, count), &context);
	if (context.has_parent || sample <= 0)
		return context;
	fill(context.trace, TRACE_ID_SIZE);
	context.sampled = !is_zero(context.trace, TRACE_ID_SIZE) && is_drawn(context.trace, sample);
	return context;
}

struct span_id span_id_make(void)
{
	struct span_id id;
	fill(id.bytes, SPAN_ID_SIZE);
	return id;
}

struct slice trace_hex(const unsigned char *bytes, size_t size, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_bytes(arena, 2 * size);
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return (struct slice){text, 2 * size};
}

static struct http_field parent_field(const struct trace_context *context, struct span_id span,
				      struct arena *arena)
{
	const struct slice parts[] = {SLICE("00-"), trace_hex(context->trace, TRACE_ID_SIZE, arena),
				      SLICE("-"), trace_hex(span.bytes, SPAN_ID_SIZE, arena),
				      SLICE("-01")};
	return (struct http_field){SLICE("traceparent"), arena_join(arena, parts, 5)};
}

size_t trace_context_fields(const struct trace_context *context, struct span_id span,
			    const struct http_field *fields, size_t count,
			    const struct http_field **out, struct arena *arena)
{
	struct http_field *kept = arena_alloc(arena, (count + 1) * sizeof(*kept));
	size_t kept_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_parent_field(&fields[i]) ||
		    (!context->has_parent &&
		     slice_equal_nocase(fields[i].name, SLICE("tracestate"))))
			continue;
		kept[kept_count++] = fields[i];
	}
	kept[kept_count++] = parent_field(context, span, arena);
	*out = kept;
	return kept_count;
}

/* ---- spans ---- */

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
