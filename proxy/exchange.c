#include "proxy/exchange.h"

#include "proxy/chat.h"
#include "proxy/forward.h"
#include "proxy/learner.h"
#include "proxy/log.h"
#include "proxy/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an exchange stands. The gauges of /metrics count the exchanges in each state. */
enum exchange_state {
	EXCHANGE_LOADING, /* until the request goes upstream */
	EXCHANGE_WAITING, /* for the reply's head */
	EXCHANGE_RELAYING,
	EXCHANGE_COMMITTING, /* the reply's end waits for the disk */
	EXCHANGE_ENDED,
};

/* A journalled exchange on its way to the disk. It outlives its exchange when that does not wait.
 */
struct commit {
	struct exchange *exchange; /* NULL: nobody waits */
	struct service *service;
	struct user_key user;
	bool learns;
	uint64_t started;
};

struct exchange {
	struct exchange *next, **link; /* in worker->exchanges */
	struct worker *worker;
	struct config *config;
	struct http_request *request; /* NULL once it was ended or its client left */
	enum exchange_state state;
	struct arena arena;
	uint64_t begun;
	int64_t begun_at;

	struct slice method; /* for the log: copies that outlive the request */
	struct slice path;
	struct slice target; /* without /u/USER */
	struct identity_path user_path;
	bool is_chat;
	struct chat chat;
	struct store_call *load;

	struct slice body; /* as it goes upstream */
	struct transfer *transfer;
	bool again; /* refused with memory in it: to be sent once more without */
	int status; /* of the reply; 0 before its head */
	uint64_t first_byte;
	struct relay relay;
	bool until_close; /* the reply's end cannot be told from a break */
	bool upstream_ended;
	bool journalled;
	struct commit *commit; /* when this exchange waits for it */
	struct event *commit_deadline;
};

/* CONTRACT, durability: at most 2 s late. */
static const struct timeval commit_patience = {.tv_sec = 2};

static const enum metric_gauge state_gauges[] = {
	[EXCHANGE_LOADING] = METRIC_EXCHANGES_LOADING,
	[EXCHANGE_WAITING] = METRIC_EXCHANGES_WAITING,
	[EXCHANGE_RELAYING] = METRIC_EXCHANGES_RELAYING,
	[EXCHANGE_COMMITTING] = METRIC_EXCHANGES_COMMITTING,
};

static void change_state(struct exchange *exchange, enum exchange_state state)
{
	metrics_move(state_gauges[exchange->state], -1);
	exchange->state = state;
	if (state != EXCHANGE_ENDED)
		metrics_move(state_gauges[state], 1);
}

/* ---- the end ---- */

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
	metrics_count(exchange->is_chat ? counters[exchange->chat.status] : METRIC_REQUESTS_OTHER,
		      1);
	metrics_count(METRIC_TOKENS_INJECTED, exchange->chat.tokens);
}

static void log_exchange(struct exchange *exchange, const char *reason)
{
	if (!log_wants(LOG_LEVEL_INFO))
		return;
	struct arena *arena = &exchange->arena;
	uint64_t now = clock_steady();
	char user[9] = "-";
	if (exchange->is_chat && exchange->chat.identity.user.size > 0) {
		const unsigned char *key = exchange->chat.user.bytes;
		(void)snprintf(user, sizeof(user), "%02x%02x%02x%02x", key[0], key[1], key[2],
			       key[3]);
	}
	const struct log_field fields[] = {
		{"method", exchange->method},
		{"path", exchange->path},
		{"status", arena_printf(arena, "%d", exchange->status)},
		{"memory",
		 slice_of(exchange->is_chat ? chat_status_name(exchange->chat.status) : "none")},
		{"user", slice_of(user)},
		{"tokens", arena_printf(arena, "%zu", exchange->chat.tokens)},
		{"bytes", arena_printf(arena, "%llu", (unsigned long long)exchange->relay.bytes)},
		{"first_byte_us",
		 arena_printf(
			 arena, "%llu",
			 (unsigned long long)(exchange->first_byte == 0
						      ? 0
						      : exchange->first_byte - exchange->begun))},
		{"elapsed_us",
		 arena_printf(arena, "%llu", (unsigned long long)(now - exchange->begun))},
		{"end", slice_of(reason)},
		{NULL, {0}},
	};
	log_event(LOG_LEVEL_INFO, "exchange", fields);
}

static void free_exchange(void *cookie)
{
	struct exchange *exchange = cookie;
	relay_finish(&exchange->relay);
	if (exchange->commit_deadline != NULL)
		event_free(exchange->commit_deadline);
	config_release(exchange->config);
	arena_finish(&exchange->arena);
	free(exchange);
}

/* The one way out: cancels whatever is under way and writes the log line. The memory goes at the
 * end of the loop's turn, since callers further up may still look at it. */
static void end_exchange(struct exchange *exchange, const char *reason)
{
	if (exchange->state == EXCHANGE_ENDED)
		return;
	change_state(exchange, EXCHANGE_ENDED);
	store_cancel(exchange->load);
	exchange->load = NULL;
	upstream_cancel(exchange->transfer);
	exchange->transfer = NULL;
	if (exchange->commit != NULL)
		exchange->commit->exchange = NULL;
	exchange->commit = NULL;
	if (exchange->commit_deadline != NULL)
		event_del(exchange->commit_deadline);
	count_status(exchange);
	metrics_observe(METRIC_EXCHANGE_SECONDS, clock_steady() - exchange->begun);
	log_exchange(exchange, reason);
	*exchange->link = exchange->next;
	if (exchange->next != NULL)
		exchange->next->link = exchange->link;
	loop_later(exchange->worker->loop, free_exchange, exchange);
}

/* Ends the reply first. */
static void finish_reply(struct exchange *exchange, const char *reason)
{
	struct http_request *request = exchange->request;
	exchange->request = NULL;
	exchange->relay.request = NULL;
	if (request != NULL)
		http_reply_end(request);
	end_exchange(exchange, reason);
}

static size_t memory_fields(struct exchange *exchange, struct http_field fields[4])
{
	const struct chat *chat = &exchange->chat;
	size_t count = 0;
	if (!exchange->is_chat)
		return 0;
	fields[count++] = (struct http_field){SLICE("X-Memory-Status"),
					      slice_of(chat_status_name(chat->status))};
	fields[count++] = (struct http_field){SLICE("X-Memory-Mode"), slice_of(chat->mode_word)};
	fields[count++] = (struct http_field){SLICE("X-Memory-Tokens"),
					      arena_printf(&exchange->arena, "%zu", chat->tokens)};
	/* A receipt is kept with its exchange: of one that is not journalled there is none. */
	if (chat->receipt != 0 && exchange->relay.reader != NULL)
		fields[count++] = (struct http_field){
			SLICE("X-Memory-Receipt"), arena_printf(&exchange->arena, "%016llx",
								(unsigned long long)chat->receipt)};
	return count;
}

static void reply_error(struct exchange *exchange, int status, const char *code,
			struct slice message, const char *reason)
{
	struct http_request *request = exchange->request;
	struct http_field fields[4];
	size_t count = memory_fields(exchange, fields);
	exchange->request = NULL;
	exchange->status = status;
	metrics_count(status < 500 ? METRIC_ERRORS_CLIENT : METRIC_ERRORS_UPSTREAM, 1);
	if (request != NULL)
		http_reply_error(request, status, code, message, fields, count);
	end_exchange(exchange, reason);
}

/* ---- memory keeps the exchange ---- */

static void let_reply_end(struct exchange *exchange)
{
	relay_release(&exchange->relay);
	if (exchange->upstream_ended) {
		finish_reply(exchange, "done");
		return;
	}
	change_state(exchange, EXCHANGE_RELAYING);
	/* What was held may have held the upstream up, and of that no `drained` tells. */
	upstream_resume(exchange->transfer);
}

static void on_committed(void *cookie, enum store_result result)
{
	struct commit *commit = cookie;
	struct exchange *exchange = commit->exchange;
	metrics_observe(METRIC_COMMIT_SECONDS, clock_steady() - commit->started);
	if (result == STORE_OK && commit->learns)
		learner_wake(commit->service->learner, commit->user);
	if (result != STORE_OK && result != STORE_STALE) {
		metrics_count(result == STORE_FULL ? METRIC_BYPASS_FULL : METRIC_BYPASS_COMMIT, 1);
		log_error("an exchange was not journalled: %s", store_result_name(result));
	}
	free(commit);
	if (exchange != NULL) {
		exchange->commit = NULL;
		event_del(exchange->commit_deadline);
		let_reply_end(exchange);
	}
}

static void on_commit_late(evutil_socket_t fd, short what, void *cookie)
{
	struct exchange *exchange = cookie;
	(void)fd;
	(void)what;
	metrics_count(METRIC_BYPASS_COMMIT, 1);
	log_error("the store took longer than 2 s to journal an exchange");
	exchange->commit->exchange = NULL;
	exchange->commit = NULL;
	let_reply_end(exchange);
}

static void offer_key(struct exchange *exchange, struct append *append)
{
	const struct config *config = exchange->config;
	struct slice key = exchange->chat.authorization;
	if (config->model.api_key[0] != '\0' || config->upstream.api_key[0] != '\0' ||
	    key.size == 0)
		return;
	append->client_key = true;
	learner_offer_key(exchange->worker->service->learner, exchange->chat.user, key);
}

/* Hands what was said to the store, once. True: the reply's end has to wait for it. */
static bool journal(struct exchange *exchange, bool broke_off)
{
	struct service *service = exchange->worker->service;
	struct relay *relay = &exchange->relay;
	if (exchange->journalled || relay->reader == NULL)
		return false;
	exchange->journalled = true;
	struct reply reply = reply_result(relay->reader);
	struct append append;
	struct frozen frozen;
	if (!chat_append(&exchange->chat, &reply, broke_off, exchange->begun_at, clock_wall(),
			 &append, &frozen, &exchange->arena))
		return false;
	offer_key(exchange, &append);
	append.receipt = exchange->chat.receipt;
	append.receipt_text = chat_receipt(&exchange->chat, &exchange->arena);
	metrics_count(append.complete ? METRIC_EXCHANGES_JOURNALLED : METRIC_EXCHANGES_INCOMPLETE,
		      1);
	bool waits = relay->holds && exchange->request != NULL;
	struct commit *commit = xmalloc(sizeof(*commit));
	*commit = (struct commit){.exchange = waits ? exchange : NULL,
				  .service = service,
				  .user = exchange->chat.user,
				  .learns = append.learn,
				  .started = clock_steady()};
	/* The callback is never cancelled, since the learner waits for it too. */
	store_append(service->store, &append, loop_for_store(exchange->worker->loop), on_committed,
		     commit);
	if (!waits)
		return false;
	exchange->commit = commit;
	exchange->commit_deadline =
		evtimer_new(loop_base(exchange->worker->loop), on_commit_late, exchange);
	evtimer_add(exchange->commit_deadline, &commit_patience);
	change_state(exchange, EXCHANGE_COMMITTING);
	return true;
}

/* ---- the reply ---- */

/* A refusal that may be due to what was put in (CONTRACT section 3). */
static bool is_refused_injection(const struct exchange *exchange, int status)
{
	return exchange->is_chat && exchange->chat.insertion_count > 0 &&
	       (status == 400 || status == 413 || status == 422);
}

static bool is_event_stream(const struct upstream_head *head)
{
	struct slice type =
		http_field_value(head->fields, head->field_count, SLICE("Content-Type"));
	return type.size >= 17 &&
	       slice_equal_nocase(slice_part(type, 0, 17), SLICE("text/event-stream"));
}

static void start_relay(struct exchange *exchange, const struct upstream_head *head)
{
	bool learns = exchange->is_chat && chat_learns_from(&exchange->chat, head->status);
	bool strict = exchange->chat.settings.durability == DURABILITY_STRICT;
	relay_start(&exchange->relay, exchange->request, is_event_stream(head), learns,
		    learns && strict,
		    http_field_value(head->fields, head->field_count, SLICE("Content-Encoding")));
}

/* A 304's Content-Length tells of a body that does not come (RFC 9110, section 8.6). */
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

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct exchange *exchange = cookie;
	if (is_refused_injection(exchange, head->status)) {
		exchange->again = true;
		return UPSTREAM_STOP;
	}
	if (exchange->is_chat && exchange->chat.status == CHAT_BYPASSED &&
	    exchange->chat.made_message && head->status < 300)
		refusals_add(exchange->worker->service->refusals, exchange->chat.request.model);
	exchange->status = head->status;
	exchange->first_byte = clock_steady();
	metrics_observe(METRIC_FIRST_BYTE_SECONDS, exchange->first_byte - exchange->begun);
	start_relay(exchange, head);
	struct http_field memory[4];
	size_t memory_count = memory_fields(exchange, memory);
	const struct http_field *fields;
	size_t count = forward_reply_fields(head->fields, head->field_count, memory, memory_count,
					    &fields, &exchange->arena);
	http_reply_head(exchange->request, head->status, head->reason, fields, count,
			choose_framing(exchange, head));
	exchange->until_close = head->until_close;
	change_state(exchange, EXCHANGE_RELAYING);
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct exchange *exchange = cookie;
	relay_feed(&exchange->relay, bytes);
	if (exchange->state == EXCHANGE_RELAYING && !exchange->journalled &&
	    relay_is_done(&exchange->relay) && !journal(exchange, false))
		relay_release(&exchange->relay);
	return UPSTREAM_GO_ON;
}

static bool on_full(void *cookie)
{
	struct exchange *exchange = cookie;
	return relay_is_full(&exchange->relay);
}

static void on_drained(void *cookie)
{
	struct exchange *exchange = cookie;
	if (exchange->transfer != NULL)
		upstream_resume(exchange->transfer);
}

static void upstream_fault(enum upstream_result result, int *status, const char **code)
{
	bool is_timeout = result == UPSTREAM_CONNECT_TIMEOUT ||
			  result == UPSTREAM_FIRST_BYTE_TIMEOUT || result == UPSTREAM_IDLE_TIMEOUT;
	*status = is_timeout ? 504 : 502;
	*code = is_timeout                       ? "upstream_timeout"
		: result == UPSTREAM_UNREACHABLE ? "upstream_unreachable"
						 : "upstream_broken";
}

/* Whether all of the answer came, even if its connection broke off, or its client left, behind it.
 */
static bool reply_is_whole(const struct exchange *exchange)
{
	if (exchange->relay.reader == NULL)
		return false;
	struct reply reply = reply_result(exchange->relay.reader);
	return reply.done || reply.finished;
}

/* The upstream failed after its head had been passed on. */
static void break_off(struct exchange *exchange, enum upstream_result result, const char *detail)
{
	int status;
	const char *code;
	upstream_fault(result, &status, &code);
	metrics_count(METRIC_ERRORS_UPSTREAM, 1);
	journal(exchange, !reply_is_whole(exchange));
	struct http_request *request = exchange->request;
	if (request != NULL && exchange->relay.is_stream && !relay_is_done(&exchange->relay)) {
		relay_error_event(&exchange->relay, status, code, slice_of(detail));
		finish_reply(exchange, code);
		return;
	}
	exchange->request = NULL;
	if (request != NULL)
		http_reply_abort(request);
	end_exchange(exchange, code);
}

static void send_upstream(struct exchange *exchange);

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct exchange *exchange = cookie;
	exchange->transfer = NULL;
	exchange->upstream_ended = true;
	if (exchange->again) {
		exchange->again = false;
		chat_bypass(&exchange->chat, METRIC_BYPASS_REFUSED);
		exchange->body = exchange->chat.body;
		send_upstream(exchange);
		return;
	}
	if (exchange->status == 0) {
		int status;
		const char *code;
		upstream_fault(result, &status, &code);
		reply_error(exchange, status, code, slice_of(detail), code);
		return;
	}
	if (result != UPSTREAM_OK && !relay_is_done(&exchange->relay)) {
		break_off(exchange, result, detail);
		return;
	}
	if (exchange->commit != NULL)
		return; /* the reply ends when the exchange is on disk */
	if (journal(exchange, exchange->until_close && !reply_is_whole(exchange)))
		return;
	let_reply_end(exchange);
}

static void send_upstream(struct exchange *exchange)
{
	static const struct upstream_events events = {on_head, on_data, on_full, on_end};
	const struct config *config = exchange->config;
	const struct http_head *head = http_request_head(exchange->request);
	const struct http_field *fields;
	size_t count =
		forward_request_fields(config, head, exchange->is_chat, &fields, &exchange->arena);
	struct upstream_request request = {
		.method = exchange->method,
		.url = forward_url(config, exchange->target, &exchange->arena),
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = count,
		.has_body = head->has_length || head->chunked,
		.body = exchange->body,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = config->upstream.first_byte_timeout,
		.idle_timeout = config->upstream.idle_timeout,
	};
	exchange->upstream_ended = false;
	if (exchange->state != EXCHANGE_WAITING)
		change_state(exchange, EXCHANGE_WAITING);
	exchange->transfer =
		upstream_start(exchange->worker->upstream, &request, &events, exchange);
}

/* ---- the request ---- */

static void reply_dry_run(struct exchange *exchange)
{
	struct http_field fields[4];
	size_t count = memory_fields(exchange, fields);
	struct http_request *request = exchange->request;
	exchange->request = NULL;
	exchange->status = 200;
	http_reply(request, 200, "application/json", fields, count, exchange->body);
	end_exchange(exchange, "dry run");
}

static void go_on(struct exchange *exchange)
{
	exchange->body = exchange->is_chat ? chat_body(&exchange->chat, &exchange->arena)
					   : http_request_body(exchange->request);
	if (exchange->is_chat && exchange->chat.dry_run)
		reply_dry_run(exchange);
	else
		send_upstream(exchange);
}

/* Sortable by time, unique within this daemon's life and, but for a clock set back, beyond it. */
static uint64_t next_receipt(struct service *service)
{
	return ((uint64_t)clock_wall() << 20) |
	       (atomic_fetch_add(&service->receipts, 1) & ((1 << 20) - 1));
}

static void on_loaded(void *cookie, enum store_result result, struct memory_view *view)
{
	struct exchange *exchange = cookie;
	struct chat *chat = &exchange->chat;
	struct service *service = exchange->worker->service;
	exchange->load = NULL;
	if (result == STORE_OK)
		chat_inject(chat, view, service->refusals, exchange->begun_at, &exchange->arena);
	else
		chat_bypass(chat, METRIC_BYPASS_STORE);
	if (result == STORE_OK && chat->status != CHAT_SIDE && !chat->dry_run)
		chat->receipt = next_receipt(service);
	chat->elapsed = clock_steady() - exchange->begun;
	metrics_observe(METRIC_MEMORY_SECONDS, chat->elapsed);
	go_on(exchange);
}

static void load_memory(struct exchange *exchange)
{
	struct service *service = exchange->worker->service;
	if (exchange->chat.learn && !exchange->chat.dry_run && !store_has_room(service->store)) {
		chat_bypass(&exchange->chat, METRIC_BYPASS_FULL);
		go_on(exchange);
		return;
	}
	struct load load;
	chat_load(&exchange->chat, exchange->begun_at, &load);
	struct store_call *call =
		store_load(service->store, &load, &exchange->arena, on_loaded, exchange);
	if (call != NULL) /* else it has been answered, and the exchange may have moved on */
		exchange->load = call;
}

static void open_chat(struct exchange *exchange)
{
	struct http_request *request = exchange->request;
	struct chat_refusal refusal;
	switch (chat_open(&exchange->chat, exchange->config, http_request_head(request),
			  exchange->user_path.rest.size > 0 ? &exchange->user_path : NULL,
			  http_request_body(request), http_request_is_local(request), &refusal,
			  &exchange->arena)) {
	case CHAT_REFUSED:
		exchange->is_chat = false;
		reply_error(exchange, refusal.status, refusal.code, slice_of(refusal.message),
			    refusal.code);
		return;
	case CHAT_LOAD:
		load_memory(exchange);
		return;
	case CHAT_PASS:
	default:
		go_on(exchange);
	}
}

static void on_gone(void *cookie)
{
	struct exchange *exchange = cookie;
	exchange->request = NULL;
	exchange->relay.request = NULL;
	metrics_count(METRIC_CLIENTS_GONE, 1);
	journal(exchange, !reply_is_whole(exchange));
	end_exchange(exchange, "client gone");
}

static struct exchange *create_exchange(struct worker *worker, struct http_request *request)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	exchange->worker = worker;
	exchange->config = config_retain(worker->config);
	exchange->request = request;
	exchange->begun = clock_steady();
	exchange->begun_at = clock_wall();
	exchange->next = worker->exchanges;
	exchange->link = &worker->exchanges;
	if (exchange->next != NULL)
		exchange->next->link = &exchange->next;
	worker->exchanges = exchange;
	metrics_move(state_gauges[EXCHANGE_LOADING], 1);
	return exchange;
}

void exchange_begin(struct worker *worker, struct http_request *request)
{
	static const struct http_request_events events = {on_gone, on_drained};
	struct exchange *exchange = create_exchange(worker, request);
	const struct http_head *head = http_request_head(request);
	http_request_set_events(request, &events, exchange);
	exchange->method = arena_copy(&exchange->arena, head->method);
	exchange->target = head->target;
	if (identity_split_path(exchange->config, head->target, &exchange->user_path,
				&exchange->arena))
		exchange->target = exchange->user_path.rest;
	exchange->path = arena_copy(
		&exchange->arena,
		slice_part(exchange->target, 0, slice_find(exchange->target, SLICE("?"), 0)));
	exchange->is_chat = forward_is_chat(head->method, exchange->target);
	if (exchange->is_chat)
		open_chat(exchange);
	else
		go_on(exchange);
}

void exchange_end_all(struct worker *worker)
{
	while (worker->exchanges != NULL) {
		struct exchange *exchange = worker->exchanges;
		struct http_request *request = exchange->request;
		exchange->request = NULL;
		exchange->relay.request = NULL;
		journal(exchange, !reply_is_whole(exchange));
		end_exchange(exchange, "shut down"); /* before the body that it sends is freed */
		if (request != NULL)
			http_reply_abort(request);
	}
}
