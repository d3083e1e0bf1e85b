#include "proxy/background/model_call.h"

#include "core/learn/embedding.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>

enum { EMBEDDING_ANSWER = 16 << 20 };

struct model_call {
	struct upstream_answer answer; /* first: it is filled */
	model_called *callback;
	void *cookie;
	struct slice body;
	struct transfer *transfer;
	struct event *deadline;
};

void model_call_cancel(struct model_call *call)
{
	if (call == NULL)
		return;
	upstream_cancel(call->transfer);
	event_free(call->deadline);
	buffer_finish(&call->answer.body);
	free(call);
}

static void finish(struct model_call *call, enum model_outcome outcome, const char *detail)
{
	const struct model_reply reply = {
		.outcome = outcome,
		.status = call->answer.status,
		.detail = detail,
		.body = buffer_slice(&call->answer.body),
	};
	call->callback(call->cookie, &reply);
	model_call_cancel(call);
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct model_call *call = cookie;
	call->transfer = NULL;
	event_del(call->deadline);
	if (call->answer.body.overflowed)
		finish(call, MODEL_TOO_LONG, "its answer is too long");
	else if (result != UPSTREAM_OK)
		finish(call, MODEL_UNREACHABLE, detail);
	else if (call->answer.status >= 200 && call->answer.status < 300)
		finish(call, MODEL_ANSWERED, NULL);
	else
		finish(call, MODEL_REFUSED, "it refused");
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct model_call *call = cookie;
	(void)fd;
	(void)what;
	upstream_cancel(call->transfer);
	call->transfer = NULL;
	finish(call, MODEL_LATE, "it did not answer in time");
}

struct model_call *model_call_start(const struct model_request *request, model_called *callback,
				    void *cookie)
{
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
	const struct config *config = request->config;
	struct model_call *call = xcalloc(1, sizeof(*call));
	struct arena arena = {0};
	const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("Accept"), SLICE("application/json")},
		http_field_of_line(request->key_field),
	};
	call->body = request->body;
	const struct upstream_request post = {
		.method = SLICE("POST"),
		.url = arena_printf(&arena, "%s%s", config_model_base_url(config), request->path)
			       .data,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = request->key_field.size > 0 ? 3 : 2,
		.has_body = true,
		.body = &call->body,
		.body_count = 1,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = request->timeout,
		.idle_timeout = request->timeout,
	};
	call->callback = callback;
	call->cookie = cookie;
	buffer_init(&call->answer.body, request->most);
	call->deadline = evtimer_new(loop_base(request->loop), on_deadline, call);
	loop_wait(call->deadline, (int64_t)request->timeout);
	call->transfer = upstream_start(request->upstream, &post, &events, call);
	arena_finish(&arena);
	return call;
}

struct slice model_key_field(const struct config *config, struct slice clients_own,
			     struct arena *arena)
{
	const char *key = config_model_api_key(config);
	return key[0] != '\0' ? arena_printf(arena, "Authorization: Bearer %s", key) : clients_own;
}

/* ---- embeddings ---- */

struct embedding_call {
	struct model_call *call;
	embedding_called *callback;
	void *cookie;
	size_t count;
	struct buffer body;
};

void embedding_call_cancel(struct embedding_call *call)
{
	if (call == NULL)
		return;
	model_call_cancel(call->call);
	buffer_finish(&call->body);
	free(call);
}

static enum embedding_outcome outcome_of(const struct model_reply *reply)
{
	const int status = reply->status;
	switch (reply->outcome) {
	case MODEL_ANSWERED:
		return EMBEDDING_GIVEN;
	case MODEL_REFUSED:
		if (status == 400 || status == 413 || status == 422)
			return EMBEDDING_REFUSED;
		return status == 500 ? EMBEDDING_UNUSABLE : EMBEDDING_FAILED;
	case MODEL_TOO_LONG:
		return EMBEDDING_UNUSABLE;
	case MODEL_UNREACHABLE:
		return EMBEDDING_FAILED;
	case MODEL_LATE:
		break;
	}
	return EMBEDDING_LATE;
}

static void on_reply(void *cookie, const struct model_reply *reply)
{
	static const enum metric_counter failures[] = {
		[EMBEDDING_REFUSED] = METRIC_EMBEDDING_REFUSED,
		[EMBEDDING_UNUSABLE] = METRIC_EMBEDDING_UNUSABLE,
		[EMBEDDING_FAILED] = METRIC_EMBEDDING_UNREACHABLE,
		[EMBEDDING_LATE] = METRIC_EMBEDDING_LATE,
	};
	struct embedding_call *call = cookie;
	struct arena arena = {0};
	const int8_t **vectors = arena_alloc(&arena, call->count * sizeof(*vectors));
	struct embedding_answer answer = {.outcome = outcome_of(reply),
					  .status = reply->status,
					  .detail = reply->detail,
					  .vectors = vectors};
	call->call = NULL;
	if (answer.outcome == EMBEDDING_GIVEN &&
	    !embedding_read(reply->body, call->count, vectors, &answer.dimensions, &arena)) {
		answer.outcome = EMBEDDING_UNUSABLE;
		answer.detail = "its answer cannot be read";
		answer.dimensions = 0;
	}
	if (answer.outcome != EMBEDDING_GIVEN)
		metrics_count(failures[answer.outcome], 1);
	call->callback(call->cookie, &answer);
	arena_finish(&arena);
	embedding_call_cancel(call);
}

struct embedding_call *embedding_call_start(const struct embedding_request *request,
					    embedding_called *callback, void *cookie)
{
	struct embedding_call *call = xcalloc(1, sizeof(*call));
	struct model_request post = request->to;
	call->callback = callback;
	call->cookie = cookie;
	call->count = request->count;
	buffer_init(&call->body, SIZE_MAX); /* the caller bounds its texts */
	embedding_write_request(&call->body, slice_of(post.config->model.embedding), request->texts,
				request->count);
	post.path = "/embeddings";
	post.body = buffer_slice(&call->body);
	post.most = EMBEDDING_ANSWER;
	call->call = model_call_start(&post, on_reply, call);
	metrics_count(METRIC_EMBEDDING_CALLS, 1);
	return call;
}
