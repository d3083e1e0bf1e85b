#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void initialize(void)
{
	/* OpenSSL writes to sockets that may be closed, and curl is configured to leave signals
	 * alone. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

struct upstream *upstream_create(struct event_base *base, size_t max_idle_connections)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, initialize);
	struct upstream *upstream = xcalloc(1, sizeof(*upstream));
	upstream->base = base;
	LIST_INIT(&upstream->transfers);
	TAILQ_INIT(&upstream->spare.list);
	upstream->multi = curl_multi_init();
	if (upstream->multi == NULL)
		abort();
	curl_multi_setopt(upstream->multi, CURLMOPT_MAXCONNECTS, (long)max_idle_connections);
	curl_multi_setopt(upstream->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	upstream->sockets = xcalloc(UINT16_MAX + 1, sizeof(*upstream->sockets));
	upstream_socket_attach(upstream);
	upstream->max_idle = max_idle_connections;
	TAILQ_INIT(&upstream->idle);
	const char *engine = getenv("RECALLD_UPSTREAM_ENGINE");
	upstream->only_curl = engine != NULL && strcmp(engine, "libcurl") == 0;
	return upstream;
}

void upstream_set_timeout(struct transfer *transfer, uint64_t milliseconds)
{
	if (milliseconds > 0)
		loop_wait(transfer->timeout, (int64_t)milliseconds);
	else
		event_del(transfer->timeout);
}

void upstream_enter(struct upstream *upstream)
{
	upstream->inside = true;
	upstream->dispatch++;
}

void upstream_leave(struct upstream *upstream)
{
	upstream->inside = false;
}

/* Ends of transfers. */

static void transfer_free(struct transfer *transfer)
{
	assert(!transfer->upstream->inside);
	LIST_REMOVE(transfer, siblings);
	transfer->engine->release(transfer);
	event_free(transfer->timeout);
	event_free(transfer->resume);
	buffer_finish(&transfer->head.lines);
	buffer_finish(&transfer->line);
	buffer_finish(&transfer->held);
	arena_finish(&transfer->arena);
	free(transfer);
}

void upstream_finish(struct transfer *transfer, enum upstream_result result, const char *detail)
{
	struct upstream_events events = transfer->events;
	void *cookie = transfer->cookie;
	char *copy = xstrdup(detail);
	transfer_free(transfer);
	events.end(cookie, result, copy);
	free(copy);
}

void upstream_cancel(struct transfer *transfer)
{
	if (transfer != NULL)
		transfer_free(transfer);
}

void upstream_destroy(struct upstream *upstream)
{
	if (upstream == NULL)
		return;
	while (!LIST_EMPTY(&upstream->transfers))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed has left the list */
		transfer_free(LIST_FIRST(&upstream->transfers));
	upstream_plain_drop_idle(upstream);
	while (upstream->spare.count > 0)
		upstream_handle_drop_spare(&upstream->spare);
	curl_multi_cleanup(upstream->multi);
	event_free(upstream->timer);
	free(upstream->sockets);
	free(upstream);
}

bool upstream_is_answered(const struct transfer *transfer)
{
	return transfer->head.whole && transfer->missing == 0;
}

static bool connects_too_long(const struct transfer *transfer, uint64_t now)
{
	return transfer->connect_timeout > 0 &&
	       (now - transfer->connect_began) / 1000 >= transfer->connect_timeout;
}

/* How long to wait for the next thing that has a timeout; 0: it is due. */
static uint64_t still_allowed(const struct transfer *transfer, uint64_t now)
{
	uint64_t still = (now - transfer->moved_at) / 1000;
	uint64_t allowed =
		transfer->head.whole ? transfer->idle_timeout : transfer->first_byte_timeout;
	uint64_t left = still < allowed ? allowed - still : 0;
	if (transfer->connect_timeout > 0) {
		uint64_t connecting = (now - transfer->connect_began) / 1000;
		uint64_t limit = transfer->connect_timeout;
		uint64_t rest = connecting < limit ? limit - connecting : 0;
		left = rest < left ? rest : left;
	}
	return left;
}

static void on_timeout(evutil_socket_t fd, short what, void *cookie)
{
	struct transfer *transfer = cookie;
	uint64_t now = clock_steady();
	uint64_t left = still_allowed(transfer, now);
	(void)fd;
	(void)what;
	if (left > 0)
		upstream_set_timeout(transfer, left);
	else if (upstream_is_answered(transfer))
		upstream_finish(transfer, UPSTREAM_OK, "");
	else if (connects_too_long(transfer, now))
		upstream_finish(transfer,
				transfer->sent ? UPSTREAM_BROKEN : UPSTREAM_CONNECT_TIMEOUT,
				"Connecting to the upstream took too long.");
	else if (transfer->head.whole)
		upstream_finish(transfer, UPSTREAM_IDLE_TIMEOUT, "The upstream stopped sending.");
	else
		upstream_finish(transfer, UPSTREAM_FIRST_BYTE_TIMEOUT,
				"The upstream did not reply in time.");
}

/* What libcurl refuses or reads itself. */
static const char *plain_fault(const struct reply_head *head)
{
	if (!slice_starts_with(buffer_slice(&head->lines), SLICE("HTTP/1.")))
		return "The upstream sent a malformed head.";
	return head->other_coding ? "The upstream used a transfer coding other than chunked."
				  : NULL;
}

bool upstream_deliver_head(struct transfer *transfer)
{
	struct arena arena = {0};
	struct upstream_head head;
	transfer->broken =
		reply_head_read(&transfer->head, transfer->is_head_request, &head, &arena);
	if (transfer->broken == NULL && transfer->engine == &upstream_plain_engine)
		transfer->broken = plain_fault(&transfer->head);
	if (transfer->broken == NULL) {
		transfer->missing = reply_body_size(&head, transfer->is_head_request);
		transfer->stopped = transfer->events.head(transfer->cookie, &head) == UPSTREAM_STOP;
	}
	arena_finish(&arena);
	transfer->moved_at = clock_steady();
	upstream_set_timeout(transfer, transfer->idle_timeout);
	return transfer->broken == NULL && !transfer->stopped;
}

/* Pausing. */

void upstream_resume(struct transfer *transfer)
{
	if (transfer->paused)
		event_active(transfer->resume, EV_TIMEOUT, 0);
}

/* Whole answers. */

enum upstream_next upstream_answer_head(void *cookie, const struct upstream_head *head)
{
	struct upstream_answer *answer = cookie;
	answer->status = head->status;
	return UPSTREAM_GO_ON;
}

enum upstream_next upstream_answer_data(void *cookie, struct slice bytes)
{
	struct upstream_answer *answer = cookie;
	return buffer_append(&answer->body, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
}

bool upstream_answer_full(void *cookie)
{
	(void)cookie;
	return false;
}

/* Starts of transfers. */

/* A safe method changes nothing (RFC 9110, section 9.2.1), and a server recognizes a key. */
static bool is_repeatable(const struct upstream_request *request)
{
	static const struct slice safe[] = {SLICE("GET"), SLICE("HEAD"), SLICE("OPTIONS"),
					    SLICE("TRACE")};
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		if (slice_equal(request->method, safe[i]))
			return true;
	}
	return http_field_value(request->fields, request->field_count, SLICE("Idempotency-Key"))
		       .size > 0;
}

bool upstream_may_send_again(const struct transfer *transfer)
{
	return !transfer->sent_again && (transfer->repeatable || !transfer->sent);
}

struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				const struct upstream_events *events, void *cookie)
{
	struct transfer *transfer = xcalloc(1, sizeof(*transfer));
	assert(!upstream->inside);
	transfer->upstream = upstream;
	transfer->events = *events;
	transfer->cookie = cookie;
	transfer->missing = UINT64_MAX;
	transfer->first_byte_timeout = request->first_byte_timeout;
	transfer->idle_timeout = request->idle_timeout;
	transfer->moved_at = clock_steady();
	buffer_init(&transfer->head.lines, UPSTREAM_MAX_HEAD);
	transfer->repeatable = is_repeatable(request);
	transfer->is_head_request = slice_equal(request->method, SLICE("HEAD"));
	transfer->engine = !upstream->only_curl && upstream_plain_takes(request)
				   ? &upstream_plain_engine
				   : &upstream_curl_engine;
	transfer->timeout = event_new(upstream->base, -1, 0, on_timeout, transfer);
	transfer->resume = event_new(upstream->base, -1, 0, transfer->engine->resume, transfer);
	LIST_INSERT_HEAD(&upstream->transfers, transfer, siblings);
	upstream_set_timeout(transfer, request->first_byte_timeout);
	transfer->engine->start(transfer, request);
	return transfer;
}
