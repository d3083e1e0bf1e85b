/* Names follow OpenTelemetry's semantic conventions for HTTP and generative AI; recalld's own are
 * below "recalld.". Spans carry no content, user or session, and a path only where memory takes
 * part, since other paths may contain an id. */
#include "proxy/exchange/state.h"

#include "proxy/service/tracer.h"

enum { MOST_SENDS = 2, SPANS_LIMIT = 16 * 1024, MODEL_LIMIT = 128 };

/* One request to the upstream. */
struct send {
	struct span_id id;
	const char *url;
	uint64_t begun;
	uint64_t head; /* 0: no head came */
	uint64_t ended;
	int status;
	const char *fault;
};

struct exchange_trace {
	struct trace_context context;
	struct span_id id;
	struct send sends[MOST_SENDS]; /* the second one without memory, after a refusal */
	size_t send_count;
	struct slice model;    /* a copy: the request ends before the exchange */
	uint64_t commit_begun; /* 0: the reply waited for no commit */
	uint64_t commit_ended;
	int64_t prompt_tokens; /* -1: unknown */
	int64_t cached_tokens;
};

void exchange_trace_begin(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	if (*config->trace.endpoint == '\0')
		return;
	const struct http_head *head = http_request_head(exchange->request);
	const struct trace_context context =
		trace_context_begin(head->fields, head->field_count, config->trace.sample);
	if (!context.sampled)
		return;
	struct exchange_trace *trace = arena_alloc(&exchange->arena, sizeof(*trace));
	trace->context = context;
	trace->id = span_id_make();
	trace->prompt_tokens = -1;
	trace->cached_tokens = -1;
	exchange->trace = trace;
}

static struct slice copy_model(struct exchange *exchange)
{
	struct slice model = exchange->chat.read.request.model;
	return arena_copy(
		&exchange->arena,
		slice_part(model, 0, model.size < MODEL_LIMIT ? model.size : MODEL_LIMIT));
}

static struct send *last_send(struct exchange_trace *trace)
{
	return &trace->sends[trace->send_count - 1];
}

size_t exchange_trace_send(struct exchange *exchange, const char *url,
			   const struct http_field **fields, size_t count)
{
	struct exchange_trace *trace = exchange->trace;
	if (trace == NULL)
		return count;
	if (trace->send_count < MOST_SENDS)
		trace->send_count++;
	trace->model = copy_model(exchange);
	*last_send(trace) =
		(struct send){.id = span_id_make(), .url = url, .begun = clock_steady()};
	return trace_context_fields(&trace->context, last_send(trace)->id, *fields, count, fields,
				    &exchange->arena);
}

void exchange_trace_head(struct exchange *exchange, int status)
{
	struct exchange_trace *trace = exchange->trace;
	if (trace == NULL)
		return;
	last_send(trace)->head = clock_steady();
	last_send(trace)->status = status;
}

void exchange_trace_sent(struct exchange *exchange, const char *fault)
{
	struct exchange_trace *trace = exchange->trace;
	if (trace == NULL)
		return;
	last_send(trace)->ended = clock_steady();
	last_send(trace)->fault = fault;
}

void exchange_trace_usage(struct exchange *exchange, const struct reply *reply)
{
	if (exchange->trace == NULL)
		return;
	exchange->trace->prompt_tokens = reply->prompt_tokens;
	exchange->trace->cached_tokens = reply->cached_tokens;
}

void exchange_trace_state(struct exchange *exchange, enum exchange_state state)
{
	struct exchange_trace *trace = exchange->trace;
	if (trace == NULL)
		return;
	if (state == EXCHANGE_COMMITTING)
		trace->commit_begun = clock_steady();
	else if (exchange->state == EXCHANGE_COMMITTING)
		trace->commit_ended = clock_steady();
}

struct slice exchange_trace_id(struct exchange *exchange)
{
	if (exchange->trace == NULL)
		return (struct slice){0};
	return trace_hex(exchange->trace->context.trace, TRACE_ID_SIZE, &exchange->arena);
}

/* ---- the spans ---- */

/* Converts a reading of the steady clock to nanoseconds since 1970. */
static uint64_t wall(const struct exchange *exchange, uint64_t steady)
{
	return (uint64_t)exchange->begun_at * 1000000 + (steady - exchange->begun) * 1000;
}

/* The client chooses the method, so unknown ones are not copied. */
static struct slice method_of(const struct exchange *exchange)
{
	static const struct slice known[] = {SLICE("GET"),     SLICE("HEAD"),  SLICE("POST"),
					     SLICE("PUT"),     SLICE("PATCH"), SLICE("DELETE"),
					     SLICE("OPTIONS"), SLICE("TRACE")};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal(exchange->method, known[i]))
			return known[i];
	}
	return SLICE("_OTHER");
}

static void write_error_type(struct buffer *out, const char *fault, int status)
{
	char number[16];
	(void)snprintf(number, sizeof(number), "%d", status);
	span_add_text(out, "error.type", slice_of(fault != NULL ? fault : number));
}

static void write_memory(struct buffer *out, const struct exchange *exchange)
{
	const struct chat *chat = &exchange->chat;
	char receipt[sizeof("0123456789abcdef")];
	span_add_text(out, "http.route", exchange->path);
	span_add_text(out, "recalld.memory.status", slice_of(chat_status_name(chat->status)));
	if (chat->mode_word != NULL)
		span_add_text(out, "recalld.memory.mode", slice_of(chat->mode_word));
	span_add_number(out, "recalld.memory.tokens", (int64_t)chat->injected.tokens);
	if (chat->injected.receipt == 0)
		return;
	(void)snprintf(receipt, sizeof(receipt), "%016llx",
		       (unsigned long long)chat->injected.receipt);
	span_add_text(out, "recalld.receipt.id", slice_of(receipt));
}

/* The whole exchange, as its client sees it. */
static void write_exchange(struct buffer *out, struct exchange *exchange, const char *reason)
{
	const struct exchange_trace *trace = exchange->trace;
	bool has_memory = exchange->dialect != NULL;
	bool is_error = exchange->status >= 500 || exchange->cause.size > 0;
	const struct slice name[] = {method_of(exchange), SLICE(" "), exchange->path};
	const struct span span = {
		.kind = SPAN_SERVER,
		.id = trace->id,
		.parent = trace->context.has_parent ? &trace->context.parent : NULL,
		.parent_is_remote = trace->context.has_parent,
		.name = arena_join(&exchange->arena, name, has_memory ? 3 : 1),
		.begun = wall(exchange, exchange->begun),
		.ended = wall(exchange, clock_steady()),
	};
	span_open(out, &trace->context, &span);
	span_add_text(out, "http.request.method", name[0]);
	if (exchange->status > 0)
		span_add_number(out, "http.response.status_code", exchange->status);
	span_add_text(out, "recalld.end", slice_of(reason));
	if (has_memory)
		write_memory(out, exchange);
	if (is_error)
		write_error_type(out, exchange->cause.size > 0 ? reason : NULL, exchange->status);
	span_close(out, is_error);
}

static void write_part(struct buffer *out, const struct exchange *exchange, struct slice name,
		       uint64_t begun, uint64_t ended)
{
	const struct exchange_trace *trace = exchange->trace;
	const struct span span = {
		.kind = SPAN_INTERNAL,
		.id = span_id_make(),
		.parent = &trace->id,
		.name = name,
		.begun = wall(exchange, begun),
		.ended = wall(exchange, ended),
	};
	span_open(out, &trace->context, &span);
	span_add_text(out, "gen_ai.operation.name", name);
	span_add_text(out, "gen_ai.provider.name", SLICE("recalld"));
	span_close(out, false);
}

/* gen_ai.provider.name for hosts of providers with a name in the conventions; "openai" for all
 * others, which speak its API. */
static struct slice provider_of(struct slice host)
{
	static const struct {
		struct slice host, name;
	} providers[] = {
		{SLICE("api.anthropic.com"), SLICE("anthropic")},
		{SLICE(".openai.azure.com"), SLICE("azure.ai.openai")},
		{SLICE(".services.ai.azure.com"), SLICE("azure.ai.inference")},
		{SLICE(".amazonaws.com"), SLICE("aws.bedrock")},
		{SLICE("generativelanguage.googleapis.com"), SLICE("gcp.gemini")},
		{SLICE("aiplatform.googleapis.com"), SLICE("gcp.vertex_ai")},
		{SLICE("api.cohere.ai"), SLICE("cohere")},
		{SLICE("api.deepseek.com"), SLICE("deepseek")},
		{SLICE("api.groq.com"), SLICE("groq")},
		{SLICE("api.mistral.ai"), SLICE("mistral_ai")},
		{SLICE("api.perplexity.ai"), SLICE("perplexity")},
		{SLICE("api.x.ai"), SLICE("x_ai")},
	};
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (slice_ends_with(host, providers[i].host))
			return providers[i].name;
	}
	return SLICE("openai");
}

/* The host of a URL, and its port. */
static struct slice host_of(struct slice url, int64_t *port)
{
	enum { MOST_WEIGHT = 100000 }; /* a port has five digits */
	size_t begin = slice_find(url, SLICE("://"), 0) + 3;
	struct slice host = slice_part(url, begin, slice_find(url, SLICE("/"), begin));
	size_t end = host.size;
	int64_t number = 0;
	int64_t weight = 1;
	while (end > 0 && weight < MOST_WEIGHT && host.data[end - 1] >= '0' &&
	       host.data[end - 1] <= '9') {
		number += weight * (host.data[--end] - '0');
		weight *= 10;
	}
	bool has_port = end > 0 && end < host.size && host.data[end - 1] == ':';
	*port = has_port ? number : slice_starts_with(url, SLICE("https")) ? 443 : 80;
	return has_port ? slice_part(host, 0, end - 1) : host;
}

static void write_model_call(struct buffer *out, const struct exchange *exchange,
			     const struct send *send, struct slice host, bool is_last)
{
	const struct exchange_trace *trace = exchange->trace;
	span_add_text(out, "gen_ai.operation.name", SLICE("chat"));
	span_add_text(out, "gen_ai.provider.name", provider_of(host));
	if (trace->model.size > 0)
		span_add_text(out, "gen_ai.request.model", trace->model);
	if (exchange->chat.read.request.stream) {
		span_add_flag(out, "gen_ai.request.stream", true);
		if (send->head > 0)
			span_add_seconds(out, "gen_ai.response.time_to_first_chunk",
					 send->head - send->begun);
	}
	if (is_last && trace->prompt_tokens >= 0)
		span_add_number(out, "gen_ai.usage.input_tokens", trace->prompt_tokens);
	if (is_last && trace->cached_tokens >= 0)
		span_add_number(out, "gen_ai.usage.cache_read.input_tokens", trace->cached_tokens);
}

/* "chat gpt-4o", or the method if no dialect names the operation. */
static struct slice send_name(struct exchange *exchange)
{
	struct slice model = exchange->trace->model;
	const struct slice name[] = {SLICE("chat "), model};
	if (exchange->dialect == NULL)
		return method_of(exchange);
	return model.size == 0 ? SLICE("chat") : arena_join(&exchange->arena, name, 2);
}

static void write_send(struct buffer *out, struct exchange *exchange, size_t index)
{
	const struct exchange_trace *trace = exchange->trace;
	const struct send *send = &trace->sends[index];
	bool is_error = send->fault != NULL || send->status >= 400;
	int64_t port;
	const struct slice host = host_of(slice_of(send->url), &port);
	const struct span span = {
		.kind = SPAN_CLIENT,
		.id = send->id,
		.parent = &trace->id,
		.name = send_name(exchange),
		.begun = wall(exchange, send->begun),
		.ended = wall(exchange, send->ended > 0 ? send->ended : clock_steady()),
	};
	span_open(out, &trace->context, &span);
	span_add_text(out, "http.request.method", method_of(exchange));
	span_add_text(out, "server.address", host);
	span_add_number(out, "server.port", port);
	if (send->status > 0)
		span_add_number(out, "http.response.status_code", send->status);
	if (exchange->dialect != NULL)
		write_model_call(out, exchange, send, host, index + 1 == trace->send_count);
	if (is_error)
		write_error_type(out, send->fault, send->status);
	span_close(out, is_error);
}

void exchange_trace_end(struct exchange *exchange, const char *reason)
{
	const struct exchange_trace *trace = exchange->trace;
	struct buffer out;
	size_t count = 1;
	if (trace == NULL)
		return;
	buffer_init(&out, SPANS_LIMIT);
	write_exchange(&out, exchange, reason);
	if (exchange->chat.injected.elapsed > 0) {
		write_part(&out, exchange, SLICE("search_memory"), exchange->begun,
			   exchange->begun + exchange->chat.injected.elapsed);
		count++;
	}
	for (size_t i = 0; i < trace->send_count; i++, count++)
		write_send(&out, exchange, i);
	if (trace->commit_begun > 0) {
		write_part(&out, exchange, SLICE("create_memory"), trace->commit_begun,
			   trace->commit_ended > 0 ? trace->commit_ended : clock_steady());
		count++;
	}
	if (!out.overflowed)
		tracer_offer(exchange->worker->service->tracer, buffer_slice(&out), count);
	buffer_finish(&out);
}
