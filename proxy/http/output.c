/* Sends a connection's pending output, and ends it once all is sent. */
#include "proxy/http/connection.h"

#include <errno.h>
#include <sys/uio.h>

enum { SEND_VECTORS = 16 };

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

/* Sends until nothing is pending or the socket is full. False: the connection is broken. */
static bool send_output(struct http_connection *connection)
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

void http_output_send(struct http_connection *connection)
{
	if (!connection->writing)
		(void)send_output(connection);
}

void http_output_await(struct http_connection *connection, bool wanted)
{
	unsigned timeout = connection->server->options.write_timeout;
	if (wanted && !connection->writing)
		event_add(connection->writable, &(struct timeval){timeout, 0});
	else if (!wanted && connection->writing)
		event_del(connection->writable);
	connection->writing = wanted;
}

/* Shuts down sending and waits for the client to close first: closing a socket with unread bytes
 * resets the connection, and the client may lose what was just sent. */
static void linger(struct http_connection *connection)
{
	if (connection->tls != NULL && !connection->cut_off && !tls_end(connection->tls)) {
		http_output_await(connection, true);
		return;
	}
	if (connection->ended || shutdown(connection->fd, SHUT_WR) < 0) {
		http_connection_lost(connection);
		return;
	}
	http_connection_change(connection, CONNECTION_LINGERING);
	http_input_update(connection);
}

void http_output_flush(struct http_connection *connection)
{
	if (!send_output(connection)) {
		http_connection_lost(connection);
		return;
	}
	http_output_await(connection, evbuffer_get_length(connection->output) > 0);
	size_t left = evbuffer_get_length(connection->output);
	if (connection->throttled && left <= HTTP_OUTPUT_LOW) {
		struct http_request *request = connection->request;
		connection->throttled = false;
		if (request->events.drained != NULL)
			request->events.drained(request->cookie);
	} else if (connection->state == CONNECTION_CLOSING && left == 0) {
		linger(connection);
	} else if (connection->state == CONNECTION_WAITING) {
		http_input_advance(connection);
	}
}
