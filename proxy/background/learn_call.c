#include "proxy/background/learn_call.h"

#include "core/learn/model_request.h"
#include "core/text/text.h"

#include <stdlib.h>

struct learn_call {
	struct upstream_answer answer; /* first: it is filled */
	struct learn_question question;
	learn_called *callback;
	void *cookie;
	unsigned quirks;
	struct slice body;
	struct transfer *transfer;
	struct event *deadline;
};

static void destroy(struct learn_call *call)
{
	event_free(call->deadline);
	buffer_finish(&call->answer.body);
	free(call);
}

static void finish(struct learn_call *call, const struct learn_reply *reply)
{
	call->callback(call->cookie, reply);
	destroy(call);
}

static void fail(struct learn_call *call, enum metric_counter cause, const char *fault)
{
	finish(call, &(struct learn_reply){
			     .fault = fault, .status = call->answer.status, .cause = cause});
}

/* ---- what servers refuse ---- */

static uint64_t server_hash(const struct learn_question *question)
{
	const struct slice parts[] = {slice_of(config_model_base_url(question->config)), SLICE(" "),
				      question->model};
	return text_hash(arena_join(question->arena, parts, 3));
}

static unsigned *known_quirks(const struct learn_question *question)
{
	struct quirk_memory *memory = question->quirks;
	uint64_t server = server_hash(question);
	for (size_t i = 0; i < LEARN_CALL_SERVERS; i++) {
		if (memory->entries[i].server == server)
			return &memory->entries[i].quirks;
	}
	size_t at = memory->next++ % LEARN_CALL_SERVERS;
	memory->entries[at].server = server;
	memory->entries[at].quirks =
		model_takes_schema(slice_of(config_model_base_url(question->config)),
				   (struct slice){0})
			? QUIRK_TAKES_SCHEMA
			: 0;
	return &memory->entries[at].quirks;
}

static void ask(struct learn_call *call);

/* Some servers refuse a parameter: gives way, and asks again. */
static bool ask_otherwise(struct learn_call *call)
{
	if (call->answer.status != 400 && call->answer.status != 422)
		return false;
	unsigned quirks = model_request_adapt(call->quirks, call->question.prompt->schema.size > 0,
					      buffer_slice(&call->answer.body));
	if (quirks == call->quirks)
		return false;
	call->quirks = quirks;
	ask(call);
	return true;
}

/* ---- the reply ---- */

static void take_answer(struct learn_call *call)
{
	struct slice base = slice_of(config_model_base_url(call->question.config));
	if (model_takes_schema(base, buffer_slice(&call->answer.body)))
		call->quirks |= QUIRK_TAKES_SCHEMA;
	*known_quirks(&call->question) = call->quirks;
	metrics_count(METRIC_MODEL_TOKENS,
		      model_tokens(call->body, buffer_slice(&call->answer.body)));
	finish(call,
	       &(struct learn_reply){
		       .status = call->answer.status,
		       .answer = arena_copy(call->question.arena, buffer_slice(&call->answer.body)),
	       });
}

/* The cause of a status that is not 2xx. If the request cannot be rephrased, the model will never
 * answer it. */
static enum metric_counter cause_of(int status)
{
	if (status == 400 || status == 413 || status == 422)
		return METRIC_MODEL_UNUSABLE;
	return status >= 400 && status < 500 ? METRIC_MODEL_REFUSED : METRIC_MODEL_UNREACHABLE;
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct learn_call *call = cookie;
	call->transfer = NULL;
	event_del(call->deadline);
	if (call->answer.body.overflowed)
		fail(call, METRIC_MODEL_UNUSABLE, "its answer is too long");
	else if (result != UPSTREAM_OK)
		fail(call, METRIC_MODEL_UNREACHABLE, detail);
	else if (call->answer.status >= 200 && call->answer.status < 300)
		take_answer(call);
	else if (!ask_otherwise(call))
		fail(call, cause_of(call->answer.status), "it refused");
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct learn_call *call = cookie;
	(void)fd;
	(void)what;
	upstream_cancel(call->transfer);
	call->transfer = NULL;
	fail(call, METRIC_MODEL_LATE, "it did not answer in time");
}

/* ---- the request ---- */

static void send_request(struct learn_call *call)
{
	static const struct upstream_events events = {upstream_answer_head, upstream_answer_data,
						      upstream_answer_full, on_end};
	const struct learn_question *question = &call->question;
	const struct config *config = question->config;
	const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("Accept"), SLICE("application/json")},
		http_field_of_line(question->key_field),
	};
	const struct slice url[] = {slice_of(config_model_base_url(config)),
				    SLICE("/chat/completions")};
	const struct upstream_request request = {
		.method = SLICE("POST"),
		.url = arena_join(question->arena, url, 2).data,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = question->key_field.size > 0 ? 3 : 2,
		.has_body = true,
		.body = &call->body,
		.body_count = 1,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = config->model.timeout,
		.idle_timeout = config->model.timeout,
	};
	call->transfer = upstream_start(question->upstream, &request, &events, call);
}

static void ask(struct learn_call *call)
{
	const struct learn_question *question = &call->question;
	call->body = model_request_body(question->model, question->prompt, question->max_tokens,
					call->quirks, question->arena);
	call->answer.status = 0;
	buffer_clear(&call->answer.body);
	loop_wait(call->deadline, (int64_t)question->config->model.timeout);
	metrics_count(METRIC_MODEL_CALLS, 1);
	send_request(call);
}

struct learn_call *learn_call_start(const struct learn_question *question, learn_called *callback,
				    void *cookie)
{
	struct learn_call *call = xcalloc(1, sizeof(*call));
	call->question = *question;
	call->callback = callback;
	call->cookie = cookie;
	call->quirks = *known_quirks(question);
	call->deadline = evtimer_new(loop_base(question->loop), on_deadline, call);
	buffer_init(&call->answer.body, LEARN_MAX_ANSWER);
	ask(call);
	return call;
}

void learn_call_cancel(struct learn_call *call)
{
	if (call == NULL)
		return;
	upstream_cancel(call->transfer);
	destroy(call);
}
