/* Connections of plain.c: where they lead, and those that wait for another request. */
#include "proxy/runtime/loop.h"
#include "proxy/upstream/plain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_IDLE_SECONDS = 60, KEEPALIVE_SECONDS = 60, HTTP_PORT = 80 };

/* ---- routes ---- */

static bool read_port(struct slice digits, uint16_t *port)
{
	unsigned value = 0;
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9' || value > UINT16_MAX)
			return false;
		value = 10 * value + (unsigned)(digits.data[i] - '0');
	}
	*port = (uint16_t)value;
	return value > 0 && value <= UINT16_MAX;
}

static void add_v4(struct plain_route *route, struct in_addr address, uint16_t port)
{
	struct sockaddr_in *to = (void *)&route->addresses[route->count];
	*to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
	route->sizes[route->count++] = sizeof(*to);
}

static void add_v6(struct plain_route *route, struct in6_addr address, uint16_t port)
{
	struct sockaddr_in6 *to = (void *)&route->addresses[route->count];
	*to = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = address};
	route->sizes[route->count++] = sizeof(*to);
}

/* "localhost" is never looked up (RFC 6761, section 6.3). */
static bool add_host(struct plain_route *route, struct slice host, uint16_t port)
{
	char text[INET6_ADDRSTRLEN + 2];
	struct in_addr v4;
	struct in6_addr v6;
	if (slice_equal(host, SLICE("localhost"))) {
		add_v6(route, in6addr_loopback, port);
		add_v4(route, (struct in_addr){htonl(INADDR_LOOPBACK)}, port);
		return true;
	}
	bool is_v6 = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
	if (is_v6)
		host = slice_part(host, 1, host.size - 1);
	if (host.size >= sizeof(text))
		return false;
	if (host.size > 0)
		memcpy(text, host.data, host.size);
	text[host.size] = '\0';
	if (is_v6 && inet_pton(AF_INET6, text, &v6) == 1)
		add_v6(route, v6, port);
	else if (!is_v6 && inet_pton(AF_INET, text, &v4) == 1)
		add_v4(route, v4, port);
	return route->count > 0;
}

static bool add_local(struct plain_route *route)
{
	struct sockaddr_un *to = (void *)&route->addresses[0];
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (route->local_socket.size >= sizeof(to->sun_path))
		return false;
	memcpy(to->sun_path, route->local_socket.data, route->local_socket.size);
	route->sizes[0] = sizeof(*to);
	route->count = 1;
	return true;
}

bool plain_route_read(const struct upstream_request *request, struct plain_route *route)
{
	const struct slice scheme = SLICE("http://");
	struct slice url = slice_of(request->url);
	*route = (struct plain_route){.local_socket = slice_of(request->local_socket)};
	if (!slice_starts_with(url, scheme) || slice_of(request->proxy).size > 0)
		return false;
	size_t end = scheme.size + strcspn(url.data + scheme.size, "/?#");
	struct slice authority = slice_part(url, scheme.size, end);
	struct slice host = authority;
	uint16_t port = HTTP_PORT;
	size_t colon = authority.size;
	while (colon > 0 && authority.data[colon - 1] != ':' && authority.data[colon - 1] != ']')
		colon--;
	bool has_port = colon > 0 && authority.data[colon - 1] == ':';
	if (has_port) {
		host = slice_part(authority, 0, colon - 1);
		if (!read_port(slice_part(authority, colon, authority.size), &port))
			return false;
	}
	route->authority = port == HTTP_PORT ? host : authority;
	return add_host(route, host, port) && (route->local_socket.size == 0 || add_local(route));
}

static bool same_route(const struct plain_route *a, const struct plain_route *b)
{
	return slice_equal(a->authority, b->authority) &&
	       slice_equal(a->local_socket, b->local_socket);
}

/* ---- connecting ---- */

static void prepare_socket(int fd, int family)
{
	const int on = 1;
	const int seconds = KEEPALIVE_SECONDS;
	if (family == AF_UNIX)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
}

static void drop_socket(struct plain_connection *connection)
{
	if (connection->fd < 0)
		return;
	event_free(connection->readable);
	event_free(connection->writable);
	close(connection->fd);
	connection->fd = -1;
}

static bool open_socket(struct plain_connection *connection, size_t at)
{
	const struct sockaddr *to = (const void *)&connection->route.addresses[at];
	struct event_base *base = connection->upstream->base;
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	prepare_socket(fd, to->sa_family);
	if (connect(fd, to, connection->route.sizes[at]) < 0 && errno != EINPROGRESS) {
		int cause = errno;
		close(fd);
		errno = cause;
		return false;
	}
	connection->fd = fd;
	connection->readable =
		event_new(base, fd, EV_READ | EV_PERSIST, plain_on_readable, connection);
	connection->writable = event_new(base, fd, EV_WRITE, plain_on_writable, connection);
	event_add(connection->writable, NULL);
	return true;
}

bool plain_connect_next(struct plain_connection *connection)
{
	drop_socket(connection);
	while (connection->next < connection->route.count) {
		if (open_socket(connection, connection->next++))
			return true;
	}
	return false;
}

struct plain_connection *plain_connection_new(struct upstream *upstream,
					      const struct plain_route *route)
{
	struct plain_connection *connection = xcalloc(1, sizeof(*connection));
	connection->upstream = upstream;
	connection->route = *route;
	connection->route.authority = arena_copy(&connection->arena, route->authority);
	connection->route.local_socket = arena_copy(&connection->arena, route->local_socket);
	connection->fd = -1;
	return connection;
}

void plain_close(struct plain_connection *connection)
{
	if (connection->transfer == NULL && connection->idle_since > 0) {
		TAILQ_REMOVE(&connection->upstream->idle, connection, siblings);
		connection->upstream->idle_count--;
	}
	drop_socket(connection);
	arena_finish(&connection->arena);
	free(connection);
}

/* ---- idle connections ---- */

void plain_keep(struct plain_connection *connection)
{
	struct upstream *upstream = connection->upstream;
	connection->transfer = NULL;
	connection->idle_since = clock_steady();
	TAILQ_INSERT_HEAD(&upstream->idle, connection, siblings);
	if (++upstream->idle_count > upstream->max_idle)
		plain_close(TAILQ_LAST(&upstream->idle, plain_connection_list));
}

bool upstream_is_quiet(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool is_good(const struct plain_connection *connection)
{
	uint64_t seconds = (clock_steady() - connection->idle_since) / 1000000;
	return seconds < MAX_IDLE_SECONDS && upstream_is_quiet(connection->fd);
}

struct plain_connection *plain_take_idle(struct upstream *upstream, const struct plain_route *route)
{
	struct plain_connection *next;
	for (struct plain_connection *connection = TAILQ_FIRST(&upstream->idle); connection != NULL;
	     connection = next) {
		next = TAILQ_NEXT(connection, siblings);
		if (!same_route(&connection->route, route))
			continue;
		if (is_good(connection)) {
			TAILQ_REMOVE(&upstream->idle, connection, siblings);
			upstream->idle_count--;
			connection->idle_since = 0;
			connection->reused = true;
			return connection;
		}
		plain_close(connection);
	}
	return NULL;
}

void upstream_plain_drop_idle(struct upstream *upstream)
{
	while (!TAILQ_EMPTY(&upstream->idle))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed has left the list */
		plain_close(TAILQ_FIRST(&upstream->idle));
}
