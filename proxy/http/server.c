#include "proxy/http/connection.h"
#include "proxy/runtime/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/tcp.h>

enum {
	ACCEPTS_PER_TURN = 64,
	ACCEPTS_AT_END = 4096,
	ACCEPT_PAUSE_MICROSECONDS = 500 * 1000,
	/* Connections beyond max_connections that get a 503, as far as descriptors last; the rest
	 * are closed without one. */
	LEAST_SURPLUS = 16,
	SURPLUS_SHARE = 8, /* of max_connections */
	MAX_SURPLUS = 256,
	DRAIN_CHECK_MICROSECONDS = 10 * 1000,
	REPLY_HEAD_LIMIT = 1024 * 1024,
};

struct http_listener {
	LIST_ENTRY(http_listener) siblings;
	struct http_server *server;
	int fd;
	struct event *acceptable;
	struct event *pause;
};

/* Gives each woken connection one turn; one that wakes again waits for the next. */
static void on_turn(evutil_socket_t fd, short what, void *cookie)
{
	struct http_server *server = cookie;
	struct http_connection *connection = STAILQ_FIRST(&server->awake);
	(void)fd;
	(void)what;
	STAILQ_INIT(&server->awake);
	while (connection != NULL) {
		struct http_connection *next = STAILQ_NEXT(connection, waking);
		connection->awake = false;
		http_connection_turn(connection);
		connection = next;
	}
	struct http_connection *closed = LIST_FIRST(&server->closed);
	while (closed != NULL) {
		struct http_connection *next = LIST_NEXT(closed, siblings);
		if (!closed->awake)
			http_connection_free(closed);
		closed = next;
	}
}

static void check_drained(evutil_socket_t fd, short what, void *cookie)
{
	struct http_server *server = cookie;
	(void)fd;
	(void)what;
	if (server->connection_count > 0)
		return;
	event_del(server->drain_check);
	server->drained(server->drained_cookie);
}

struct http_server *http_server_create(struct event_base *base,
				       const struct http_server_options *options,
				       http_handler *handler, void *cookie)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	server->base = base;
	server->options = *options;
	server->handler = handler;
	server->cookie = cookie;
	LIST_INIT(&server->listeners);
	LIST_INIT(&server->open);
	LIST_INIT(&server->closed);
	STAILQ_INIT(&server->awake);
	server->turn = event_new(base, -1, 0, on_turn, server);
	server->drain_check = event_new(base, -1, EV_PERSIST, check_drained, server);
	server->scratch = xmalloc(HTTP_SCRATCH);
	buffer_init(&server->head, REPLY_HEAD_LIMIT);
	return server;
}

void http_server_set_options(struct http_server *server, const struct http_server_options *options)
{
	server->options = *options;
}

size_t http_server_connections(const struct http_server *server)
{
	return server->connection_count;
}

/* Whether accept() failed for a shortage that may end soon. Without a pause the loop would spin,
 * because the connection stays in the queue. */
static bool is_exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static size_t max_surplus(const struct http_server *server)
{
	size_t share = LEAST_SURPLUS + server->options.max_connections / SURPLUS_SHARE;
	return share < MAX_SURPLUS ? share : MAX_SURPLUS;
}

static void admit(struct http_server *server, int fd, const struct sockaddr *peer)
{
	atomic_size_t *connections = server->options.connections;
	bool surplus = atomic_fetch_add(connections, 1) >= server->options.max_connections;
	if (surplus)
		atomic_fetch_sub(connections, 1);
	if (surplus && server->surplus_count >= max_surplus(server)) {
		metrics_count(METRIC_ERRORS_CONNECTIONS, 1);
		close(fd);
	} else {
		http_connection_open(server, fd, peer, surplus);
	}
}

/* Accepts at most `most` waiting connections. False, with errno set: accept() returned no more. */
static bool accept_some(struct http_listener *listener, int most)
{
	for (int i = 0; i < most; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t size = sizeof(peer);
		int accepted = accept4(listener->fd, (struct sockaddr *)&peer, &size,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (accepted >= 0)
			admit(listener->server, accepted, (const struct sockaddr *)&peer);
		else if (is_exhausted(errno) || errno == EAGAIN)
			return false;
	}
	return true;
}

static void on_acceptable(evutil_socket_t fd, short what, void *cookie)
{
	struct http_listener *listener = cookie;
	(void)fd;
	(void)what;
	if (!accept_some(listener, ACCEPTS_PER_TURN) && is_exhausted(errno)) {
		event_del(listener->acceptable);
		event_add(listener->pause, &(struct timeval){0, ACCEPT_PAUSE_MICROSECONDS});
	}
}

static void on_pause_over(evutil_socket_t fd, short what, void *cookie)
{
	struct http_listener *listener = cookie;
	(void)fd;
	(void)what;
	event_add(listener->acceptable, NULL);
}

void http_server_listen(struct http_server *server, int fd)
{
	/* accepted sockets inherit it; harmless on a local socket */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	struct http_listener *listener = xcalloc(1, sizeof(*listener));
	listener->server = server;
	listener->fd = fd;
	listener->acceptable =
		event_new(server->base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	listener->pause = event_new(server->base, -1, 0, on_pause_over, listener);
	LIST_INSERT_HEAD(&server->listeners, listener, siblings);
	event_add(listener->acceptable, NULL);
}

static void stop_listening(struct http_server *server)
{
	while (!LIST_EMPTY(&server->listeners)) {
		struct http_listener *listener = LIST_FIRST(&server->listeners);
		LIST_REMOVE(listener, siblings);
		event_free(listener->acceptable);
		event_free(listener->pause);
		close(listener->fd);
		free(listener);
	}
}

/* A client that is connected already, as far as it can tell, and has sent a request still gets
 * served. */
void http_server_drain(struct http_server *server, void (*drained)(void *cookie), void *cookie)
{
	struct http_listener *listener;
	server->draining = true;
	LIST_FOREACH(listener, &server->listeners, siblings)
	(void)accept_some(listener, ACCEPTS_AT_END);
	stop_listening(server);
	struct http_connection *connection = LIST_FIRST(&server->open);
	while (connection != NULL) {
		struct http_connection *next = LIST_NEXT(connection, siblings);
		if (connection->state <= CONNECTION_WAITING)
			http_connection_ready(connection->fd, EV_READ, connection);
		if (connection->state <= CONNECTION_WAITING)
			http_connection_close(connection);
		http_connection_hurry(connection);
		connection = next;
	}
	server->drained = drained;
	server->drained_cookie = cookie;
	event_add(server->drain_check, &(struct timeval){0, DRAIN_CHECK_MICROSECONDS});
}

void http_server_destroy(struct http_server *server)
{
	if (server == NULL)
		return;
	stop_listening(server);
	while (!LIST_EMPTY(&server->open))
		http_connection_lost(LIST_FIRST(&server->open));
	while (!LIST_EMPTY(&server->closed))
		http_connection_free(LIST_FIRST(&server->closed));
	event_free(server->turn);
	event_free(server->drain_check);
	buffer_finish(&server->head);
	free(server->scratch);
	free(server);
}
