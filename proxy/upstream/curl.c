/* The engine for what plain.c does not take: libcurl, with TLS, proxies and names to resolve. */
#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <assert.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Bytes of heads and of what left with them, a proxy's CONNECT included. */
static long written_by(const struct transfer *transfer)
{
	long written = 0;
	curl_easy_getinfo(transfer->handle->easy, CURLINFO_REQUEST_SIZE, &written);
	return written;
}

/* Notes whether any of the request has left, on this connection or on one that died. */
static void note_sent(struct transfer *transfer)
{
	transfer->sent |= transfer->began && written_by(transfer) > transfer->written_before;
}

static enum upstream_result result_of(const struct transfer *transfer, CURLcode code)
{
	if (transfer->stopped)
		return UPSTREAM_STOPPED;
	if (upstream_is_answered(transfer))
		return UPSTREAM_OK;
	if (!transfer->sent)
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
	note_sent(transfer);
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
	upstream_finish(transfer, result, detail);
}

/* curl retries a request whose reused connection died, up to five times, whatever its method, and
 * possibly on another dead connection. These two stop it: before it opens another connection for
 * what may not be sent again, and before it writes anything. One retry is allowed, on a new
 * connection. */

static bool may_retry(struct transfer *transfer)
{
	note_sent(transfer);
	bool may = upstream_may_send_again(transfer);
	if (!may)
		transfer->broken = "The upstream closed the connection before its reply.";
	return may;
}

static int before_connecting(void *cookie, curl_socket_t socket, curlsocktype purpose)
{
	struct transfer *transfer = cookie;
	(void)purpose;
	transfer->socket = socket;
	bool may = !transfer->began || may_retry(transfer);
	return may ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

/* Whether something waits to be read on curl's kept connection from this port, which is all that
 * curl tells of it. */
static bool has_unasked(const struct upstream *upstream, int own_port)
{
	struct sockaddr_in6 address = {0}; /* the port is where IPv4 has it */
	socklen_t size = sizeof(address);
	const int fd = own_port > 0 ? upstream->sockets[own_port] : -1;
	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       ntohs(address.sin6_port) == own_port && !upstream_is_quiet(fd);
}

static int before_sending(void *cookie, char *peer, char *own, int peer_port, int own_port)
{
	struct transfer *transfer = cookie;
	long opened = 0;
	(void)peer;
	(void)own;
	(void)peer_port;
	curl_easy_getinfo(transfer->handle->easy, CURLINFO_NUM_CONNECTS, &opened);
	if (!transfer->began) {
		transfer->began = true;
		transfer->written_before = written_by(transfer);
		transfer->wants_fresh = opened == 0 && has_unasked(transfer->upstream, own_port);
		if (opened > 0 && own_port > 0)
			transfer->upstream->sockets[own_port] = transfer->socket;
		return transfer->wants_fresh ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
	}
	bool may = may_retry(transfer);
	transfer->wants_fresh = may && opened == 0;
	transfer->sent_again = true;
	return may && opened > 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void send_on_fresh(struct transfer *transfer)
{
	CURLM *multi = transfer->upstream->multi;
	transfer->wants_fresh = false;
	transfer->began = false; /* curl never resends on a fresh connection */
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

/* curl's callbacks. Returning less than `size` ends the transfer. */

static size_t on_header(char *bytes, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	(void)unit;
	int taken = reply_head_take(&transfer->head, (struct slice){bytes, size});
	if (taken < 0)
		transfer->broken = "The upstream sent a malformed head.";
	if (taken < 0 || (taken > 0 && !upstream_deliver_head(transfer)))
		return 0;
	if (taken > 0 && !transfer->head.persists)
		UPSTREAM_SET(transfer->handle->easy, CURLOPT_FORBID_REUSE, 1L);
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
	upstream_set_timeout(transfer, transfer->idle_timeout);
	upstream_enter(upstream);
	CURLcode code = curl_easy_pause(transfer->handle->easy, CURLPAUSE_CONT);
	upstream_leave(upstream);
	if (code != CURLE_OK)
		finish_with_code(transfer, code);
	upstream_collect(upstream);
}

static void apply_events(struct transfer *transfer)
{
	CURL *easy = transfer->handle->easy;
	UPSTREAM_SET(easy, CURLOPT_PRIVATE, transfer);
	UPSTREAM_SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	UPSTREAM_SET(easy, CURLOPT_HEADERDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_SOCKOPTFUNCTION, before_connecting);
	UPSTREAM_SET(easy, CURLOPT_SOCKOPTDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_PREREQFUNCTION, before_sending);
	UPSTREAM_SET(easy, CURLOPT_PREREQDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_WRITEFUNCTION, on_data);
	UPSTREAM_SET(easy, CURLOPT_WRITEDATA, transfer);
}

static void start(struct transfer *transfer, const struct upstream_request *request)
{
	struct upstream *upstream = transfer->upstream;
	transfer->handle = upstream_handle_take(&upstream->spare, request);
	upstream_request_apply(transfer, request);
	apply_events(transfer);
	curl_multi_add_handle(upstream->multi, transfer->handle->easy);
}

static void release(struct transfer *transfer)
{
	curl_multi_remove_handle(transfer->upstream->multi, transfer->handle->easy);
	if (!transfer->went_well)
		upstream_handle_renew(transfer->handle);
	upstream_handle_keep(&transfer->upstream->spare, transfer->handle);
}

const struct upstream_engine upstream_curl_engine = {start, release, on_resume};
