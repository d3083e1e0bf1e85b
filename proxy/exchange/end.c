/* How an exchange ends: its states, the ways out, and what is left behind. */
#include "proxy/exchange/state.h"
#include "proxy/runtime/metrics.h"
#include "storage/audit.h"

#include <inttypes.h>
#include <stdlib.h>

/* How much of an error is passed on. */
enum { ERROR_LIMIT = 64 * 1024 };

static const enum metric_gauge state_gauges[] = {
	[EXCHANGE_LOADING] = METRIC_EXCHANGES_LOADING,
	[EXCHANGE_WAITING] = METRIC_EXCHANGES_WAITING,
	[EXCHANGE_RELAYING] = METRIC_EXCHANGES_RELAYING,
	[EXCHANGE_COMMITTING] = METRIC_EXCHANGES_COMMITTING,
};

void exchange_change_state(struct exchange *exchange, enum exchange_state state)
{
	metrics_move(state_gauges[exchange->state], -1);
	exchange_trace_state(exchange, state);
	exchange->state = state;
	if (state != EXCHANGE_ENDED)
		metrics_move(state_gauges[state], 1);
}

size_t exchange_memory_fields(struct exchange *exchange, struct http_field fields[4])
{
	const struct chat *chat = &exchange->chat;
	size_t count = 0;
	if (exchange->names_user)
		fields[count++] = (struct http_field){SLICE("X-Memory-Status"), SLICE("none")};
	if (exchange->dialect == NULL)
		return count;
	fields[count++] = (struct http_field){SLICE("X-Memory-Status"),
					      slice_of(chat_status_name(chat->status))};
	fields[count++] = (struct http_field){SLICE("X-Memory-Mode"), slice_of(chat->mode_word)};
	fields[count++] = (struct http_field){
		SLICE("X-Memory-Tokens"), arena_number(&exchange->arena, chat->injected.tokens)};
	if (chat->injected.receipt != 0)
		fields[count++] = (struct http_field){
			SLICE("X-Memory-Receipt"),
			arena_printf(&exchange->arena, "%016llx",
				     (unsigned long long)chat->injected.receipt)};
	return count;
}

void exchange_detach_commit(struct exchange *exchange)
{
	if (exchange->commit == NULL)
		return;
	exchange->commit->exchange = NULL;
	exchange->commit = NULL;
	event_del(exchange->commit_deadline);
}

static void audit_injection(struct exchange *exchange)
{
	const struct chat *chat = &exchange->chat;
	char receipt[sizeof("0123456789abcdef")] = "";
	if (!exchange->config->audit.inject || chat->status != CHAT_INJECTED || chat->dry_run)
		return;
	if (chat->injected.receipt != 0)
		(void)snprintf(receipt, sizeof(receipt), "%016" PRIx64, chat->injected.receipt);
	const struct audit_entry entry = {
		.by = "chat",
		.action = "inject",
		.target = chat->injected.receipt != 0 ? "receipt" : "memory",
		.item = slice_of(receipt),
		.has_user = true,
		.user = chat->user,
		.result = 200,
		.at = clock_wall(),
	};
	store_audit(exchange->worker->service->store, &entry);
}

/* A request that journals nothing, such as one that only reads, keeps its receipt; what was
 * injected goes into the audit log ([audit] inject). */
static void keep_receipt(struct exchange *exchange)
{
	struct chat *chat = &exchange->chat;
	audit_injection(exchange);
	if (chat->injected.receipt == 0 || exchange->receipt_kept || chat->view == NULL)
		return;
	const struct receipt receipt = chat_receipt(chat, &exchange->arena);
	/* A receipt is best effort: nothing depends on it. */
	(void)store_keep_receipt(
		exchange->worker->service->store, chat->user, chat->view->forget_epoch, &receipt,
		(struct store_waiter){loop_for_store(exchange->worker->loop), NULL, NULL});
}

static void count_status(const struct exchange *exchange)
{
	static const enum metric_counter counters[] = {
		[CHAT_INJECTED] = METRIC_REQUESTS_INJECTED,
		[CHAT_EMPTY] = METRIC_REQUESTS_EMPTY,
		[CHAT_OFF] = METRIC_REQUESTS_OFF,
		[CHAT_ANONYMOUS] = METRIC_REQUESTS_ANONYMOUS,
		[CHAT_SIDE] = METRIC_REQUESTS_SIDE,
		[CHAT_BYPASSED] = METRIC_REQUESTS_BYPASSED,
	};
	metrics_count(exchange->dialect != NULL ? counters[exchange->chat.status]
						: METRIC_REQUESTS_OTHER,
		      1);
	metrics_count(METRIC_TOKENS_INJECTED, exchange->chat.injected.tokens);
	metrics_count(METRIC_TOKENS_TRIMMED, chat_tokens_saved(&exchange->chat));
}

static void free_exchange(void *cookie)
{
	struct exchange *exchange = cookie;
	relay_finish(&exchange->relay);
	buffer_finish(&exchange->refusal);
	if (exchange->commit_deadline != NULL)
		event_free(exchange->commit_deadline);
	if (exchange->settling != NULL)
		event_free(exchange->settling);
	config_release(exchange->config);
	arena_finish(&exchange->arena);
	free(exchange);
}

void exchange_end(struct exchange *exchange, const char *reason)
{
	if (exchange->state == EXCHANGE_ENDED)
		return;
	exchange_change_state(exchange, EXCHANGE_ENDED);
	atomic_fetch_sub(&exchange->worker->service->exchanges, 1);
	if (exchange->settling != NULL)
		event_del(exchange->settling);
	chat_lookup_cancel(exchange->lookup);
	exchange->lookup = NULL;
	upstream_cancel(exchange->transfer);
	exchange->transfer = NULL;
	exchange_detach_commit(exchange);
	keep_receipt(exchange);
	count_status(exchange);
	metrics_observe(METRIC_EXCHANGE_SECONDS, clock_steady() - exchange->begun);
	exchange_trace_end(exchange, reason);
	exchange_log(exchange, reason);
	*exchange->link = exchange->next;
	if (exchange->next != NULL)
		exchange->next->link = exchange->link;
	loop_later(exchange->worker->loop, free_exchange, exchange);
}

void exchange_end_with_error(struct exchange *exchange, const struct dialect *dialect,
			     const struct refusal *refusal)
{
	struct http_request *request = exchange->request;
	struct http_field fields[5];
	size_t count = exchange_memory_fields(exchange, fields);
	if (exchange->unsent)
		fields[count++] = (struct http_field){SLICE("Retry-After"), SLICE("1")};
	exchange->request = NULL;
	exchange->status = refusal->status;
	metrics_count(refusal->status < 500 ? METRIC_ERRORS_CLIENT : METRIC_ERRORS_UPSTREAM, 1);
	if (request != NULL) {
		struct buffer body;
		buffer_init(&body, ERROR_LIMIT);
		dialect_or_usual(dialect)->error_body(&body, refusal->status, refusal->code,
						      refusal->message);
		http_reply_error_body(request, refusal->status, buffer_slice(&body), fields, count);
		buffer_finish(&body);
	}
	exchange_end(exchange, refusal->code);
}

static void end_reply(struct exchange *exchange)
{
	struct http_request *request = exchange->request;
	exchange->request = NULL;
	exchange->relay.request = NULL;
	if (request != NULL && exchange->aborts)
		http_reply_abort(request);
	else if (request != NULL)
		http_reply_end(request);
	exchange_end(exchange, exchange->end_reason);
}

void exchange_release_reply(struct exchange *exchange)
{
	relay_release(&exchange->relay);
	if (exchange->upstream_ended) {
		end_reply(exchange);
		return;
	}
	exchange_change_state(exchange, EXCHANGE_RELAYING);
	/* Held bytes may have paused the upstream, and no `drained` reports their release. */
	upstream_resume(exchange->transfer);
}
