#include "proxy/background/model_call.h"

#include <stdlib.h>

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
