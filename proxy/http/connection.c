#include "proxy/http/connection.h"
#include "proxy/runtime/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LINGER_SECONDS = 2,
	HANDSHAKE_SECONDS = 10,
	BODY_BYTES_PER_SECOND = 64 * 1024,
};

static int64_t monotonic_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_deadline(struct http_connection *connection, int64_t milliseconds)
{
	event_add(connection->deadline,
		  &(struct timeval){milliseconds / 1000, milliseconds % 1000 * 1000});
}

void http_connection_change(struct http_connection *connection, enum connection_state state)
{
	const struct http_server_options *options = &connection->server->options;
	connection->state = state;
	switch (state) {
	case CONNECTION_HANDSHAKE:
		set_deadline(connection,
			     (connection->surplus ? LINGER_SECONDS : HANDSHAKE_SECONDS) * 1000);
		break;
	case CONNECTION_WAITING:
		set_deadline(connection, connection->surplus
						 ? LINGER_SECONDS * 1000
						 : (int64_t)options->idle_timeout * 1000);
		break;
	case CONNECTION_HEAD:
		connection->scanned = 0;
		connection->begun = monotonic_milliseconds();
		set_deadline(connection, (int64_t)options->read_timeout * 1000);
		break;
	case CONNECTION_BODY:
		if (connection->hurried)
			connection->begun = monotonic_milliseconds();
		break;
	case CONNECTION_LINGERING:
		set_deadline(connection, LINGER_SECONDS * 1000);
		break;
	case CONNECTION_REPLYING:
	case CONNECTION_CLOSING:
	case CONNECTION_CLOSED:
		event_del(connection->deadline);
		break;
	}
}

void http_connection_wake(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	if (connection->awake)
		return;
	connection->awake = true;
	STAILQ_INSERT_TAIL(&server->awake, connection, waking);
	event_active(server->turn, EV_TIMEOUT, 0);
}

/* The bytes held for a request and its reply. */
static size_t bytes_held(const struct http_connection *connection)
{
	const struct http_request *request = connection->request;
	if (connection->state == CONNECTION_CLOSED)
		return 0;
	size_t held = connection->input.size + evbuffer_get_length(connection->output);
	if (request != NULL)
		held += request->beside + request->body.size;
	return held;
}

/* The bytes in its buffers, which are bounded per connection. */
static size_t bytes_passing(const struct http_connection *connection)
{
	return connection->input.size + evbuffer_get_length(connection->output);
}

bool http_connection_fits(const struct http_connection *connection, uint64_t more)
{
	const struct http_server_options *options = &connection->server->options;
	return options->in_flight == NULL ||
	       atomic_load(options->in_flight) + more <=
		       options->max_in_flight + bytes_passing(connection);
}

bool http_connection_count(struct http_connection *connection)
{
	const struct http_server_options *options = &connection->server->options;
	if (options->in_flight == NULL)
		return true;
	size_t held = bytes_held(connection);
	size_t change =
		held - connection->counted; /* a negative change wraps, and so does the sum */
	/* usually zero, after a stream's event was sent */
	if (change != 0)
		atomic_fetch_add(options->in_flight, change);
	connection->counted = held;
	return http_connection_fits(connection, 0);
}

static void request_free(struct http_request *request)
{
	if (request == NULL)
		return;
	buffer_finish(&request->body);
	arena_finish(&request->arena);
	free(request);
}

static void close_at_once(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	http_connection_change(connection, CONNECTION_CLOSED);
	event_del(connection->readable);
	event_del(connection->writable);
	close(connection->fd);
	if (connection->surplus)
		server->surplus_count--;
	else
		atomic_fetch_sub(server->options.connections, 1);
	server->connection_count--;
	LIST_REMOVE(connection, siblings);
	LIST_INSERT_HEAD(&server->closed, connection, siblings);
	(void)http_connection_count(connection);
	event_active(server->turn, EV_TIMEOUT, 0);
}

void http_connection_lost(struct http_connection *connection)
{
	struct http_request *request = connection->request;
	bool replying = connection->state == CONNECTION_REPLYING;
	connection->request = NULL;
	close_at_once(connection);
	if (replying && request->events.gone != NULL)
		request->events.gone(request->cookie);
	request_free(request);
}

void http_connection_free(struct http_connection *connection)
{
	LIST_REMOVE(connection, siblings);
	event_free(connection->readable);
	event_free(connection->writable);
	event_free(connection->deadline);
	evbuffer_free(connection->output);
	tls_connection_destroy(connection->tls);
	buffer_finish(&connection->input);
	free(connection);
}

static void drop_tls(struct http_connection *connection)
{
	tls_connection_destroy(connection->tls);
	connection->tls = NULL;
}

void http_connection_close(struct http_connection *connection)
{
	if (connection->state == CONNECTION_HANDSHAKE)
		drop_tls(connection);
	http_input_drop(connection);
	http_connection_change(connection, CONNECTION_CLOSING);
	http_connection_wake(connection);
}

void http_connection_replied(struct http_connection *connection, bool whole)
{
	struct http_request *request = connection->request;
	connection->request = NULL;
	connection->throttled = false;
	if (whole && request->head.keep_alive && !connection->server->draining) {
		http_connection_change(connection, CONNECTION_WAITING);
		http_connection_wake(connection);
	} else {
		connection->cut_off = !whole;
		http_connection_close(connection);
	}
	request_free(request);
	(void)http_connection_count(connection); /* before its client can ask for more */
}

ssize_t http_connection_receive(struct http_connection *connection, size_t size)
{
	char *scratch = connection->server->scratch;
	return connection->tls == NULL ? recv(connection->fd, scratch, size, 0)
				       : tls_read(connection->tls, scratch, size);
}

void http_connection_handshake(struct http_connection *connection)
{
	static const struct http_refusal plain = {
		400, "This address speaks HTTPS: begin the base URL with https://."};
	enum tls_progress progress = tls_handshake(connection->tls);
	http_output_await(connection, progress == TLS_WANTS_WRITE);
	if (progress == TLS_FAILED || progress == TLS_PLAIN_HTTP)
		metrics_count(METRIC_ERRORS_TLS, 1);
	switch (progress) {
	case TLS_DONE:
		http_connection_change(connection, CONNECTION_WAITING);
		http_input_update(connection);
		break;
	case TLS_PLAIN_HTTP:
		drop_tls(connection);
		http_input_refuse(connection, plain);
		break;
	case TLS_FAILED:
		http_connection_close(connection);
		break;
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE:
		break;
	}
}

void http_connection_turn(struct http_connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	if (!connection->writing)
		http_output_flush(connection);
	(void)http_connection_count(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *cookie)
{
	struct http_connection *connection = cookie;
	(void)fd;
	if ((what & EV_WRITE) == 0)
		http_connection_lost(connection);
	else if (connection->state == CONNECTION_HANDSHAKE)
		http_connection_handshake(connection);
	else
		http_output_flush(connection);
	(void)http_connection_count(connection);
}

/* How long the current request may still take. */
static int64_t reading_time_left(const struct http_connection *connection)
{
	size_t body = connection->request == NULL ? 0 : connection->request->body.size;
	int64_t allowed = (int64_t)connection->server->options.read_timeout +
			  (int64_t)(body / BODY_BYTES_PER_SECOND);
	return connection->begun + allowed * 1000 - monotonic_milliseconds();
}

void http_connection_hurry(struct http_connection *connection)
{
	int64_t excess = reading_time_left(connection) - LINGER_SECONDS * 1000;
	if (connection->state != CONNECTION_HEAD || excess <= 0)
		return;
	connection->begun -= excess;
	connection->hurried = true;
	set_deadline(connection, LINGER_SECONDS * 1000);
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
			set_deadline(connection, left);
		else
			http_input_refuse(connection, too_late);
	} else {
		if (connection->state == CONNECTION_HANDSHAKE)
			metrics_count(METRIC_ERRORS_TLS, 1);
		http_connection_lost(connection);
	}
}

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
	http_input_drop(connection);
	struct event_base *base = server->base;
	connection->readable =
		event_new(base, fd, EV_READ | EV_PERSIST, http_input_ready, connection);
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
	http_input_update(connection);
}
