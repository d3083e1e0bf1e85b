/* Shared by the tests of the upstream: a provider, played by a thread with plain blocking sockets
 * that follows a test's script, and a caller that writes down what the events tell it. Each test
 * runs in a process of its own, so the state may be static. */
#ifndef RECALLD_TESTS_UPSTREAM_FIXTURE_H
#define RECALLD_TESTS_UPSTREAM_FIXTURE_H

#include "proxy/upstream/upstream.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
	int listener;
	uint16_t port;
	pthread_t thread;
	struct buffer request; /* the last one it read */
} peer;

static struct event_base *base;
static struct upstream *upstream;

static inline void peer_listen(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t size = sizeof(address);
	peer.listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(peer.listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(peer.listener, 8), 0);
	getsockname(peer.listener, (struct sockaddr *)&address, &size);
	peer.port = ntohs(address.sin_port);
	buffer_init(&peer.request, 16 * 1024 * 1024);
}

static inline int peer_accept(void)
{
	return accept(peer.listener, NULL, NULL);
}

static inline bool peer_more(int fd)
{
	static char bytes[64 * 1024];
	ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
	if (size > 0)
		buffer_append(&peer.request, (struct slice){bytes, (size_t)size});
	return size > 0;
}

/* Reads a head and the body that its Content-Length announces. */
static inline void peer_read(int fd)
{
	buffer_clear(&peer.request);
	size_t end = 0;
	while (end == 0 && peer_more(fd)) {
		struct slice got = buffer_slice(&peer.request);
		size_t found = slice_find(got, SLICE("\r\n\r\n"), 0);
		end = found < got.size ? found + 4 : 0;
	}
	struct slice got = buffer_slice(&peer.request);
	size_t length = slice_find(got, SLICE("Content-Length: "), 0);
	if (end > 0 && length < end)
		end += strtoul(got.data + length + 16, NULL, 10);
	while (peer.request.size < end && peer_more(fd))
		;
}

static inline void peer_send(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Waits for the other side to close, and closes. */
static inline void peer_bye(int fd)
{
	char byte;
	while (recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
}

/* One connection, one request, one reply. */
static inline void *peer_replies(void *text)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, text);
	peer_bye(fd);
	return NULL;
}

/* Likewise, closing right after the reply. */
static inline void *peer_replies_and_closes(void *text)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, text);
	close(fd);
	return NULL;
}

static inline void begin(void *(*script)(void *argument), const char *argument)
{
	peer_listen();
	base = event_base_new();
	upstream = upstream_create(base, 4);
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, script, (void *)(uintptr_t)argument),
			 0);
}

static inline void finish(void)
{
	upstream_destroy(upstream);
	event_base_free(base);
	pthread_join(peer.thread, NULL);
	close(peer.listener);
	buffer_finish(&peer.request);
}

/* The values that the events reported. */
struct heard {
	size_t heads;
	int status;
	bool has_length;
	uint64_t length;
	bool until_close;
	struct buffer fields; /* "Name: value\n" each */
	struct buffer body;
	bool ended;
	enum upstream_result result;
	char detail[200];
	/* The answers that they are to give. */
	bool stops_at_head;
	bool stops_at_data;
	bool full;
	bool full_after_data;
	size_t asked_full;
};

static inline enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct heard *heard = cookie;
	heard->heads++;
	heard->status = head->status;
	heard->has_length = head->has_length;
	heard->length = head->length;
	heard->until_close = head->until_close;
	buffer_printf(&heard->fields, "%.*s\n", SLICE_PRINT(head->reason));
	for (size_t i = 0; i < head->field_count; i++)
		buffer_printf(&heard->fields, "%.*s: %.*s\n", SLICE_PRINT(head->fields[i].name),
			      SLICE_PRINT(head->fields[i].value));
	return heard->stops_at_head ? UPSTREAM_STOP : UPSTREAM_GO_ON;
}

static inline enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct heard *heard = cookie;
	ck_assert_uint_eq(heard->heads, 1);
	ck_assert(!heard->full);
	buffer_append(&heard->body, bytes);
	heard->full = heard->full_after_data;
	return heard->stops_at_data ? UPSTREAM_STOP : UPSTREAM_GO_ON;
}

static inline bool on_full(void *cookie)
{
	struct heard *heard = cookie;
	heard->asked_full++;
	return heard->full;
}

static inline void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct heard *heard = cookie;
	ck_assert(!heard->ended);
	heard->ended = true;
	heard->result = result;
	(void)snprintf(heard->detail, sizeof(heard->detail), "%s", detail);
}

static const struct upstream_events events = {on_head, on_data, on_full, on_end};

static inline void heard_init(struct heard *heard)
{
	*heard = (struct heard){0};
	buffer_init(&heard->fields, 1024 * 1024);
	buffer_init(&heard->body, 16 * 1024 * 1024);
}

static inline void heard_finish(struct heard *heard)
{
	buffer_finish(&heard->fields);
	buffer_finish(&heard->body);
}

static inline int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void run_for(int64_t duration)
{
	for (int64_t until = milliseconds() + duration; milliseconds() < until; usleep(200))
		event_base_loop(base, EVLOOP_NONBLOCK);
}

#define WAIT_UNTIL(condition)                                                                      \
	for (int64_t until = milliseconds() + WAIT_MS; !(condition);) {                            \
		run_for(1);                                                                        \
		ck_assert_msg(milliseconds() < until, "never: %s", #condition);                    \
	}

static inline struct upstream_request request_of(const char *method, const char *target)
{
	static char url[300];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", peer.port, target);
	return (struct upstream_request){
		.method = slice_of(method),
		.url = url,
		.connect_timeout = 3000,
		.first_byte_timeout = 3000,
		.idle_timeout = 3000,
	};
}

static inline void fetch(const struct upstream_request *request, struct heard *heard)
{
	heard_init(heard);
	(void)upstream_start(upstream, request, &events, heard);
	ck_assert_uint_eq(heard->heads, 0);
	WAIT_UNTIL(heard->ended);
}

/* A GET of "/" against a reply; what was heard is to be finished. */
static inline struct heard hear(void *(*script)(void *argument), const char *reply,
				const char *method)
{
	struct heard heard;
	begin(script, reply);
	struct upstream_request request = request_of(method, "/");
	fetch(&request, &heard);
	finish();
	return heard;
}

static inline void assert_heard(struct heard *heard, enum upstream_result result, const char *body)
{
	ck_assert_msg(heard->result == result, "result %d: %s", (int)heard->result, heard->detail);
	ck_assert_int_eq(heard->detail[0] == '\0',
			 result == UPSTREAM_OK || result == UPSTREAM_STOPPED);
	unit_assert_slice(buffer_slice(&heard->body), body);
	heard_finish(heard);
}

#endif
