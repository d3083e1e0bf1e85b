#include "proxy/background/embedder.h"
#include "proxy/exchange/forward.h"
#include "proxy/exchange/open.h"
#include "proxy/exchange/state.h"
#include "proxy/exchange/web_guard.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>

/* How much of a refusal is read to find out what it is about. */
enum { REFUSAL_LIMIT = 64 * 1024 };

/* How long a request waits for the exchange before it, in microseconds, and how often it looks. */
enum { SETTLE_LIMIT = 500 * 1000, SETTLE_LOOK = 2 * 1000 };

static void reply_dry_run(struct exchange *exchange)
{
	struct http_field fields[4];
	size_t count = exchange_memory_fields(exchange, fields);
	struct http_request *request = exchange->request;
	exchange->request = NULL;
	exchange->status = 200;
	http_reply(request, 200, "application/json", fields, count,
		   arena_join(&exchange->arena, exchange->body, exchange->body_count));
	exchange_end(exchange, "dry run");
}

/* Leaves a large body in pieces, which saves a copy; joins a small one, so that it leaves with its
 * head. */
static void make_body(struct exchange *exchange)
{
	const struct chat *chat = &exchange->chat;
	struct slice *whole = arena_alloc(&exchange->arena, sizeof(*whole));
	*whole = http_request_body(exchange->request);
	exchange->body = whole;
	exchange->body_count = 1;
	if (exchange->dialect == NULL || chat->injected.edit_count == 0)
		return;
	exchange->body_count = chat_splice(chat, &exchange->body, &exchange->arena);
	if (request_spliced_size(chat->read.body, chat->injected.edits, chat->injected.edit_count) >
	    UPSTREAM_WITH_HEAD)
		return;
	*whole = arena_join(&exchange->arena, exchange->body, exchange->body_count);
	exchange->body = whole;
	exchange->body_count = 1;
	http_request_hold(exchange->request, whole->size);
}

static void go_on(struct exchange *exchange)
{
	make_body(exchange);
	if (exchange->dialect != NULL && exchange->chat.dry_run)
		reply_dry_run(exchange);
	else
		exchange_send(exchange);
}

/* Sortable by time, unique in this daemon's life and, unless the clock is set back, beyond it. */
static uint64_t next_receipt(struct service *service)
{
	return ((uint64_t)clock_wall() << RECEIPT_TIME_SHIFT) |
	       (atomic_fetch_add(&service->receipts, 1) & ((1 << RECEIPT_TIME_SHIFT) - 1));
}

static void bypass(struct chat *chat, enum metric_counter cause)
{
	chat_bypass(chat);
	metrics_count(cause, 1);
}

static void end_lookup(struct exchange *exchange, enum store_result result)
{
	struct chat *chat = &exchange->chat;
	if (result != STORE_OK)
		bypass(chat, METRIC_BYPASS_STORE);
	else if (chat->status != CHAT_SIDE && !chat->dry_run && !chat->settings.refuses_learning)
		chat->injected.receipt = next_receipt(exchange->worker->service);
	chat->injected.elapsed = clock_steady() - exchange->begun;
	metrics_observe(METRIC_MEMORY_SECONDS, chat->injected.elapsed);
	if (result == STORE_OK && !chat->dry_run && !chat->settings.refuses_learning &&
	    chat_wants_vectors(chat))
		embedder_wake(exchange->worker->service->embedder, chat->user);
	go_on(exchange);
}

static void on_looked_up(void *cookie)
{
	struct exchange *exchange = cookie;
	exchange->lookup = NULL;
	end_lookup(exchange, STORE_OK);
}

static void look_up(struct exchange *exchange);

static void on_settling(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	look_up(cookie);
}

/* Whether the request has to wait until the user's exchange before it is on disk. */
static bool must_settle(struct exchange *exchange)
{
	static const struct timeval look = {.tv_usec = SETTLE_LOOK};
	struct service *service = exchange->worker->service;
	if (!unsettled_has(&service->unsettled, exchange->chat.user) ||
	    clock_steady() - exchange->begun >= SETTLE_LIMIT)
		return false;
	if (exchange->settling == NULL)
		exchange->settling =
			evtimer_new(loop_base(exchange->worker->loop), on_settling, exchange);
	return exchange->settling != NULL && evtimer_add(exchange->settling, &look) == 0;
}

static struct chat_sources sources_of(const struct exchange *exchange)
{
	const struct worker *worker = exchange->worker;
	return (struct chat_sources){
		.store = worker->service->store,
		.vectors = worker->vectors,
		.config = exchange->config,
		.model_traits = worker->service->model_traits,
		.key_field = exchange->key_field,
	};
}

/* The user's path, if the request has one. */
static const struct identity_path *user_path(const struct exchange *exchange)
{
	return exchange->user_path.rest.size > 0 ? &exchange->user_path : NULL;
}

static void look_up(struct exchange *exchange)
{
	if (must_settle(exchange))
		return;
	struct service *service = exchange->worker->service;
	struct chat *chat = &exchange->chat;
	/* Decided before the reply begins, so that its headers promise only what is kept. */
	bool is_full = !store_has_room(service->store);
	if (chat->learn && !chat->dry_run && (is_full || store_is_behind(service->store))) {
		bypass(chat, is_full ? METRIC_BYPASS_FULL : METRIC_BYPASS_BEHIND);
		go_on(exchange);
		return;
	}
	const struct chat_sources sources = sources_of(exchange);
	enum store_result result;
	exchange->lookup = chat_lookup_start(chat, &sources, exchange->begun_at, &result,
					     &exchange->arena, on_looked_up, exchange);
	if (exchange->lookup == NULL)
		end_lookup(exchange, result);
}

static void take_key(struct exchange *exchange, const struct http_head *head)
{
	struct slice key = identity_key_field(head, &exchange->key_is_bound, &exchange->arena);
	bool may_offer = forward_may_offer_key(exchange->config, exchange->target);
	exchange->key_is_foreign = key.size > 0 && !may_offer;
	exchange->key_field = may_offer ? key : (struct slice){0};
}

static struct slice field_of(const struct exchange *exchange, struct slice name)
{
	const struct http_head *head = http_request_head(exchange->request);
	return http_field_value(head->fields, head->field_count, name);
}

static void log_miss(struct exchange *exchange, enum client_miss miss, struct slice path)
{
	const struct slice origin =
		arena_printf(&exchange->arena, "%s://%.*s",
			     exchange->config->listen.tls != NULL ? "https" : "http",
			     SLICE_PRINT(client_name(field_of(exchange, SLICE("Host")))));
	client_log_miss(&exchange->worker->service->misses, miss,
			field_of(exchange, SLICE("User-Agent")), path, origin);
}

static void open_chat(struct exchange *exchange)
{
	struct chat *chat = &exchange->chat;
	const struct dialect *dialect = exchange->dialect;
	take_key(exchange, http_request_head(exchange->request));
	const struct chat_sources sources = sources_of(exchange);
	switch (chat_open(chat, &sources, dialect, exchange->request, user_path(exchange),
			  &exchange->arena)) {
	case CHAT_REFUSED:
		exchange->dialect = NULL;
		exchange_end_with_error(exchange, dialect, &chat->refusal);
		return;
	case CHAT_LOAD:
		look_up(exchange);
		return;
	case CHAT_PASS:
	default:
		if (exchange->chat.status == CHAT_ANONYMOUS)
			log_miss(exchange, CLIENT_MISS_ID, exchange->path);
		go_on(exchange);
	}
}

static void on_gone(void *cookie)
{
	struct exchange *exchange = cookie;
	exchange->request = NULL;
	exchange->relay.request = NULL;
	metrics_count(METRIC_CLIENTS_GONE, 1);
	exchange_journal(exchange, !exchange_reply_is_whole(exchange));
	exchange_end(exchange, "client gone");
}

static struct exchange *create_exchange(struct worker *worker, struct http_request *request)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	exchange->worker = worker;
	exchange->config = config_retain(worker->config);
	exchange->request = request;
	exchange->end_reason = "done";
	buffer_init(&exchange->refusal, REFUSAL_LIMIT);
	exchange->begun = clock_steady();
	exchange->begun_at = clock_wall();
	exchange->next = worker->exchanges;
	exchange->link = &worker->exchanges;
	if (exchange->next != NULL)
		exchange->next->link = &exchange->next;
	worker->exchanges = exchange;
	atomic_fetch_add(&worker->service->exchanges, 1);
	metrics_move(METRIC_EXCHANGES_LOADING, 1);
	return exchange;
}

/* The answer to a turn that waits for it may come now. */
static void begin_fetch(struct exchange *exchange, const struct http_head *head, struct slice id)
{
	const struct chat_sources sources = sources_of(exchange);
	exchange->fetches = chat_open_fetched(&exchange->chat, &sources, head, user_path(exchange),
					      id, exchange->begun_at, &exchange->arena);
	if (exchange->fetches)
		take_key(exchange, head);
	go_on(exchange);
}

/* A client that names a user expects memory; some frameworks use another path by default. */
static void begin_without_memory(struct exchange *exchange, const struct http_head *head)
{
	enum client_miss miss = forward_miss(head->method, exchange->target);
	exchange->names_user =
		exchange->user_path.rest.size > 0 || identity_names_user(exchange->config, head);
	if (exchange->names_user)
		without_memory_count(exchange->path);
	if (miss != CLIENT_MISS_NONE)
		log_miss(exchange, miss, exchange->path);
	go_on(exchange);
}

/* False: the exchange has ended. */
static bool may_ask(struct exchange *exchange)
{
	struct refusal refusal;
	if (guard_admits_traffic(exchange->config, exchange->worker->service->bound->listen.address,
				 http_request_head(exchange->request),
				 http_request_body(exchange->request).size > 0, &refusal,
				 &exchange->arena))
		return true;
	exchange_end_with_error(exchange, forward_dialect(exchange->method, exchange->target),
				&refusal);
	return false;
}

/* A dry run promises that nothing is sent, wherever it goes. */
static void refuse_dry_run(struct exchange *exchange)
{
	static const struct refusal refusal = {
		400, "dry_run_without_memory",
		SLICE("A dry run shows what a chat would send, and this path has no memory: POST "
		      "to /v1/chat/completions, /v1/responses, /v1/messages or /api/chat. Nothing "
		      "was sent.")};
	exchange_end_with_error(exchange, exchange->dialect, &refusal);
}

void exchange_begin(struct worker *worker, struct http_request *request)
{
	static const struct http_request_events events = {on_gone, exchange_drained};
	struct exchange *exchange = create_exchange(worker, request);
	const struct http_head *head = http_request_head(request);
	http_request_set_events(request, &events, exchange);
	exchange->method = arena_copy(&exchange->arena, head->method);
	exchange->target = head->target;
	if (identity_split_path(exchange->config, head->target, &exchange->user_path,
				&exchange->arena))
		exchange->target = exchange->user_path.rest;
	const struct slice path =
		slice_part(exchange->target, 0, slice_find(exchange->target, SLICE("?"), 0));
	exchange->path = client_path(arena_copy(&exchange->arena, path), &exchange->arena);
	exchange_trace_begin(exchange);
	if (!may_ask(exchange))
		return;
	if (exchange->user_path.rest.size > 0 && exchange->user_path.user.size == 0)
		log_miss(exchange, CLIENT_MISS_USER,
			 slice_part(head->target, 0, slice_find(head->target, SLICE("?"), 0)));
	exchange->dialect = forward_dialect(head->method, exchange->target);
	struct slice fetched = forward_fetched(head->method, exchange->target);
	if (exchange->dialect != NULL)
		open_chat(exchange);
	else if (guard_is_dry_run(head))
		refuse_dry_run(exchange);
	else if (fetched.size > 0)
		begin_fetch(exchange, head, fetched);
	else
		begin_without_memory(exchange, head);
}

void exchange_end_all(struct worker *worker)
{
	while (worker->exchanges != NULL) {
		struct exchange *exchange = worker->exchanges;
		struct http_request *request = exchange->request;
		exchange->request = NULL;
		exchange->relay.request = NULL;
		exchange_journal(exchange, !exchange_reply_is_whole(exchange));
		exchange_end(exchange, "shut down"); /* before the body that it sends is freed */
		if (request != NULL)
			http_reply_abort(request);
	}
}
