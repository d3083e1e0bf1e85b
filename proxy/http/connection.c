#include "proxy/http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HANDSHAKE_SECONDS = 10, SEND_VECTORS = 16 };

void http_connection_change(struct http_connection *connection, enum connection_state state)
{
	const struct http_server_options *options = &connection->server->options;
	connection->state = state;
	switch (state) {
	case CONNECTION_HANDSHAKE:
		loop_wait(connection->deadline,
			  (connection->surplus ? HTTP_LINGER_SECONDS : HANDSHAKE_SECONDS) * 1000);
		break;
	case CONNECTION_WAITING:
		loop_wait(connection->deadline, connection->surplus
							? HTTP_LINGER_SECONDS * 1000
							: (int64_t)options->idle_timeout * 1000);
		break;
	case CONNECTION_HEAD:
		connection->scanned = 0;
		connection->begun = (int64_t)(clock_steady() / 1000);
		loop_wait(connection->deadline, (int64_t)options->read_timeout * 1000);
		break;
	case CONNECTION_BODY:
		if (connection->hurried)
			connection->begun = (int64_t)(clock_steady() / 1000);
		break;
	case CONNECTION_LINGERING:
		loop_wait(connection->deadline, HTTP_LINGER_SECONDS * 1000);
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

void http_connection_drop_tls(struct http_connection *connection)
{
	tls_connection_destroy(connection->tls);
	connection->tls = NULL;
}

void http_connection_drop_input(struct http_connection *connection)
{
	buffer_finish(&connection->input);
	buffer_init(&connection->input, HTTP_INPUT_LIMIT);
	connection->taken = 0;
}

void http_connection_close(struct http_connection *connection)
{
	if (connection->state == CONNECTION_HANDSHAKE)
		http_connection_drop_tls(connection);
	http_connection_drop_input(connection);
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

/* ---- bytes ---- */

ssize_t http_connection_receive(struct http_connection *connection, size_t size)
{
	char *scratch = connection->server->scratch;
	return connection->tls == NULL ? recv(connection->fd, scratch, size, 0)
				       : tls_read(connection->tls, scratch, size);
}

static ssize_t send_plain(struct http_connection *connection)
{
	struct evbuffer_iovec vectors[SEND_VECTORS];
	int count = evbuffer_peek(connection->output, -1, NULL, vectors, SEND_VECTORS);
	struct msghdr message = {
		.msg_iov = vectors,
		.msg_iovlen = (size_t)(count < SEND_VECTORS ? count : SEND_VECTORS),
	};
	return sendmsg(connection->fd, &message, MSG_NOSIGNAL);
}

/* Sends one record, of as much as is pending. */
static ssize_t send_tls(struct http_connection *connection)
{
	char *scratch = connection->server->scratch;
	ssize_t size = evbuffer_copyout(connection->output, scratch, TLS_MAX_RECORD);
	return tls_write(connection->tls, scratch, (size_t)size);
}

bool http_connection_send(struct http_connection *connection)
{
	while (evbuffer_get_length(connection->output) > 0) {
		ssize_t sent =
			connection->tls == NULL ? send_plain(connection) : send_tls(connection);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return sent < 0 && errno == EAGAIN;
		evbuffer_drain(connection->output, (size_t)sent);
	}
	return true;
}

void http_connection_await_writable(struct http_connection *connection, bool wanted)
{
	unsigned timeout = connection->server->options.write_timeout;
	if (wanted && !connection->writing)
		event_add(connection->writable, &(struct timeval){timeout, 0});
	else if (!wanted && connection->writing)
		event_del(connection->writable);
	connection->writing = wanted;
}
