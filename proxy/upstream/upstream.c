#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <assert.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
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
	upstream_socket_attach(upstream);
	return upstream;
}

static void set_timeout(struct transfer *transfer, uint64_t milliseconds)
{
	struct timeval time = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000),
	};
	if (milliseconds > 0)
		event_add(transfer->timeout, &time);
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
	curl_multi_remove_handle(transfer->upstream->multi, transfer->handle->easy);
	if (!transfer->went_well)
		upstream_handle_renew(transfer->handle);
	upstream_handle_keep(&transfer->upstream->spare, transfer->handle);
	event_free(transfer->timeout);
	event_free(transfer->resume);
	buffer_finish(&transfer->head.lines);
	arena_finish(&transfer->arena);
	free(transfer);
}

/* `end` may start, cancel and free anything: the transfer no longer exists then. */
static void finish(struct transfer *transfer, enum upstream_result result, const char *detail)
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
	while (upstream->spare.count > 0)
		upstream_handle_drop_spare(&upstream->spare);
	curl_multi_cleanup(upstream->multi);
	event_free(upstream->timer);
	free(upstream);
}

/* The whole reply has arrived while the request may still be on its way: an upstream that has
 * answered may stop reading and close. */
static bool is_answered(const struct transfer *transfer)
{
	return transfer->head.whole && transfer->missing == 0;
}

/* Whether any part of the request may have left, on this connection or on one that died. */
static bool was_sent(const struct transfer *transfer)
{
	return transfer->sent || transfer->sent_again;
}

static enum upstream_result result_of(const struct transfer *transfer, CURLcode code)
{
	if (transfer->stopped)
		return UPSTREAM_STOPPED;
	if (is_answered(transfer))
		return UPSTREAM_OK;
	if (!was_sent(transfer))
		return code == CURLE_OPERATION_TIMEDOUT ? UPSTREAM_CONNECT_TIMEOUT
							: UPSTREAM_UNREACHABLE;
	return code == CURLE_OK && transfer->head.whole ? UPSTREAM_OK : UPSTREAM_BROKEN;
}

/* Our own words for outcomes that curl does not treat as errors or names differently. */
static const char *describe(const struct transfer *transfer, CURLcode code)
{
	if (code == CURLE_OK)
		return "The upstream closed the connection inside its reply's head.";
	if (code == CURLE_OUT_OF_MEMORY && transfer->sent)
		return "The upstream sent a head that is too long.";
	if (code == CURLE_COULDNT_CONNECT && transfer->handle->local_socket.size > 0) {
		long cause = 0;
		curl_easy_getinfo(transfer->handle->easy, CURLINFO_OS_ERRNO, &cause);
		return strerror((int)cause);
	}
	return transfer->handle->error[0] != '\0' ? transfer->handle->error
						  : curl_easy_strerror(code);
}

/* Which key to set, where curl's words do not say; NULL: none. */
static const char *advice_on(const struct transfer *transfer, CURLcode code)
{
	long verified = X509_V_OK;
	if (code == CURLE_SSL_CONNECT_ERROR &&
	    strstr(transfer->handle->error, "wrong version number") != NULL)
		return "the server does not speak TLS: should its base URL begin with http://?";
	if (code != CURLE_PEER_FAILED_VERIFICATION)
		return NULL;
	curl_easy_getinfo(transfer->handle->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	switch (verified) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "name the authority that signed it in [upstream] ca_file";
	default:
		return NULL;
	}
}

static void finish_with_code(struct transfer *transfer, CURLcode code)
{
	enum upstream_result result = result_of(transfer, code);
	const char *detail = transfer->broken;
	const char *advice = advice_on(transfer, code);
	char both[CURL_ERROR_SIZE + 100];
	if (result == UPSTREAM_OK || result == UPSTREAM_STOPPED)
		detail = "";
	else if (detail == NULL)
		detail = describe(transfer, code);
	if (advice != NULL && detail[0] != '\0') {
		(void)snprintf(both, sizeof(both), "%s; %s", detail, advice);
		detail = both;
	}
	transfer->went_well = code == CURLE_OK && result == UPSTREAM_OK && !transfer->sent_again;
	finish(transfer, result, detail);
}

/* curl retries a request whose reused connection died, up to five times and possibly on another
 * dead connection. This allows the first retry only, on a new connection. */
static int before_sending(void *cookie, char *peer, char *own, int peer_port, int own_port)
{
	struct transfer *transfer = cookie;
	long opened = 0;
	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	curl_easy_getinfo(transfer->handle->easy, CURLINFO_NUM_CONNECTS, &opened);
	transfer->wants_fresh = transfer->sent && opened == 0;
	transfer->sent_again = transfer->sent_again || transfer->sent;
	transfer->sent = true;
	return transfer->wants_fresh ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void send_on_fresh(struct transfer *transfer)
{
	CURLM *multi = transfer->upstream->multi;
	transfer->wants_fresh = false;
	transfer->sent = false; /* curl never resends on a fresh connection */
	curl_multi_remove_handle(multi, transfer->handle->easy);
	upstream_request_rewind(transfer);
	curl_easy_setopt(transfer->handle->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_multi_add_handle(multi, transfer->handle->easy);
}

void upstream_collect(struct upstream *upstream)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(upstream->multi, &left)) != NULL) {
		struct transfer *transfer = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		if (transfer->wants_fresh)
			send_on_fresh(transfer);
		else
			finish_with_code(transfer, message->data.result);
	}
}

static void on_timeout(evutil_socket_t fd, short what, void *cookie)
{
	struct transfer *transfer = cookie;
	uint64_t still = (clock_steady() - transfer->moved_at) / 1000;
	uint64_t allowed =
		transfer->head.whole ? transfer->idle_timeout : transfer->first_byte_timeout;
	(void)fd;
	(void)what;
	if (still < allowed)
		set_timeout(transfer, allowed - still);
	else if (is_answered(transfer))
		finish(transfer, UPSTREAM_OK, "");
	else if (transfer->head.whole)
		finish(transfer, UPSTREAM_IDLE_TIMEOUT, "The upstream stopped sending.");
	else
		finish(transfer, UPSTREAM_FIRST_BYTE_TIMEOUT,
		       "The upstream did not reply in time.");
}

/* curl's callbacks. Returning less than `size` ends the transfer. */

static bool deliver_head(struct transfer *transfer)
{
	struct arena arena = {0};
	struct upstream_head head;
	transfer->broken =
		reply_head_read(&transfer->head, transfer->is_head_request, &head, &arena);
	if (transfer->broken == NULL) {
		transfer->missing = reply_body_size(&head, transfer->is_head_request);
		transfer->stopped = transfer->events.head(transfer->cookie, &head) == UPSTREAM_STOP;
	}
	arena_finish(&arena);
	transfer->moved_at = clock_steady();
	set_timeout(transfer, transfer->idle_timeout);
	return transfer->broken == NULL && !transfer->stopped;
}

static size_t on_header(char *bytes, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	(void)unit;
	int taken = reply_head_take(&transfer->head, (struct slice){bytes, size});
	if (taken < 0)
		transfer->broken = "The upstream sent a malformed head.";
	if (taken < 0 || (taken > 0 && !deliver_head(transfer)))
		return 0;
	return size;
}

/* curl keeps reading while there is input. After this many bytes of one reply the loop gets a turn.
 * A timer ends the pause, because event_active() would fire before the loop's other events. */
static bool has_had_its_turn(struct transfer *transfer, size_t size)
{
	static const struct timeval at_once = {0};
	enum { ONE_TURN = 64 * 1024 };
	if (transfer->dispatch != transfer->upstream->dispatch)
		transfer->taken = 0;
	transfer->dispatch = transfer->upstream->dispatch;
	transfer->taken += size;
	if (transfer->taken <= ONE_TURN || transfer->taken == size)
		return false;
	event_add(transfer->resume, &at_once);
	return true;
}

static size_t on_data(char *bytes, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	(void)unit;
	if (size == 0)
		return 0;
	if (transfer->events.full(transfer->cookie)) {
		transfer->paused = true;
		event_del(transfer->timeout);
		return CURL_WRITEFUNC_PAUSE;
	}
	if (has_had_its_turn(transfer, size))
		return CURL_WRITEFUNC_PAUSE;
	transfer->moved_at = clock_steady();
	if (transfer->missing != UINT64_MAX)
		transfer->missing -= size; /* curl delivers nothing beyond the length */
	struct slice data = {bytes, size};
	transfer->stopped = transfer->events.data(transfer->cookie, data) == UPSTREAM_STOP;
	return transfer->stopped ? 0 : size;
}

/* Pausing. */

/* curl_easy_pause() delivers what curl held back, and that may pause again or end the transfer;
 * curl posts no message for such an end. */
static void on_resume(evutil_socket_t fd, short what, void *cookie)
{
	struct transfer *transfer = cookie;
	struct upstream *upstream = transfer->upstream;
	(void)fd;
	(void)what;
	transfer->paused = false;
	set_timeout(transfer, transfer->idle_timeout);
	upstream_enter(upstream);
	CURLcode code = curl_easy_pause(transfer->handle->easy, CURLPAUSE_CONT);
	upstream_leave(upstream);
	if (code != CURLE_OK)
		finish_with_code(transfer, code);
	upstream_collect(upstream);
}

void upstream_resume(struct transfer *transfer)
{
	if (transfer->paused)
		event_active(transfer->resume, EV_TIMEOUT, 0);
}

/* Starts of transfers. */

static void apply_events(struct transfer *transfer)
{
	CURL *easy = transfer->handle->easy;
	UPSTREAM_SET(easy, CURLOPT_PRIVATE, transfer);
	UPSTREAM_SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	UPSTREAM_SET(easy, CURLOPT_HEADERDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_PREREQFUNCTION, before_sending);
	UPSTREAM_SET(easy, CURLOPT_PREREQDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_WRITEFUNCTION, on_data);
	UPSTREAM_SET(easy, CURLOPT_WRITEDATA, transfer);
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
	transfer->timeout = event_new(upstream->base, -1, 0, on_timeout, transfer);
	transfer->resume = event_new(upstream->base, -1, 0, on_resume, transfer);
	transfer->handle = upstream_handle_take(&upstream->spare, request);
	LIST_INSERT_HEAD(&upstream->transfers, transfer, siblings);
	upstream_request_apply(transfer, request);
	apply_events(transfer);
	set_timeout(transfer, request->first_byte_timeout);
	curl_multi_add_handle(upstream->multi, transfer->handle->easy);
	return transfer;
}
