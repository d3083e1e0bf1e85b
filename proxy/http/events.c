/* The events of a connection: parses what arrives, sends what is pending, and goes on as the state
 * requires. */
#include "proxy/http/connection.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	LINGER_BYTES = 128 * 1024 * 1024,
	BELIEVED = 8, /* so many times a body's received bytes may be allocated in advance */
	BODY_BYTES_PER_SECOND = 64 * 1024,
};

static struct http_request *request_create(struct http_connection *connection)
{
	struct http_request *request = xcalloc(1, sizeof(*request));
	request->connection = connection;
	uint64_t limit = connection->server->options.max_body;
	buffer_init(&request->body, limit < SIZE_MAX ? (size_t)limit : SIZE_MAX);
	connection->request = request;
	return request;
}

static const char *refusal_code(const struct http_connection *connection, int status)
{
	switch (status) {
	case 408:
		return "request_timeout";
	case 413:
		return "request_too_large";
	case 426:
		return "upgrade_required";
	case 431:
		return "request_head_too_large";
	case 501:
		return "not_implemented";
	case 503:
		return connection->surplus ? "too_many_connections" : "too_many_bytes";
	default:
		return "bad_request";
	}
}

static enum metric_counter refusal_counter(const struct http_connection *connection, int status)
{
	if (status != 503)
		return METRIC_ERRORS_CLIENT;
	return connection->surplus ? METRIC_ERRORS_CONNECTIONS : METRIC_ERRORS_BYTES;
}

/* Logs a refusal that never becomes an exchange and that nothing else would report. */
static void log_refusal(struct http_request *request, const struct http_refusal *refusal)
{
	if (!log_wants(LOG_LEVEL_INFO))
		return;
	const struct log_field fields[] = {
		{"status", arena_number(&request->arena, (uint64_t)refusal->status), true},
		{"client", slice_of(http_request_peer(request)), false},
		{"reason", slice_of(refusal->reason), false},
		{NULL, {0}, false},
	};
	log_event(LOG_LEVEL_INFO, "refused", fields);
}

/* Fills in the field that the status requires. Returns the number of fields. */
static size_t refusal_field(int status, struct http_field *field)
{
	if (status == 503)
		*field = (struct http_field){SLICE("Retry-After"), SLICE("1")};
	else if (status == 426) /* RFC 9110, section 15.5.22 */
		*field = (struct http_field){SLICE("Upgrade"), SLICE("HTTP/1.1")};
	else
		return 0;
	return 1;
}

static struct slice input_left(const struct http_connection *connection)
{
	return slice_part(buffer_slice(&connection->input), connection->taken,
			  connection->input.size);
}

/* Guesses the method and the target of a head that was not read. */
static void guess_request_line(const struct http_connection *connection,
			       struct http_request *request)
{
	const struct slice input = input_left(connection);
	const struct slice line = slice_part(input, 0, slice_find(input, SLICE("\r"), 0));
	const size_t behind = slice_find(line, SLICE(" "), 0);
	if (behind == line.size)
		return;
	const struct slice rest = slice_part(line, behind + 1, line.size);
	const size_t end = slice_find(rest, SLICE(" "), 0);
	request->head.method = arena_copy(&request->arena, slice_part(line, 0, behind));
	request->head.target = arena_copy(&request->arena, slice_part(rest, 0, end));
}

/* Answers the request with this refusal, then closes. Always returns false. */
static bool refuse(struct http_connection *connection, struct http_refusal refusal)
{
	struct http_field field;
	size_t field_count = refusal_field(refusal.status, &field);
	struct http_request *request = connection->request;
	if (request == NULL)
		request = request_create(connection);
	request->head.keep_alive = false;
	if (request->head.method.size == 0)
		guess_request_line(connection, request);
	metrics_count(refusal_counter(connection, refusal.status), 1);
	log_refusal(request, &refusal);
	http_connection_change(connection, CONNECTION_REPLYING);
	http_reply_error(request, refusal.status, refusal_code(connection, refusal.status),
			 slice_of(refusal.reason), &field, field_count);
	return false;
}

/* A client that does not read its replies gets no further requests handled. */
static bool begin_request(struct http_connection *connection)
{
	if (input_left(connection).size == 0 ||
	    evbuffer_get_length(connection->output) > HTTP_OUTPUT_LOW)
		return false;
	http_connection_change(connection, CONNECTION_HEAD);
	return true;
}

static struct http_refusal refuse_upgrade(const struct http_connection *connection)
{
	const struct http_server_options *options = &connection->server->options;
	bool goes_on = options->goes_on_with_http != NULL &&
		       options->goes_on_with_http(&connection->request->head);
	return (struct http_refusal){goes_on ? 426 : 501,
				     "This server does not switch to another protocol."};
}

/* Checks the request by its head alone. */
static bool admit(const struct http_connection *connection, struct http_refusal *refusal)
{
	const struct http_head *head = &connection->request->head;
	if (connection->surplus)
		*refusal = (struct http_refusal){503, "Too many connections are open."};
	else if (head->upgrade)
		*refusal = refuse_upgrade(connection);
	else if (head->length > connection->server->options.max_body)
		*refusal = (struct http_refusal){
			413, "The request's body is larger than [listen] max_body allows."};
	return refusal->status == 0;
}

static const struct http_refusal too_many_bytes = {
	503, "Too many bytes are in flight; try again in a moment."};

/* Whether there is room for the announced body. The room is not reserved: a client that only
 * announces a body takes nothing from those that send. */
static bool has_room(const struct http_connection *connection, struct http_refusal *refusal)
{
	uint64_t length = connection->request->head.length;
	if (length == 0 || http_connection_fits(connection, length))
		return true;
	*refusal = too_many_bytes;
	return false;
}

static bool read_head(struct http_connection *connection)
{
	struct http_refusal refusal = {0};
	struct slice left = input_left(connection);
	size_t end = http_head_end(left, &connection->scanned, &refusal);
	if (refusal.status != 0)
		return refuse(connection, refusal);
	if (end == 0)
		return false;
	struct http_request *request = request_create(connection);
	struct slice bytes = arena_copy(&request->arena, slice_part(left, 0, end));
	connection->taken += end;
	if (!http_head_parse(bytes, &request->head, &refusal, &request->arena) ||
	    !admit(connection, &refusal) || !has_room(connection, &refusal))
		return refuse(connection, refusal);
	http_connection_change(connection, CONNECTION_BODY);
	/* a client that has sent part of the body does not wait for 100 Continue */
	bool has_body = request->head.chunked || request->head.length > 0;
	if (request->head.expect_continue && has_body && left.size == end) {
		evbuffer_add(connection->output, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		http_connection_wake(connection);
	}
	return true;
}

/* Believing the announced length avoids copies while the body grows. It is believed only up to a
 * few times what has arrived, since anybody can announce anything. */
static void make_room(struct http_request *request, size_t more)
{
	struct buffer *body = &request->body;
	uint64_t believed = (uint64_t)BELIEVED * (body->size + more);
	if (body->size + more <= body->capacity)
		return;
	if (believed > request->head.length)
		believed = request->head.length;
	(void)buffer_reserve(body, (size_t)believed - body->size);
}

static bool take_plain(struct http_connection *connection, struct slice left)
{
	struct http_request *request = connection->request;
	uint64_t wanted = request->head.length - request->body.size;
	size_t size = left.size < wanted ? left.size : (size_t)wanted;
	make_room(request, size);
	buffer_append(&request->body, slice_part(left, 0, size));
	connection->taken += size;
	return request->body.size == request->head.length;
}

static bool read_body(struct http_connection *connection)
{
	struct http_request *request = connection->request;
	struct http_refusal refusal = {0};
	struct slice left = input_left(connection);
	bool whole;
	if (request->head.chunked) {
		connection->taken +=
			http_chunks_read(&request->chunks, left, &request->body, &refusal);
		if (refusal.status != 0)
			return refuse(connection, refusal);
		whole = request->chunks.finished;
	} else {
		whole = take_plain(connection, left);
	}
	/* A request without a body takes no room: probes are answered however much is in flight. */
	if (!http_connection_count(connection) && request->body.size > 0)
		return refuse(connection, too_many_bytes);
	if (whole) {
		http_connection_change(connection, CONNECTION_REPLYING);
		connection->server->handler(connection->server->cookie, request);
	}
	return false;
}

/* Moves the unparsed bytes to the start of the input. */
static void compact_input(struct http_connection *connection)
{
	struct buffer *input = &connection->input;
	if (connection->taken == input->size) {
		http_connection_drop_input(connection);
	} else if (connection->taken > 0) {
		input->size -= connection->taken;
		memmove(input->data, input->data + connection->taken, input->size);
		connection->taken = 0;
	}
}

/* Reads while there is room. Otherwise the client's bytes wait in the socket. */
static void update_reading(struct http_connection *connection)
{
	bool wanted = connection->state != CONNECTION_CLOSED && !connection->ended &&
		      connection->input.size < HTTP_INPUT_LIMIT;
	if (wanted && !connection->reading)
		event_add(connection->readable, NULL);
	else if (!wanted && connection->reading)
		event_del(connection->readable);
	connection->reading = wanted;
	if (wanted && connection->tls != NULL && tls_pending(connection->tls))
		event_active(connection->readable, EV_READ, 0);
}

/* Parses the available input, up to the end of one request, and hands that request to the
 * handler. */
static void advance(struct http_connection *connection)
{
	bool more = true;
	while (more) {
		switch (connection->state) {
		case CONNECTION_WAITING:
			more = begin_request(connection);
			break;
		case CONNECTION_HEAD:
			more = read_head(connection);
			break;
		case CONNECTION_BODY:
			more = read_body(connection);
			break;
		default:
			more = false;
		}
	}
	compact_input(connection);
	update_reading(connection);
}

/* ---- sending ---- */

/* Shuts down sending and waits for the client to close first: closing a socket with unread bytes
 * resets the connection, and the client may lose what was just sent. */
static void linger(struct http_connection *connection)
{
	if (connection->tls != NULL && !connection->cut_off && !tls_end(connection->tls)) {
		http_connection_await_writable(connection, true);
		return;
	}
	if (connection->ended || shutdown(connection->fd, SHUT_WR) < 0) {
		http_connection_lost(connection);
		return;
	}
	http_connection_change(connection, CONNECTION_LINGERING);
	update_reading(connection);
}

/* Sends pending output; once it is sent, proceeds as the state requires. */
static void flush(struct http_connection *connection)
{
	if (!http_connection_send(connection)) {
		http_connection_lost(connection);
		return;
	}
	http_connection_await_writable(connection, evbuffer_get_length(connection->output) > 0);
	size_t left = evbuffer_get_length(connection->output);
	if (connection->throttled && left <= HTTP_OUTPUT_LOW) {
		struct http_request *request = connection->request;
		connection->throttled = false;
		if (request->events.drained != NULL)
			request->events.drained(request->cookie);
	} else if (connection->state == CONNECTION_CLOSING && left == 0) {
		linger(connection);
	} else if (connection->state == CONNECTION_WAITING) {
		advance(connection);
	}
}

/* ---- what happens to it ---- */

/* Continues the TLS handshake, then whatever follows it. */
static void handshake(struct http_connection *connection)
{
	static const struct http_refusal plain = {
		400, "This address speaks HTTPS: begin the base URL with https://."};
	enum tls_progress progress = tls_handshake(connection->tls);
	http_connection_await_writable(connection, progress == TLS_WANTS_WRITE);
	if (progress == TLS_FAILED || progress == TLS_PLAIN_HTTP)
		metrics_count(METRIC_ERRORS_TLS, 1);
	switch (progress) {
	case TLS_DONE:
		http_connection_change(connection, CONNECTION_WAITING);
		update_reading(connection);
		break;
	case TLS_PLAIN_HTTP:
		http_connection_drop_tls(connection);
		refuse(connection, plain);
		break;
	case TLS_FAILED:
		http_connection_close(connection);
		break;
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE:
		break;
	}
}

static void drop(struct http_connection *connection, size_t size)
{
	connection->dropped += size;
	if (connection->dropped > LINGER_BYTES)
		http_connection_lost(connection);
}

/* The client has closed or half-closed. It counts as gone during a reply; a finished reply is still
 * sent. */
static void client_ended(struct http_connection *connection)
{
	bool pending = evbuffer_get_length(connection->output) > 0;
	connection->ended = true;
	if (connection->state == CONNECTION_WAITING && pending)
		http_connection_close(connection);
	if (connection->state == CONNECTION_CLOSING)
		update_reading(connection);
	else
		http_connection_lost(connection);
}

void http_connection_ready(evutil_socket_t fd, short what, void *cookie)
{
	struct http_connection *connection = cookie;
	bool dropping = connection->state >= CONNECTION_CLOSING;
	size_t room = HTTP_INPUT_LIMIT - connection->input.size;
	(void)fd;
	(void)what;
	if (connection->state == CONNECTION_HANDSHAKE) {
		handshake(connection);
		return;
	}
	if (dropping || room > HTTP_SCRATCH)
		room = HTTP_SCRATCH;
	ssize_t size = http_connection_receive(connection, room);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0) {
		http_connection_lost(connection);
	} else if (size == 0) {
		client_ended(connection);
	} else if (dropping) {
		drop(connection, (size_t)size);
	} else {
		struct slice bytes = {connection->server->scratch, (size_t)size};
		buffer_append(&connection->input, bytes);
		advance(connection);
		(void)http_connection_count(connection);
	}
}

void http_connection_turn(struct http_connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	if (!connection->writing)
		flush(connection);
	(void)http_connection_count(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *cookie)
{
	struct http_connection *connection = cookie;
	(void)fd;
	if ((what & EV_WRITE) == 0)
		http_connection_lost(connection);
	else if (connection->state == CONNECTION_HANDSHAKE)
		handshake(connection);
	else
		flush(connection);
	(void)http_connection_count(connection);
}

/* How long the current request may still take. */
static int64_t reading_time_left(const struct http_connection *connection)
{
	size_t body = connection->request == NULL ? 0 : connection->request->body.size;
	int64_t allowed = (int64_t)connection->server->options.read_timeout +
			  (int64_t)(body / BODY_BYTES_PER_SECOND);
	return connection->begun + allowed * 1000 - (int64_t)(clock_steady() / 1000);
}

void http_connection_hurry(struct http_connection *connection)
{
	int64_t excess = reading_time_left(connection) - HTTP_LINGER_SECONDS * 1000;
	if (connection->state != CONNECTION_HEAD || excess <= 0)
		return;
	connection->begun -= excess;
	connection->hurried = true;
	loop_wait(connection->deadline, HTTP_LINGER_SECONDS * 1000);
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	static const struct http_refusal too_late = {408, "The request did not arrive in time."};
	struct http_connection *connection = cookie;
	(void)fd;
	(void)what;
	if (connection->state == CONNECTION_WAITING) {
		/* the last reply may still be on its way to a slow reader */
		if (connection->writing)
			http_connection_change(connection, CONNECTION_WAITING);
		else
			http_connection_lost(connection);
	} else if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY) {
		int64_t left = reading_time_left(connection);
		if (left > 0)
			loop_wait(connection->deadline, left);
		else
			refuse(connection, too_late);
	} else {
		if (connection->state == CONNECTION_HANDSHAKE)
			metrics_count(METRIC_ERRORS_TLS, 1);
		http_connection_lost(connection);
	}
}

/* ---- its beginning ---- */

static void describe_v4(struct http_connection *connection, struct in_addr address, unsigned port)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &address, text, sizeof(text));
	(void)snprintf(connection->peer, sizeof(connection->peer), "%s:%u", text, port);
	connection->is_local = ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void describe_v6(struct http_connection *connection, const struct sockaddr_in6 *address)
{
	unsigned port = ntohs(address->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
		struct in_addr v4;
		memcpy(&v4, &address->sin6_addr.s6_addr[12], sizeof(v4));
		describe_v4(connection, v4, port);
		return;
	}
	char text[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
	(void)snprintf(connection->peer, sizeof(connection->peer), "[%s]:%u", text, port);
	connection->is_local = IN6_IS_ADDR_LOOPBACK(&address->sin6_addr);
}

static void describe_peer(struct http_connection *connection, const struct sockaddr *peer)
{
	if (peer->sa_family == AF_INET) {
		const struct sockaddr_in *address = (const void *)peer;
		describe_v4(connection, address->sin_addr, ntohs(address->sin_port));
	} else if (peer->sa_family == AF_INET6) {
		describe_v6(connection, (const void *)peer);
	} else {
		(void)snprintf(connection->peer, sizeof(connection->peer), "unix");
		connection->is_local = true;
	}
}

void http_connection_open(struct http_server *server, int fd, const struct sockaddr *peer,
			  bool surplus)
{
	struct http_connection *connection = xcalloc(1, sizeof(*connection));
	connection->server = server;
	connection->fd = fd;
	connection->surplus = surplus;
	describe_peer(connection, peer);
	http_connection_drop_input(connection);
	struct event_base *base = server->base;
	connection->readable =
		event_new(base, fd, EV_READ | EV_PERSIST, http_connection_ready, connection);
	connection->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection);
	connection->deadline = event_new(base, -1, 0, on_deadline, connection);
	connection->output = evbuffer_new();
	LIST_INSERT_HEAD(&server->open, connection, siblings);
	server->connection_count++;
	if (surplus)
		server->surplus_count++;
	if (server->options.tls != NULL)
		connection->tls = tls_connection_create(server->options.tls, fd);
	http_connection_change(connection,
			       connection->tls == NULL ? CONNECTION_WAITING : CONNECTION_HANDSHAKE);
	update_reading(connection);
}
