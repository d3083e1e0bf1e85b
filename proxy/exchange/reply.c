#include "proxy/exchange/forward.h"
#include "proxy/exchange/state.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

#include <string.h>

enum { HELD_SHARE = 4 }; /* of max_in_flight, for the ends of replies that wait for the disk */

/* Whether the upstream refused perhaps because of what was injected (CONTRACT section 3). */
static bool is_refused_injection(const struct exchange *exchange, int status)
{
	return exchange->dialect != NULL && exchange->chat.injected.edit_count > 0 &&
	       (status == 400 || status == 413 || status == 422);
}

static bool is_stream(const struct exchange *exchange, const struct upstream_head *head)
{
	struct slice type =
		http_field_value(head->fields, head->field_count, SLICE("Content-Type"));
	struct slice stream = dialect_or_usual(exchange->dialect)->stream_type;
	return type.size >= stream.size &&
	       slice_equal_nocase(slice_part(type, 0, stream.size), stream);
}

static void start_relay(struct exchange *exchange, const struct upstream_head *head)
{
	const struct dialect *dialect = exchange->fetches ? &dialect_responses : exchange->dialect;
	bool learns = dialect != NULL && chat_learns_from(&exchange->chat, head->status);
	relay_start(&exchange->relay, exchange->request, dialect, is_stream(exchange, head), learns,
		    learns && exchange->chat.settings.strict,
		    http_field_value(head->fields, head->field_count, SLICE("Content-Encoding")));
	relay_bound(&exchange->relay, &exchange->worker->service->held,
		    exchange->config->listen.max_in_flight / HELD_SHARE);
}

/* A 304's Content-Length describes a body that does not come (RFC 9110, section 8.6). */
static enum http_framing choose_framing(const struct exchange *exchange,
					const struct upstream_head *head)
{
	if (head->status == 204 || head->status == 304)
		return HTTP_FRAMING_NONE;
	if (head->has_length)
		return HTTP_FRAMING_LENGTH;
	return slice_equal(exchange->method, SLICE("HEAD")) ? HTTP_FRAMING_NONE
							    : HTTP_FRAMING_STREAM;
}

/* The refusal may still go to the client, once its body shows what it is about. */
static void keep_refusal(struct exchange *exchange, const struct upstream_head *head)
{
	struct arena *arena = &exchange->arena;
	struct http_field *fields = arena_alloc(arena, head->field_count * sizeof(*fields));
	for (size_t i = 0; i < head->field_count; i++)
		fields[i] = (struct http_field){arena_copy(arena, head->fields[i].name),
						arena_copy(arena, head->fields[i].value)};
	exchange->again = true;
	exchange->blames_role = head->status != 413;
	exchange->refused = *head;
	exchange->refused.reason = arena_copy(arena, head->reason);
	exchange->refused.fields = fields;
}

static void pass_head(struct exchange *exchange, const struct upstream_head *head)
{
	if (exchange->dialect != NULL && exchange->chat.status == CHAT_BYPASSED &&
	    exchange->chat.injected.made_message && exchange->blames_role && head->status < 300)
		model_traits_note_system_refused(exchange->worker->service->model_traits,
						 exchange->chat.read.request.model);
	exchange->status = head->status;
	exchange->first_byte = clock_steady();
	metrics_observe(METRIC_FIRST_BYTE_SECONDS, exchange->first_byte - exchange->begun);
	start_relay(exchange, head);
	struct http_field memory[5];
	size_t memory_count = exchange_memory_fields(exchange, memory);
	/* Once, on a reply that a person reads. */
	const bool is_read = exchange->dialect != NULL && head->status < 300 &&
			     exchange->chat.status != CHAT_SIDE;
	const unsigned forgotten = !is_read ? 0
					    : forgotten_take(&exchange->worker->service->forgotten,
							     exchange->chat.user);
	if (forgotten > 0)
		memory[memory_count++] = (struct http_field){
			SLICE("X-Memory-Forgot"), arena_number(&exchange->arena, forgotten)};
	const struct http_field *fields;
	size_t count = forward_reply_fields(head->fields, head->field_count, memory, memory_count,
					    &fields, &exchange->arena);
	http_reply_head(exchange->request, head->status, head->reason, fields, count,
			choose_framing(exchange, head));
	exchange->until_close = head->until_close;
	exchange_change_state(exchange, EXCHANGE_RELAYING);
}

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct exchange *exchange = cookie;
	exchange_trace_head(exchange, head->status);
	metrics_count_answer(exchange->dialect != NULL ? exchange->dialect->name : "none",
			     head->status);
	if (is_refused_injection(exchange, head->status))
		keep_refusal(exchange, head);
	else
		pass_head(exchange, head);
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct exchange *exchange = cookie;
	if (exchange->again)
		return buffer_append(&exchange->refusal, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
	relay_feed(&exchange->relay, bytes);
	if (exchange->state == EXCHANGE_RELAYING && !exchange->journalled &&
	    relay_is_done(&exchange->relay) && !exchange_journal(exchange, false))
		relay_release(&exchange->relay);
	return UPSTREAM_GO_ON;
}

static bool on_full(void *cookie)
{
	struct exchange *exchange = cookie;
	return relay_is_full(&exchange->relay);
}

void exchange_drained(void *cookie)
{
	struct exchange *exchange = cookie;
	if (exchange->transfer != NULL)
		upstream_resume(exchange->transfer);
}

/* The client's error message. The log has curl's own words; the client gets no address, which does
 * not concern it. */
static struct refusal fault_of(enum upstream_result result)
{
	switch (result) {
	case UPSTREAM_UNREACHABLE:
		return (struct refusal){502, "upstream_unreachable",
					SLICE("The model provider cannot be reached.")};
	case UPSTREAM_CONNECT_TIMEOUT:
		return (struct refusal){
			504, "upstream_timeout",
			SLICE("The model provider cannot be reached: connecting took too long.")};
	case UPSTREAM_FIRST_BYTE_TIMEOUT:
		return (struct refusal){504, "upstream_timeout",
					SLICE("The model provider did not reply in time.")};
	case UPSTREAM_IDLE_TIMEOUT:
		return (struct refusal){
			504, "upstream_timeout",
			SLICE("The model provider stopped sending within its reply.")};
	default:
		return (struct refusal){
			502, "upstream_broken",
			SLICE("The model provider's reply broke off or is malformed.")};
	}
}

static void log_failure(const struct exchange *exchange, const char *why, int status)
{
	const struct http_head *head =
		exchange->request == NULL ? NULL : http_request_head(exchange->request);
	const struct slice agent = head == NULL ? (struct slice){0}
						: http_field_value(head->fields, head->field_count,
								   SLICE("User-Agent"));
	client_log_failure(&exchange->worker->service->failures, why, status, agent,
			   exchange->chat.read.request.model, exchange->chat.injected.receipt);
}

static void note_failure(struct exchange *exchange, const char *detail, int status)
{
	const struct failure_words why = failure_words(detail, status);
	(void)last_failure_note(&exchange->worker->service->upstream, &why);
	log_failure(exchange, why.text, status);
}

/* A refusal of one request, such as a 400, is the client's alone. What has no dialect may be a
 * client's look for what the provider has: it tells nothing of chats. */
static void note_answer(struct exchange *exchange)
{
	const int status = exchange->status;
	const bool is_chat = exchange->dialect != NULL;
	const bool is_refused =
		status == 401 || status == 402 || status == 403 || status == 404 || status == 429;
	if (status >= 500)
		note_failure(exchange, "it failed", status);
	else if (status == 404 && is_chat &&
		 forward_base_is_bare(exchange->config, exchange->target))
		note_failure(exchange, "is /v1 missing at the end of [upstream] base_url?", status);
	else if (is_refused && is_chat)
		note_failure(exchange, "it refused", status);
	else if (is_chat)
		last_failure_end(&exchange->worker->service->upstream);
	else
		last_failure_end_outage(&exchange->worker->service->upstream);
	if (status >= 400 && status < 500 && is_chat && !is_refused)
		log_failure(exchange, "it refused a request", status);
}

bool exchange_reply_is_whole(const struct exchange *exchange)
{
	if (exchange->relay.reader == NULL)
		return false;
	struct reply reply = reply_result(exchange->relay.reader);
	return reply.done || reply.finished;
}

/* The upstream failed after its head was passed on. */
static void break_off(struct exchange *exchange, enum upstream_result result, const char *detail)
{
	const struct refusal fault = fault_of(result);
	note_failure(exchange, detail, 0);
	metrics_count(METRIC_ERRORS_UPSTREAM, 1);
	bool waits = exchange_journal(exchange, !exchange_reply_is_whole(exchange));
	exchange->end_reason = fault.code;
	exchange->cause = arena_copy(&exchange->arena, slice_of(detail));
	if (exchange->relay.is_stream && !exchange->relay.is_coded)
		relay_error_event(&exchange->relay, fault.status, fault.code, fault.message);
	else
		exchange->aborts = true;
	if (!waits)
		exchange_release_reply(exchange);
}

static bool says(const struct buffer *text, const char *word)
{
	size_t size = strlen(word);
	for (size_t i = 0; i + size <= text->size; i++) {
		if (slice_equal_nocase((struct slice){text->data + i, size},
				       (struct slice){word, size}))
			return true;
	}
	return false;
}

/* The only retry, without memory. A refusal that names roles is remembered once the request
 * succeeds without the message that we added. */
static void send_again(struct exchange *exchange)
{
	const struct buffer *refusal = &exchange->refusal;
	exchange->again = false;
	exchange->was_refused = true;
	exchange->blames_role =
		exchange->blames_role &&
		(says(refusal, "system") || says(refusal, "developer") || says(refusal, "role"));
	chat_bypass(&exchange->chat);
	metrics_count(METRIC_BYPASS_REFUSED, 1);
	exchange->body = &exchange->chat.read.body;
	exchange->body_count = 1;
	exchange_send(exchange);
}

/* It would be refused without memory as well. */
static void pass_refusal(struct exchange *exchange)
{
	exchange->again = false;
	pass_head(exchange, &exchange->refused);
	relay_feed(&exchange->relay, buffer_slice(&exchange->refusal));
}

/* The upstream failed before its head. */
static void fail(struct exchange *exchange, enum upstream_result result, const char *detail)
{
	const struct refusal fault = fault_of(result);
	note_failure(exchange, detail, 0);
	exchange->cause = arena_copy(&exchange->arena, slice_of(detail));
	exchange->unsent = result == UPSTREAM_UNREACHABLE || result == UPSTREAM_CONNECT_TIMEOUT;
	exchange_end_with_error(exchange, exchange->dialect, &fault);
}

static bool is_broken(const struct exchange *exchange, enum upstream_result result)
{
	const struct relay *relay = &exchange->relay;
	if (relay_is_done(relay))
		return false;
	return result != UPSTREAM_OK || relay_lacks_end(relay);
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct exchange *exchange = cookie;
	exchange->transfer = NULL;
	exchange->upstream_ended = true;
	exchange_trace_sent(exchange, result == UPSTREAM_OK ? NULL : fault_of(result).code);
	if (exchange->again && result == UPSTREAM_OK &&
	    refusal_is_of_state(buffer_slice(&exchange->refusal)))
		pass_refusal(exchange);
	if (exchange->again) {
		send_again(exchange);
		return;
	}
	if (exchange->status == 0) {
		fail(exchange, result, detail);
		return;
	}
	if (is_broken(exchange, result)) {
		break_off(exchange, result,
			  result == UPSTREAM_OK ? "a stream ended without its last event" : detail);
		return;
	}
	note_answer(exchange);
	if (exchange->commit != NULL)
		return; /* the reply ends when the exchange is on disk */
	if (exchange_journal(exchange, exchange->until_close && !exchange_reply_is_whole(exchange)))
		return;
	exchange_release_reply(exchange);
}

void exchange_send(struct exchange *exchange)
{
	static const struct upstream_events events = {on_head, on_data, on_full, on_end};
	const struct config *config = exchange->config;
	const struct http_head *head = http_request_head(exchange->request);
	const struct http_field *fields;
	size_t count = forward_request_fields(config, head, exchange->target, exchange->dialect,
					      exchange->was_refused, &fields, &exchange->arena);
	const char *url = forward_url(config, exchange->target, &exchange->arena);
	count = exchange_trace_send(exchange, url, &fields, count);
	struct upstream_request request = {
		.method = exchange->method,
		.url = url,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = count,
		/* A server may close after a refusal, and a request that meets that is not sent
		 * again. */
		.fresh = exchange->was_refused,
		.has_body = head->has_length || head->chunked,
		.body = exchange->body,
		.body_count = exchange->body_count,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = config->upstream.first_byte_timeout,
		.idle_timeout = config->upstream.idle_timeout,
	};
	exchange->upstream_ended = false;
	if (exchange->state != EXCHANGE_WAITING)
		exchange_change_state(exchange, EXCHANGE_WAITING);
	exchange->transfer =
		upstream_start(exchange->worker->upstream, &request, &events, exchange);
}
