/* The engine for what plain.c does not take: libcurl, with TLS, proxies and names to resolve. */
#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <curl/curl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- handles ---- */

enum {
	MAX_CONNECTION_AGE = 60,
	KEEPALIVE_SECONDS = 60,
	READ_BUFFER = 4 * 1024,
	SPARE_HANDLES = 16, /* idle ones to keep */
};

/* For options that no value can make fail; out of memory ends the process elsewhere. */
#define UPSTREAM_SET(easy, option, value) ((void)curl_easy_setopt((easy), (option), (value)))

/* A curl handle for one route. The route and curl's general options are set once, at creation. The
 * handle serves only transfers on the same route, one after another; start() sets everything that
 * differs between transfers, each time. */
struct curl_handle {
	TAILQ_ENTRY(curl_handle) siblings;
	CURL *easy;
	CURLU *parsed; /* `url`, or NULL */
	/* The route. Each slice ends with a NUL; an absent part is empty. */
	struct slice url; /* the URL up to its path; with a proxy, the whole URL */
	struct slice proxy;
	struct slice local_socket;
	struct slice ca_file;
	struct arena arena; /* owns the strings above */
	char error[CURL_ERROR_SIZE];
};

struct curl_client {
	CURLM *multi;
	struct event *timer; /* curl's own */
	int *sockets;        /* of curl's connections, by their ports here; stale ones are left */
	/* Handles for later transfers, most recently used first: creating one costs a tenth of an
	 * exchange. */
	TAILQ_HEAD(curl_handle_list, curl_handle) spare;
	size_t spare_count;
};

/* A proxy for plain HTTP needs the whole URL; otherwise curl gets the origin. */
static struct slice url_of_route(const struct upstream_request *request)
{
	struct slice url = slice_of(request->url);
	size_t authority = slice_find(url, SLICE("://"), 0) + 3;
	if (slice_of(request->proxy).size > 0 || authority > url.size)
		return url;
	return slice_part(url, 0, authority + strcspn(request->url + authority, "/?#"));
}

static bool leads_to(const struct curl_handle *handle, const struct upstream_request *request,
		     struct slice url)
{
	return slice_equal(handle->url, url) &&
	       slice_equal(handle->proxy, slice_of(request->proxy)) &&
	       slice_equal(handle->local_socket, slice_of(request->local_socket)) &&
	       slice_equal(handle->ca_file, slice_of(request->ca_file));
}

/* Parses the URL once, so that curl does not do it for each transfer. NULL if it is invalid (the
 * transfer then fails) or has a zone, which curl_url_dup() of libcurl 7.88 loses. */
static CURLU *parse_url(const char *url)
{
	char *zone = NULL;
	CURLU *parsed = curl_url();
	if (parsed == NULL)
		abort();
	CURLUcode code =
		curl_url_set(parsed, CURLUPART_URL, url,
			     CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
	if (code == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_NO_ZONEID)
		return parsed;
	curl_free(zone);
	curl_url_cleanup(parsed);
	return NULL;
}

static void set_route(struct curl_handle *handle)
{
	CURL *easy = handle->easy;
	UPSTREAM_SET(easy, CURLOPT_URL, handle->url.data);
	if (handle->parsed != NULL)
		UPSTREAM_SET(easy, CURLOPT_CURLU, handle->parsed);
	UPSTREAM_SET(easy, CURLOPT_PROXY, handle->proxy.data);
	UPSTREAM_SET(easy, CURLOPT_NOPROXY, "");
	if (handle->local_socket.size > 0)
		UPSTREAM_SET(easy, CURLOPT_UNIX_SOCKET_PATH, handle->local_socket.data);
	if (handle->ca_file.size > 0)
		UPSTREAM_SET(easy, CURLOPT_CAINFO, handle->ca_file.data);
}

static void set_manners(struct curl_handle *handle)
{
	CURL *easy = handle->easy;
	UPSTREAM_SET(easy, CURLOPT_ERRORBUFFER, handle->error);
	UPSTREAM_SET(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	UPSTREAM_SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	UPSTREAM_SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* held as long as the stream */
	UPSTREAM_SET(easy, CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
	UPSTREAM_SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	UPSTREAM_SET(easy, CURLOPT_PATH_AS_IS, 1L);
	UPSTREAM_SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	UPSTREAM_SET(easy, CURLOPT_NOSIGNAL, 1L);
	/* do not wait for a name that is being resolved */
	UPSTREAM_SET(easy, CURLOPT_QUICK_EXIT, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_NODELAY, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	UPSTREAM_SET(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
	UPSTREAM_SET(easy, CURLOPT_MAXAGE_CONN, (long)MAX_CONNECTION_AGE);
}

static struct curl_handle *handle_new(const struct upstream_request *request, struct slice url)
{
	struct curl_handle *handle = xcalloc(1, sizeof(*handle));
	struct arena *arena = &handle->arena;
	handle->easy = curl_easy_init();
	if (handle->easy == NULL)
		abort();
	handle->url = slice_of(arena_string(arena, url));
	handle->proxy = slice_of(arena_string(arena, slice_of(request->proxy)));
	handle->local_socket = slice_of(arena_string(arena, slice_of(request->local_socket)));
	handle->ca_file = slice_of(arena_string(arena, slice_of(request->ca_file)));
	handle->parsed = parse_url(handle->url.data);
	set_manners(handle);
	set_route(handle);
	return handle;
}

static void handle_free(struct curl_handle *handle)
{
	curl_easy_cleanup(handle->easy);
	curl_url_cleanup(handle->parsed);
	arena_finish(&handle->arena);
	free(handle);
}

static struct curl_handle *take_handle(struct curl_client *client,
				       const struct upstream_request *request)
{
	struct slice url = url_of_route(request);
	struct curl_handle *handle;
	TAILQ_FOREACH(handle, &client->spare, siblings)
	{
		if (!leads_to(handle, request, url))
			continue;
		TAILQ_REMOVE(&client->spare, handle, siblings);
		client->spare_count--;
		handle->error[0] = '\0';
		return handle;
	}
	return handle_new(request, url);
}

static void drop_handle(struct curl_client *client)
{
	struct curl_handle *oldest = TAILQ_LAST(&client->spare, curl_handle_list);
	TAILQ_REMOVE(&client->spare, oldest, siblings);
	client->spare_count--;
	handle_free(oldest);
}

static void keep_handle(struct curl_client *client, struct curl_handle *handle)
{
	TAILQ_INSERT_HEAD(&client->spare, handle, siblings);
	if (++client->spare_count > SPARE_HANDLES)
		drop_handle(client);
}

static void renew_handle(struct curl_handle *handle)
{
	curl_easy_reset(handle->easy);
	set_manners(handle);
	set_route(handle);
}

/* ---- the request ---- */

static void put_header(struct transfer *transfer, struct curl_slist ***tail, struct slice line)
{
	struct curl_slist *node = arena_alloc(&transfer->arena, sizeof(*node));
	node->data = (char *)(uintptr_t)line.data;
	**tail = node;
	*tail = &node->next;
}

/* The list lives in the arena: curl only reads it. */
static struct curl_slist *make_headers(struct transfer *transfer,
				       const struct upstream_request *request)
{
	/* "Name:" without a value suppresses a field that curl would add */
	static const struct slice unasked[] = {SLICE("Accept:"), SLICE("Content-Type:"),
					       SLICE("User-Agent:"), SLICE("Expect:")};
	struct arena *arena = &transfer->arena;
	struct curl_slist *first = NULL;
	struct curl_slist **tail = &first;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (upstream_writes_itself(request, field->name) || !http_field_is_valid(*field))
			continue;
		/* "Name;" makes curl send an empty value */
		bool is_empty = field->value.size == 0;
		const struct slice parts[] = {field->name, is_empty ? SLICE(";") : SLICE(": "),
					      field->value};
		put_header(transfer, &tail, arena_join(arena, parts, 3));
	}
	for (size_t i = 0; i < sizeof(unasked) / sizeof(unasked[0]); i++) {
		struct slice name = slice_part(unasked[i], 0, unasked[i].size - 1);
		if (http_field_value(request->fields, request->field_count, name).data == NULL ||
		    upstream_writes_itself(request, name))
			put_header(transfer, &tail, unasked[i]);
	}
	return first;
}

/* Sends path and query unchanged: curl's URL parser would refuse or change some. A proxy gets the
 * whole URL. */
static const char *target_of(struct transfer *transfer, const struct upstream_request *request)
{
	if (transfer->handle->proxy.size > 0)
		return NULL;
	const char *target = request->url + transfer->handle->url.size;
	const struct slice rooted[] = {SLICE("/"), slice_of(target)};
	return target[0] == '/' ? target : arena_join(&transfer->arena, rooted, 2).data;
}

static void rewind_body(struct transfer *transfer)
{
	transfer->body.piece = 0;
	transfer->body.offset = 0;
}

/* Fills curl's buffer from the body. curl asks again once it has sent the previous bytes. */
static size_t on_read(char *room, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	size_t filled = 0;
	(void)unit;
	transfer->moved_at = clock_steady();
	while (filled < size && transfer->body.piece < transfer->body.count) {
		struct slice piece = transfer->body.pieces[transfer->body.piece];
		struct slice left = slice_part(piece, transfer->body.offset, piece.size);
		size_t part = left.size < size - filled ? left.size : size - filled;
		if (part > 0)
			memcpy(room + filled, left.data, part);
		filled += part;
		transfer->body.offset += part;
		if (transfer->body.offset == piece.size) {
			transfer->body.piece++;
			transfer->body.offset = 0;
		}
	}
	return filled;
}

/* curl resends the body on a new connection. */
static int on_seek(void *cookie, curl_off_t offset, int origin)
{
	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	rewind_body(cookie);
	return CURL_SEEKFUNC_OK;
}

/* Returns the body's size. */
static uint64_t apply_body(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	const char *whole = "";
	uint64_t size = 0;
	for (size_t i = 0; i < request->body_count; i++)
		size += request->body[i].size;
	/* curl sends the body in one piece with the head; it reads any other body piecewise */
	bool is_read = request->body_count > 1 || size > UPSTREAM_WITH_HEAD;
	if (is_read)
		upstream_keep_pieces(transfer, request);
	else if (size > 0)
		whole = request->body[0].data;
	UPSTREAM_SET(easy, CURLOPT_POSTFIELDS, is_read ? NULL : whole);
	UPSTREAM_SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	UPSTREAM_SET(easy, CURLOPT_READFUNCTION, on_read);
	UPSTREAM_SET(easy, CURLOPT_READDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_SEEKFUNCTION, on_seek);
	UPSTREAM_SET(easy, CURLOPT_SEEKDATA, transfer);
	return size;
}

static void apply_method(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	bool has_body = request->has_body && !transfer->is_head_request;
	/* First the body, which makes it a POST; each of these three options resets the other
	 * two. */
	uint64_t size = apply_body(transfer, request);
	if (transfer->is_head_request)
		UPSTREAM_SET(easy, CURLOPT_NOBODY, 1L);
	else if (request->has_body)
		UPSTREAM_SET(easy, CURLOPT_POST, 1L);
	else
		UPSTREAM_SET(easy, CURLOPT_HTTPGET, 1L);
	UPSTREAM_SET(easy, CURLOPT_CUSTOMREQUEST,
		     transfer->is_head_request ? NULL
					       : arena_string(&transfer->arena, request->method));
	/* A server that ignores a body runs it as the connection's next request; nobody may get
	 * that reply. */
	bool is_last = has_body && size > 0 && !upstream_always_has_body(request->method);
	UPSTREAM_SET(easy, CURLOPT_FORBID_REUSE, (long)is_last);
}

static long milliseconds(uint64_t value)
{
	return value > INT32_MAX ? INT32_MAX : (long)value;
}

static void apply_request(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	apply_method(transfer, request);
	UPSTREAM_SET(easy, CURLOPT_REQUEST_TARGET, target_of(transfer, request));
	UPSTREAM_SET(easy, CURLOPT_HTTPHEADER, make_headers(transfer, request));
	UPSTREAM_SET(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	UPSTREAM_SET(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));
}

/* ---- the reply, and the end ---- */

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
	const int fd = own_port > 0 ? upstream->curl->sockets[own_port] : -1;
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
			transfer->upstream->curl->sockets[own_port] = transfer->socket;
		return transfer->wants_fresh ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
	}
	bool may = may_retry(transfer);
	transfer->wants_fresh = may && opened == 0;
	transfer->sent_again = true;
	return may && opened > 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void send_on_fresh(struct transfer *transfer)
{
	CURLM *multi = transfer->upstream->curl->multi;
	transfer->wants_fresh = false;
	transfer->began = false; /* curl never resends on a fresh connection */
	curl_multi_remove_handle(multi, transfer->handle->easy);
	rewind_body(transfer);
	curl_easy_setopt(transfer->handle->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_multi_add_handle(multi, transfer->handle->easy);
}

static void collect(struct upstream *upstream)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(upstream->curl->multi, &left)) != NULL) {
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
	collect(upstream);
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

/* ---- the loop ---- */

/* Lets curl work, then collects the transfers that ended. */
static void work(struct upstream *upstream, curl_socket_t socket, int what)
{
	int running;
	upstream_enter(upstream);
	curl_multi_socket_action(upstream->curl->multi, socket, what, &running);
	upstream_leave(upstream);
	collect(upstream);
}

static void on_socket(evutil_socket_t fd, short what, void *cookie)
{
	int action = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		     ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	work(cookie, fd, action);
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	work(cookie, CURL_SOCKET_TIMEOUT, 0);
}

/* curl says which events it needs on a socket; `assigned` is the socket's event. */
static int want_socket(CURL *easy, curl_socket_t socket, int what, void *cookie, void *assigned)
{
	struct upstream *upstream = cookie;
	struct event *event = assigned;
	struct transfer *transfer = NULL;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	if (transfer != NULL && what != CURL_POLL_REMOVE)
		transfer->socket = socket; /* of two that it tried, the one that it goes on with */
	if (event != NULL)
		event_free(event);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(upstream->curl->multi, socket, NULL);
		return 0;
	}
	short wanted = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
			       ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);
	event = event_new(upstream->base, socket, wanted, on_socket, upstream);
	event_add(event, NULL);
	curl_multi_assign(upstream->curl->multi, socket, event);
	return 0;
}

/* curl must not be called back from here: even "at once" waits for the loop. */
static int want_timer(CURLM *multi, long milliseconds, void *cookie)
{
	struct upstream *upstream = cookie;
	(void)multi;
	if (milliseconds < 0)
		event_del(upstream->curl->timer);
	else if (milliseconds == 0)
		event_active(upstream->curl->timer, EV_TIMEOUT, 0);
	else
		loop_wait(upstream->curl->timer, milliseconds);
	return 0;
}

/* ---- the engine ---- */

static void start(struct transfer *transfer, const struct upstream_request *request)
{
	struct upstream *upstream = transfer->upstream;
	transfer->handle = take_handle(upstream->curl, request);
	apply_request(transfer, request);
	apply_events(transfer);
	curl_multi_add_handle(upstream->curl->multi, transfer->handle->easy);
}

static void release(struct transfer *transfer)
{
	curl_multi_remove_handle(transfer->upstream->curl->multi, transfer->handle->easy);
	if (!transfer->went_well)
		renew_handle(transfer->handle);
	keep_handle(transfer->upstream->curl, transfer->handle);
}

const struct upstream_engine upstream_curl_engine = {start, release, on_resume};

struct curl_client *upstream_curl_create(struct upstream *upstream)
{
	struct curl_client *client = xcalloc(1, sizeof(*client));
	client->multi = curl_multi_init();
	if (client->multi == NULL)
		abort();
	client->timer = event_new(upstream->base, -1, 0, on_timer, upstream);
	client->sockets = xcalloc(UINT16_MAX + 1, sizeof(*client->sockets));
	TAILQ_INIT(&client->spare);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)upstream->max_idle);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, upstream);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, upstream);
	return client;
}

void upstream_curl_destroy(struct curl_client *client)
{
	while (client->spare_count > 0)
		drop_handle(client);
	curl_multi_cleanup(client->multi);
	event_free(client->timer);
	free(client->sockets);
	free(client);
}
