#include "proxy/service/tracer.h"

#include "core/json/json.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "proxy/service/trace_context.h"
#include "proxy/upstream/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BATCH_SPANS = 512,
	PERIOD_MS = 1000,
	FLUSH_MS = 2000,
	TRIES = 5,
	LONGEST_PAUSE = 16, /* seconds, between two tries */
	TIMEOUT_MS = 10000,
	CONNECT_TIMEOUT_MS = 5000,
	ANSWER_LIMIT = 64 * 1024,
};

/* ---- the queue ---- */

/* The spans of one exchange. */
struct span_bundle {
	struct span_bundle *next;
	size_t count;
	size_t size;
	char bytes[];
};

void span_queue_init(struct span_queue *queue)
{
	*queue = (struct span_queue){.end = &queue->first};
	pthread_mutex_init(&queue->lock, NULL);
}

void span_queue_finish(struct span_queue *queue)
{
	(void)span_queue_clear(queue);
	pthread_mutex_destroy(&queue->lock);
}

static struct span_bundle *make_bundle(struct slice spans, size_t count)
{
	struct span_bundle *bundle = xmalloc(sizeof(*bundle) + spans.size);
	*bundle = (struct span_bundle){.count = count, .size = spans.size};
	memcpy(bundle->bytes, spans.data, spans.size);
	return bundle;
}

bool span_queue_put(struct span_queue *queue, struct slice spans, size_t count)
{
	struct span_bundle *bundle = make_bundle(spans, count);
	pthread_mutex_lock(&queue->lock);
	bool fits = queue->spans + count <= QUEUE_SPANS && queue->bytes + spans.size <= QUEUE_BYTES;
	if (fits) {
		*queue->end = bundle;
		queue->end = &bundle->next;
		queue->spans += count;
		queue->bytes += spans.size;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!fits)
		free(bundle);
	return fits;
}

/* Takes the first bundles off the queue: a list of its own, which the caller frees. */
static struct span_bundle *take_first(struct span_queue *queue, size_t most)
{
	size_t count = 0;
	pthread_mutex_lock(&queue->lock);
	struct span_bundle *first = queue->first;
	struct span_bundle **end = &queue->first;
	while (*end != NULL && (end == &queue->first || count + (*end)->count <= most)) {
		count += (*end)->count;
		queue->spans -= (*end)->count;
		queue->bytes -= (*end)->size;
		end = &(*end)->next;
	}
	if (end != &queue->first) {
		queue->first = *end;
		if (*end == NULL)
			queue->end = &queue->first;
		*end = NULL;
	}
	pthread_mutex_unlock(&queue->lock);
	return first;
}

size_t span_queue_take(struct span_queue *queue, size_t most, struct buffer *out)
{
	struct span_bundle *bundle = take_first(queue, most);
	size_t count = 0;
	while (bundle != NULL) {
		struct span_bundle *next = bundle->next;
		if (count > 0)
			buffer_append_byte(out, ',');
		buffer_append(out, (struct slice){bundle->bytes, bundle->size});
		count += bundle->count;
		free(bundle);
		bundle = next;
	}
	return count;
}

size_t span_queue_clear(struct span_queue *queue)
{
	size_t count = 0;
	struct span_bundle *bundle;
	while ((bundle = take_first(queue, SIZE_MAX)) != NULL) {
		while (bundle != NULL) {
			struct span_bundle *next = bundle->next;
			count += bundle->count;
			free(bundle);
			bundle = next;
		}
	}
	return count;
}

/* ---- the tracer ---- */

/* A post to the collector, in progress or to be tried again. */
struct post {
	struct upstream_answer answer; /* first: it is filled */
	size_t spans;                  /* 0: there is none */
	struct buffer body;
	struct slice piece; /* the body, as long as the transfer needs it */
	struct transfer *transfer;
	unsigned tries;
	uint64_t not_before; /* steady clock, for the next try */
};

struct tracer {
	struct post post; /* first, since it begins with the answer */
	struct loop *loop;
	struct config *config;
	struct upstream *upstream; /* NULL until there is an endpoint */
	struct event *timer;
	struct event *flush_deadline;
	struct buffer resource; /* what every post begins with, for this configuration */
	struct span_queue queue;
	bool flushing;
	uint64_t warned_at;
	struct span_id instance;
};

static bool is_on(const struct tracer *tracer)
{
	return *tracer->config->trace.endpoint != '\0';
}

/* ---- the body ---- */

static void append_resource(struct buffer *out, const char *name, struct slice value, bool first)
{
	buffer_printf(out, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":", first ? "" : ",", name);
	json_quote(out, value);
	buffer_append(out, SLICE("}}"));
}

static void describe_resource(struct tracer *tracer)
{
	struct buffer *out = &tracer->resource;
	struct arena arena = {0};
	char host[256] = "";
	(void)gethostname(host, sizeof(host) - 1);
	buffer_clear(out);
	buffer_append(out, SLICE("{\"resourceSpans\":[{\"resource\":{\"attributes\":["));
	append_resource(out, "service.name", slice_of(tracer->config->trace.service), true);
	append_resource(out, "service.version", SLICE(RECALLD_VERSION), false);
	append_resource(out, "service.instance.id",
			trace_hex(tracer->instance.bytes, SPAN_ID_SIZE, &arena), false);
	append_resource(out, "host.name", slice_of(host), false);
	buffer_append(out, SLICE("]},\"scopeSpans\":[{\"scope\":{\"name\":\"recalld\","
				 "\"version\":\"" RECALLD_VERSION "\"},\"spans\":["));
	arena_finish(&arena);
}

static void make_body(struct tracer *tracer)
{
	struct post *post = &tracer->post;
	buffer_clear(&post->body);
	buffer_append(&post->body, buffer_slice(&tracer->resource));
	post->spans = span_queue_take(&tracer->queue, BATCH_SPANS, &post->body);
	buffer_append(&post->body, SLICE("]}]}]}"));
	post->piece = buffer_slice(&post->body);
	post->tries = 0;
	post->not_before = 0;
}

/* ---- the collector's answer ---- */

static void settle(struct tracer *tracer, size_t failed)
{
	struct post *post = &tracer->post;
	metrics_count(METRIC_TRACE_FAILED, failed);
	metrics_count(METRIC_TRACE_SENT, post->spans - failed);
	post->spans = 0;
}

static void give_up(struct tracer *tracer, const char *why)
{
	if (log_is_due(&tracer->warned_at))
		log_warn("[trace] endpoint did not accept %zu spans: %s; chats continue without "
			 "them",
			 tracer->post.spans, why);
	settle(tracer, tracer->post.spans);
}

/* OTLP/HTTP, "Retryable Response Codes". */
static bool may_try_again(const struct tracer *tracer)
{
	const struct post *post = &tracer->post;
	int status = post->answer.status;
	return !tracer->flushing && post->tries < TRIES &&
	       (status == 0 || status == 429 || status == 502 || status == 503 || status == 504);
}

static void pause_post(struct post *post)
{
	uint64_t seconds = UINT64_C(1) << (post->tries - 1);
	if (seconds > LONGEST_PAUSE)
		seconds = LONGEST_PAUSE;
	post->not_before = clock_steady() + seconds * 1000000;
}

/* Spans that the collector took no part in keeping: {"partialSuccess":{"rejectedSpans":"3"}}. */
static size_t count_rejected(const struct post *post)
{
	struct slice answer = buffer_slice(&post->answer.body);
	struct json_value value;
	struct arena arena = {0};
	int64_t number = 0;
	if (!json_scan(answer, &value))
		return 0;
	value = json_member(answer, json_member(answer, value, "partialSuccess"), "rejectedSpans");
	if (value.type == JSON_TYPE_STRING) {
		answer = json_string_text(answer, value, &arena);
		if (!json_scan(answer, &value))
			value.type = JSON_TYPE_NULL;
	}
	if (value.type != JSON_TYPE_NUMBER || !json_read_integer(answer, value, &number) ||
	    number < 0)
		number = 0;
	arena_finish(&arena);
	return (size_t)number < post->spans ? (size_t)number : post->spans;
}

/* ---- sending ---- */

static void send_next(struct tracer *tracer);

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct tracer *tracer = cookie;
	struct post *post = &tracer->post;
	post->transfer = NULL;
	char refusal[64];
	bool is_answered = result == UPSTREAM_OK || result == UPSTREAM_STOPPED;
	if (!is_answered)
		post->answer.status = 0;
	bool are_taken = post->answer.status >= 200 && post->answer.status < 300;
	(void)snprintf(refusal, sizeof(refusal), "it answered %d", post->answer.status);
	if (are_taken)
		settle(tracer, count_rejected(post));
	else if (may_try_again(tracer))
		pause_post(post);
	else
		give_up(tracer, is_answered ? refusal : detail);
	if (tracer->flushing && !are_taken)
		loop_stop(tracer->loop);
	else
		send_next(tracer);
}

/* An endpoint without a path means the collector, whose path for spans is known. */
static const char *url_of(const struct config *config, struct arena *arena)
{
	struct slice url = slice_of(config->trace.endpoint);
	size_t host = slice_find(url, SLICE("://"), 0) + 3;
	size_t path = slice_find(url, SLICE("/"), host);
	bool is_bare = path + 1 >= url.size;
	return arena_printf(arena, "%.*s%s",
			    SLICE_PRINT(slice_part(url, 0, is_bare ? path : url.size)),
			    is_bare ? "/v1/traces" : "")
		.data;
}

static void start_transfer(struct tracer *tracer)
{
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
	static const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("User-Agent"), SLICE("recalld/" RECALLD_VERSION)},
	};
	struct post *post = &tracer->post;
	struct arena arena = {0};
	const struct upstream_request request = {
		.method = SLICE("POST"),
		.url = url_of(tracer->config, &arena),
		.fields = fields,
		.field_count = 2,
		.has_body = true,
		.body = &post->piece,
		.body_count = 1,
		.connect_timeout = CONNECT_TIMEOUT_MS,
		.first_byte_timeout = TIMEOUT_MS,
		.idle_timeout = TIMEOUT_MS,
	};
	post->tries++;
	post->answer.status = 0;
	buffer_clear(&post->answer.body);
	post->transfer = upstream_start(tracer->upstream, &request, &events, tracer);
	arena_finish(&arena);
}

/* One post at a time: a slow collector meets a queue that fills, not more connections. */
static void send_next(struct tracer *tracer)
{
	struct post *post = &tracer->post;
	if (post->transfer != NULL || !is_on(tracer))
		return;
	if (post->spans == 0)
		make_body(tracer);
	if (post->spans == 0) {
		if (tracer->flushing)
			loop_stop(tracer->loop);
		return;
	}
	if (tracer->flushing || clock_steady() >= post->not_before)
		start_transfer(tracer);
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	send_next(cookie);
}

/* ---- its life ---- */

static void drop_all(struct tracer *tracer)
{
	struct post *post = &tracer->post;
	upstream_cancel(post->transfer);
	post->transfer = NULL;
	metrics_count(METRIC_TRACE_FAILED, post->spans);
	post->spans = 0;
	metrics_count(METRIC_TRACE_DROPPED, span_queue_clear(&tracer->queue));
}

void tracer_configure(struct tracer *tracer, struct config *config)
{
	config_retain(config);
	config_release(tracer->config);
	tracer->config = config;
	if (!is_on(tracer)) {
		event_del(tracer->timer);
		drop_all(tracer);
		return;
	}
	if (tracer->upstream == NULL)
		tracer->upstream = upstream_create(loop_base(tracer->loop), 1);
	describe_resource(tracer);
	loop_wait(tracer->timer, PERIOD_MS);
}

struct tracer *tracer_create(struct loop *loop, struct config *config)
{
	struct tracer *tracer = xcalloc(1, sizeof(*tracer));
	tracer->loop = loop;
	tracer->instance = span_id_make();
	tracer->timer = event_new(loop_base(loop), -1, EV_PERSIST, on_timer, tracer);
	span_queue_init(&tracer->queue);
	buffer_init(&tracer->resource, SIZE_MAX);
	buffer_init(&tracer->post.body, SIZE_MAX); /* the queue bounds it */
	buffer_init(&tracer->post.answer.body, ANSWER_LIMIT);
	tracer_configure(tracer, config);
	return tracer;
}

void tracer_offer(struct tracer *tracer, struct slice spans, size_t count)
{
	if (!span_queue_put(&tracer->queue, spans, count))
		metrics_count(METRIC_TRACE_DROPPED, count);
}

static void on_flush_deadline(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	loop_stop(((struct tracer *)cookie)->loop);
}

void tracer_flush(struct tracer *tracer)
{
	if (tracer == NULL || !is_on(tracer))
		return;
	tracer->flushing = true;
	struct event *deadline = evtimer_new(loop_base(tracer->loop), on_flush_deadline, tracer);
	loop_wait(deadline, FLUSH_MS);
	send_next(tracer);
	loop_run(tracer->loop);
	event_free(deadline);
	drop_all(tracer);
}

void tracer_destroy(struct tracer *tracer)
{
	if (tracer == NULL)
		return;
	drop_all(tracer);
	upstream_destroy(tracer->upstream);
	event_free(tracer->timer);
	span_queue_finish(&tracer->queue);
	buffer_finish(&tracer->resource);
	buffer_finish(&tracer->post.body);
	buffer_finish(&tracer->post.answer.body);
	config_release(tracer->config);
	free(tracer);
}
