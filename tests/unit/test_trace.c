/* The trace context of W3C, the queue of spans, and the JSON of a span. */
#include "tests/unit/unit.h"

#include "core/json/json.h"
#include "proxy/runtime/metrics.h"
#include "proxy/service/trace_context.h"
#include "proxy/service/tracer.h"

#include <stdlib.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static struct arena arena; /* freed with the test's process */

static struct trace_context begin_with(const char *traceparent, double sample)
{
	const struct http_field fields[] = {
		{SLICE("Host"), SLICE("recalld")},
		{SLICE("Traceparent"), slice_of(traceparent)},
	};
	return trace_context_begin(fields, 2, sample);
}

static void assert_invalid(const char *traceparent)
{
	struct trace_context context = begin_with(traceparent, 0);
	ck_assert_msg(!context.has_parent && !context.sampled, "\"%s\" counts", traceparent);
}

START_TEST(a_valid_traceparent_decides_by_its_flag)
{
	struct trace_context context = begin_with("00-" TRACE "-" PARENT "-01", 0);
	ck_assert(context.has_parent && context.sampled);
	unit_assert_slice(trace_hex(context.trace, TRACE_ID_SIZE, &arena), TRACE);
	unit_assert_slice(trace_hex(context.parent.bytes, SPAN_ID_SIZE, &arena), PARENT);
	ck_assert(!begin_with("00-" TRACE "-" PARENT "-00", 1).sampled);
	ck_assert(!begin_with("00-" TRACE "-" PARENT "-02", 1).sampled);
	ck_assert(begin_with("00-" TRACE "-" PARENT "-ff", 0).sampled);
	/* A later version may have more. */
	ck_assert(begin_with("cc-" TRACE "-" PARENT "-01-what-is-to-come", 0).sampled);
}
END_TEST

START_TEST(an_invalid_traceparent_counts_as_none)
{
	assert_invalid("");
	assert_invalid("00-" TRACE "-" PARENT);
	assert_invalid("00-" TRACE "-" PARENT "-1");
	assert_invalid("00-" TRACE "-" PARENT "-01-more");
	assert_invalid("cc-" TRACE "-" PARENT "-01.more");
	assert_invalid("ff-" TRACE "-" PARENT "-01");
	assert_invalid("00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01");
	assert_invalid("00-00000000000000000000000000000000-" PARENT "-01");
	assert_invalid("00-" TRACE "-0000000000000000-01");
	assert_invalid("00_" TRACE "-" PARENT "-01");
	assert_invalid("00-" TRACE "-" PARENT "-0g");
	const struct http_field twice[] = {
		{SLICE("traceparent"), SLICE("00-" TRACE "-" PARENT "-01")},
		{SLICE("traceparent"), SLICE("00-" TRACE "-" PARENT "-01")},
	};
	ck_assert(!trace_context_begin(twice, 2, 0).has_parent);
}
END_TEST

START_TEST(of_other_requests_a_share_begins_a_trace)
{
	size_t sampled = 0;
	for (size_t i = 0; i < 4000; i++) {
		struct trace_context context = trace_context_begin(NULL, 0, 0.25);
		ck_assert(!context.has_parent);
		sampled += context.sampled;
	}
	ck_assert_msg(sampled > 800 && sampled < 1200, "%zu of 4000", sampled);
	ck_assert(!trace_context_begin(NULL, 0, 0).sampled);
	ck_assert(trace_context_begin(NULL, 0, 1).sampled);
}
END_TEST

static const struct http_field *find(const struct http_field *fields, size_t count,
				     const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(fields[i].name, slice_of(name)))
			return &fields[i];
	}
	return NULL;
}

START_TEST(the_upstream_gets_our_span_as_its_parent)
{
	const struct http_field fields[] = {
		{SLICE("TraceParent"), SLICE("00-" TRACE "-" PARENT "-01")},
		{SLICE("tracestate"), SLICE("a=1")},
		{SLICE("Accept"), SLICE("*/*")},
	};
	const struct span_id ours = {{1, 2, 3, 4, 5, 6, 7, 8}};
	struct trace_context context = trace_context_begin(fields, 3, 0);
	const struct http_field *out;
	size_t count = trace_context_fields(&context, ours, fields, 3, &out, &arena);
	ck_assert_uint_eq(count, 3);
	unit_assert_slice(find(out, count, "traceparent")->value,
			  "00-" TRACE "-0102030405060708-01");
	unit_assert_slice(find(out, count, "tracestate")->value, "a=1");
	unit_assert_slice(find(out, count, "Accept")->value, "*/*");
}
END_TEST

START_TEST(a_tracestate_goes_with_an_invalid_traceparent)
{
	const struct http_field fields[] = {
		{SLICE("traceparent"), SLICE("nonsense")},
		{SLICE("Tracestate"), SLICE("a=1")},
	};
	struct trace_context context = trace_context_begin(fields, 2, 1);
	const struct http_field *out;
	size_t count = trace_context_fields(&context, span_id_make(), fields, 2, &out, &arena);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(out[0].value.size, 55);
}
END_TEST

START_TEST(a_span_is_json_whatever_its_texts_hold)
{
	struct buffer out;
	struct json_value value;
	const struct trace_context context = {.sampled = true, .trace = {1}};
	const struct span span = {
		.kind = SPAN_CLIENT, .name = SLICE("chat \"\\\n\xff"), .begun = 5};
	buffer_init(&out, 4096);
	span_open(&out, &context, &span);
	span_close(&out, false);
	ck_assert(json_scan(buffer_slice(&out), &value));
	buffer_clear(&out);
	span_open(&out, &context, &span);
	span_add_text(&out, "a", SLICE("}\"{\xc3"));
	span_add_number(&out, "b", -1);
	span_add_seconds(&out, "c", 1000001);
	span_add_flag(&out, "d", true);
	span_close(&out, true);
	ck_assert(json_scan(buffer_slice(&out), &value));
	ck_assert(!out.overflowed);
	buffer_finish(&out);
}
END_TEST

START_TEST(a_full_queue_refuses_and_keeps_what_it_has)
{
	struct span_queue queue;
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	span_queue_init(&queue);
	ck_assert_uint_eq(span_queue_take(&queue, 1, &out), 0);
	for (size_t i = 0; i < QUEUE_SPANS / 4; i++)
		ck_assert(span_queue_put(&queue, SLICE("{}"), 4));
	ck_assert(!span_queue_put(&queue, SLICE("{}"), 1));
	ck_assert_uint_eq(span_queue_take(&queue, 10, &out), 8);
	unit_assert_slice(buffer_slice(&out), "{},{}");
	ck_assert(span_queue_put(&queue, SLICE("{}"), 8));
	ck_assert_uint_eq(span_queue_clear(&queue), QUEUE_SPANS);
	ck_assert_uint_eq(span_queue_take(&queue, 1, &out), 0);
	ck_assert(span_queue_put(&queue, SLICE("[]"), 9));
	buffer_clear(&out);
	ck_assert_uint_eq(span_queue_take(&queue, 1, &out), 9); /* one is taken at least */
	unit_assert_slice(buffer_slice(&out), "[]");
	span_queue_finish(&queue);
	buffer_finish(&out);
}
END_TEST

START_TEST(the_queue_is_bounded_in_bytes_too)
{
	struct span_queue queue;
	char *much = xcalloc(1, QUEUE_BYTES / 2);
	span_queue_init(&queue);
	const struct slice half = {much, QUEUE_BYTES / 2};
	ck_assert(span_queue_put(&queue, half, 1));
	ck_assert(span_queue_put(&queue, half, 1));
	ck_assert(!span_queue_put(&queue, SLICE("{}"), 1));
	span_queue_finish(&queue);
	free(much);
}
END_TEST

START_TEST(what_a_full_queue_refuses_is_counted)
{
	const struct slice text = SLICE("[trace]\nendpoint = http://127.0.0.1:9\n");
	struct config *config = config_read_text("recalld.conf", text, stderr, NULL);
	struct loop *loop = loop_create();
	struct tracer *tracer = tracer_create(loop, config);
	tracer_offer(tracer, SLICE("{}"), QUEUE_SPANS);
	tracer_offer(tracer, SLICE("{},{},{}"), 3);
	ck_assert_uint_eq(metrics_counter(METRIC_TRACE_DROPPED), 3);
	tracer_flush(tracer); /* nobody listens there */
	ck_assert_uint_eq(metrics_counter(METRIC_TRACE_FAILED), QUEUE_SPANS);
	tracer_destroy(tracer);
	loop_destroy(loop);
	config_release(config);
}
END_TEST

UNIT_MAIN("trace", a_valid_traceparent_decides_by_its_flag, an_invalid_traceparent_counts_as_none,
	  of_other_requests_a_share_begins_a_trace, the_upstream_gets_our_span_as_its_parent,
	  a_tracestate_goes_with_an_invalid_traceparent, a_span_is_json_whatever_its_texts_hold,
	  a_full_queue_refuses_and_keeps_what_it_has, the_queue_is_bounded_in_bytes_too,
	  what_a_full_queue_refuses_is_counted)
