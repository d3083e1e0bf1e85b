/* Shared by the tests of the HTTP server: a server on a loopback port, a handler that answers at
 * once or keeps requests for the test to answer, and clients.
 *
 * All share one loop and one thread: what a client does is done between two turns of the loop. Each
 * test runs in a process of its own, so the state may be static. */
#ifndef RECALLD_TESTS_HTTP_FIXTURE_H
#define RECALLD_TESTS_HTTP_FIXTURE_H

#include "proxy/http/server.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct event_base *base;
static struct http_server *server;
static uint16_t port;
static atomic_size_t connections;

enum { MAX_HELD = 8 };

static struct {
	bool holds; /* keep requests for the test to answer, instead of answering at once */
	struct http_request *held[MAX_HELD];
	size_t handled;
	size_t gone;
	size_t drained;
} handler;

static inline int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	usleep(200);
}

#define WAIT_UNTIL(condition)                                                                      \
	for (int64_t until = milliseconds() + WAIT_MS; !(condition);) {                            \
		turn();                                                                            \
		ck_assert_msg(milliseconds() < until, "never: %s", #condition);                    \
	}

static inline void run_for(int64_t duration)
{
	for (int64_t until = milliseconds() + duration; milliseconds() < until;)
		turn();
}

static inline void on_gone(void *cookie)
{
	size_t *index = cookie;
	handler.held[*index] = NULL;
	handler.gone++;
}

static inline void on_drained(void *cookie)
{
	(void)cookie;
	handler.drained++;
}

static inline void on_request(void *cookie, struct http_request *request)
{
	static const struct http_request_events events = {on_gone, on_drained};
	static size_t indexes[MAX_HELD] = {0, 1, 2, 3, 4, 5, 6, 7};
	(void)cookie;
	size_t index = handler.handled++;
	if (handler.holds) {
		ck_assert_uint_lt(index, MAX_HELD);
		handler.held[index] = request;
		http_request_set_events(request, &events, &indexes[index]);
		return;
	}
	const struct http_head *head = http_request_head(request);
	struct buffer body;
	buffer_init(&body, 16 * 1024 * 1024);
	buffer_printf(&body, "<%.*s %.*s ", SLICE_PRINT(head->method), SLICE_PRINT(head->target));
	if (http_request_body(request).size < 100)
		buffer_append(&body, http_request_body(request));
	else
		buffer_printf(&body, "%zu", http_request_body(request).size);
	buffer_append(&body, SLICE(">"));
	http_reply(request, 200, "text/plain", NULL, 0, buffer_slice(&body));
	buffer_finish(&body);
}

static const struct http_server_options usual = {
	.max_body = 8 * 1024 * 1024,
	.connections = &connections,
	.max_connections = 100,
	.read_timeout = 5,
	.idle_timeout = 5,
	.write_timeout = 5,
};

static inline void start(const struct http_server_options *options)
{
	char error[200] = "";
	base = event_base_new();
	server = http_server_create(base, options, on_request, NULL);
	int fd = http_listen_socket("127.0.0.1:0", false, error, sizeof(error));
	ck_assert_msg(fd >= 0, "%s", error);
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	getsockname(fd, (struct sockaddr *)&address, &size);
	port = ntohs(address.sin_port);
	http_server_listen(server, fd);
}

static inline void stop(void)
{
	http_server_destroy(server);
	ck_assert_uint_eq(atomic_load(&connections), 0);
	event_base_free(base);
}

struct client {
	int fd;
	bool closed;
	bool reset;
	struct buffer got;
};

static inline struct client client_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(client.fd, F_SETFL, O_NONBLOCK);
	buffer_init(&client.got, 64 * 1024 * 1024);
	return client;
}

static inline void client_close(struct client *client)
{
	close(client->fd);
	buffer_finish(&client->got);
}

/* Sends it all, with the server reading meanwhile. */
static inline void client_send(struct client *client, struct slice bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(client->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			turn();
		else if (sent < 0)
			return;
		else
			bytes = slice_part(bytes, (size_t)sent, bytes.size);
	}
}

static inline void client_read(struct client *client)
{
	static char bytes[64 * 1024];
	ssize_t size;
	while ((size = recv(client->fd, bytes, sizeof(bytes), 0)) > 0)
		buffer_append(&client->got, (struct slice){bytes, (size_t)size});
	client->closed = client->closed || size == 0 || errno != EAGAIN;
	client->reset = client->reset || (size < 0 && errno != EAGAIN);
}

static inline bool client_has(struct client *client, const char *text)
{
	client_read(client);
	struct slice got = buffer_slice(&client->got);
	return got.size > 0 && slice_find(got, slice_of(text), 0) < got.size;
}

static inline bool client_closed(struct client *client)
{
	client_read(client);
	return client->closed;
}

static inline size_t occurrences(const struct client *client, const char *text)
{
	struct slice got = buffer_slice(&client->got);
	size_t count = 0;
	for (size_t at = 0; got.size > 0 && (at = slice_find(got, slice_of(text), at)) < got.size;
	     at++)
		count++;
	return count;
}

/* Sends, and reads until the server closes. */
static inline struct client exchange(struct slice bytes)
{
	struct client client = client_open();
	client_send(&client, bytes);
	WAIT_UNTIL(client_closed(&client));
	return client;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(target, fields, body) "POST " target " HTTP/1.1\r\nHost: h\r\n" fields "\r\n" body

#endif
