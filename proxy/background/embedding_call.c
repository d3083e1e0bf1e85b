#include "proxy/background/embedding_call.h"

#include "core/learn/embedding.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>

enum { ANSWER_LIMIT = 16 << 20 };

struct embedding_call {
	struct upstream_answer answer; /* first: it is filled */
	embedding_called *callback;
	void *cookie;
	struct transfer *transfer;
	struct event *deadline;
	size_t count;
	struct buffer body;
};

static void destroy(struct embedding_call *call)
{
	event_free(call->deadline);
	buffer_finish(&call->body);
	buffer_finish(&call->answer.body);
	free(call);
}

static void finish(struct embedding_call *call, const struct embedding_answer *answer)
{
	static const enum metric_counter failures[] = {
		[EMBEDDING_REFUSED] = METRIC_EMBEDDING_REFUSED,
		[EMBEDDING_UNUSABLE] = METRIC_EMBEDDING_UNUSABLE,
		[EMBEDDING_FAILED] = METRIC_EMBEDDING_UNREACHABLE,
		[EMBEDDING_LATE] = METRIC_EMBEDDING_LATE,
	};
	if (answer->outcome != EMBEDDING_GIVEN)
		metrics_count(failures[answer->outcome], 1);
	call->callback(call->cookie, answer);
	destroy(call);
}

static void fail(struct embedding_call *call, enum embedding_outcome outcome, const char *detail)
{
	finish(call, &(struct embedding_answer){
			     .outcome = outcome, .status = call->answer.status, .detail = detail});
}

/* ---- the reply ---- */

static void take_answer(struct embedding_call *call)
{
	struct arena arena = {0};
	const int8_t **vectors = arena_alloc(&arena, call->count * sizeof(*vectors));
	struct embedding_answer answer = {
		.outcome = EMBEDDING_GIVEN, .status = call->answer.status, .vectors = vectors};
	if (embedding_read(buffer_slice(&call->answer.body), call->count, vectors,
			   &answer.dimensions, &arena))
		finish(call, &answer);
	else
		fail(call, EMBEDDING_UNUSABLE, "its answer cannot be read");
	arena_finish(&arena);
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct embedding_call *call = cookie;
	call->transfer = NULL;
	if (call->answer.body.overflowed)
		fail(call, EMBEDDING_UNUSABLE, "its answer is too long");
	else if (result != UPSTREAM_OK)
		fail(call, EMBEDDING_FAILED, detail);
	else if (call->answer.status >= 200 && call->answer.status < 300)
		take_answer(call);
	else if (call->answer.status == 400 || call->answer.status == 413 ||
		 call->answer.status == 422)
		fail(call, EMBEDDING_REFUSED, "it refused");
	else
		fail(call, call->answer.status == 500 ? EMBEDDING_UNUSABLE : EMBEDDING_FAILED,
		     "it refused");
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct embedding_call *call = cookie;
	(void)fd;
	(void)what;
	upstream_cancel(call->transfer);
	call->transfer = NULL;
	fail(call, EMBEDDING_LATE, "it did not answer in time");
}

/* ---- the request ---- */

static void send_request(struct embedding_call *call, const struct embedding_request *request)
{
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
	const struct config *config = request->config;
	struct arena arena = {0};
	const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("Accept"), SLICE("application/json")},
		http_field_of_line(request->key_field),
	};
	const struct slice body = buffer_slice(&call->body);
	const struct upstream_request post = {
		.method = SLICE("POST"),
		.url = arena_printf(&arena, "%s/embeddings", config_model_base_url(config)).data,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = request->key_field.size > 0 ? 3 : 2,
		.has_body = true,
		.body = &body,
		.body_count = 1,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = request->timeout,
		.idle_timeout = request->timeout,
	};
	call->transfer = upstream_start(request->upstream, &post, &events, call);
	arena_finish(&arena);
}

struct embedding_call *embedding_call_start(const struct embedding_request *request,
					    embedding_called *callback, void *cookie)
{
	struct embedding_call *call = xcalloc(1, sizeof(*call));
	call->callback = callback;
	call->cookie = cookie;
	call->count = request->count;
	buffer_init(&call->body, SIZE_MAX); /* the caller bounds its texts */
	buffer_init(&call->answer.body, ANSWER_LIMIT);
	embedding_write_request(&call->body, slice_of(request->config->model.embedding),
				request->texts, request->count);
	call->deadline = evtimer_new(loop_base(request->loop), on_deadline, call);
	loop_wait(call->deadline, (int64_t)request->timeout);
	send_request(call, request);
	metrics_count(METRIC_EMBEDDING_CALLS, 1);
	return call;
}

void embedding_call_cancel(struct embedding_call *call)
{
	if (call == NULL)
		return;
	upstream_cancel(call->transfer);
	destroy(call);
}

/* ---- what both of its callers need ---- */

struct slice embedding_key_field(const struct config *config, struct slice clients_own,
				 struct arena *arena)
{
	const char *key = config_model_api_key(config);
	return key[0] != '\0' ? arena_printf(arena, "Authorization: Bearer %s", key) : clients_own;
}
