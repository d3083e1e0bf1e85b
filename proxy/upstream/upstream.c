#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <assert.h>
#include <curl/curl.h>
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
	upstream->max_idle = max_idle_connections;
	TAILQ_INIT(&upstream->idle);
	upstream->curl = upstream_curl_create(upstream);
	const char *engine = getenv("RECALLD_UPSTREAM_ENGINE");
	upstream->only_curl = engine != NULL && strcmp(engine, "libcurl") == 0;
	return upstream;
}

void upstream_destroy(struct upstream *upstream)
{
	if (upstream == NULL)
		return;
	while (!LIST_EMPTY(&upstream->transfers))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed has left the list */
		upstream_cancel(LIST_FIRST(&upstream->transfers));
	upstream_plain_drop_idle(upstream);
	upstream_curl_destroy(upstream->curl);
	free(upstream);
}

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
	transfer->timeout = event_new(upstream->base, -1, 0, upstream_on_timeout, transfer);
	transfer->resume = event_new(upstream->base, -1, 0, transfer->engine->resume, transfer);
	LIST_INSERT_HEAD(&upstream->transfers, transfer, siblings);
	upstream_set_timeout(transfer, request->first_byte_timeout);
	transfer->engine->start(transfer, request);
	return transfer;
}
