#include "proxy/upstream.h"
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

/* The provider is played by a thread with plain blocking sockets that follows a test's script. */
static struct {
	int listener;
	uint16_t port;
	pthread_t thread;
	struct buffer request; /* the last one it read */
} peer;

enum { MANY = 5 * 1024 * 1024 };

static struct event_base *base;
static struct upstream *upstream;

static void peer_listen(void)
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

static int peer_accept(void)
{
	return accept(peer.listener, NULL, NULL);
}

static bool peer_more(int fd)
{
	static char bytes[64 * 1024];
	ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
	if (size > 0)
		buffer_append(&peer.request, (struct slice){bytes, (size_t)size});
	return size > 0;
}

/* Reads a head and the body that its Content-Length announces. */
static void peer_read(int fd)
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

static void peer_send(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Waits for the other side to close, and closes. */
static void peer_bye(int fd)
{
	char byte;
	while (recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
}

/* One connection, one request, one reply. */
static void *peer_replies(void *text)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, text);
	peer_bye(fd);
	return NULL;
}

/* The same, closing right after the reply. */
static void *peer_replies_and_closes(void *text)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, text);
	close(fd);
	return NULL;
}

static void begin(void *(*script)(void *argument), const char *argument)
{
	peer_listen();
	base = event_base_new();
	upstream = upstream_create(base, 4);
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, script, (void *)(uintptr_t)argument),
			 0);
}

static void finish(void)
{
	upstream_destroy(upstream);
	event_base_free(base);
	pthread_join(peer.thread, NULL);
	close(peer.listener);
	buffer_finish(&peer.request);
}

/* What the events told. */
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
	/* What they are to answer. */
	bool stops_at_head;
	bool stops_at_data;
	bool full;
	bool full_after_data;
	size_t asked_full;
};

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
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

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct heard *heard = cookie;
	ck_assert_uint_eq(heard->heads, 1);
	ck_assert(!heard->full);
	buffer_append(&heard->body, bytes);
	heard->full = heard->full_after_data;
	return heard->stops_at_data ? UPSTREAM_STOP : UPSTREAM_GO_ON;
}

static bool on_full(void *cookie)
{
	struct heard *heard = cookie;
	heard->asked_full++;
	return heard->full;
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct heard *heard = cookie;
	ck_assert(!heard->ended);
	heard->ended = true;
	heard->result = result;
	(void)snprintf(heard->detail, sizeof(heard->detail), "%s", detail);
}

static const struct upstream_events events = {on_head, on_data, on_full, on_end};

static void heard_init(struct heard *heard)
{
	*heard = (struct heard){0};
	buffer_init(&heard->fields, 1024 * 1024);
	buffer_init(&heard->body, 16 * 1024 * 1024);
}

static void heard_finish(struct heard *heard)
{
	buffer_finish(&heard->fields);
	buffer_finish(&heard->body);
}

static int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run_for(int64_t duration)
{
	for (int64_t until = milliseconds() + duration; milliseconds() < until; usleep(200))
		event_base_loop(base, EVLOOP_NONBLOCK);
}

#define WAIT_UNTIL(condition)                                                                      \
	for (int64_t until = milliseconds() + 3500; !(condition);) {                               \
		run_for(1);                                                                        \
		ck_assert_msg(milliseconds() < until, "never: %s", #condition);                    \
	}

static struct upstream_request request_of(const char *method, const char *target)
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

static void fetch(const struct upstream_request *request, struct heard *heard)
{
	heard_init(heard);
	(void)upstream_start(upstream, request, &events, heard);
	ck_assert_uint_eq(heard->heads, 0);
	WAIT_UNTIL(heard->ended);
}

/* A GET of "/" against a reply; what was heard is to be finished. */
static struct heard hear(void *(*script)(void *argument), const char *reply, const char *method)
{
	struct heard heard;
	begin(script, reply);
	struct upstream_request request = request_of(method, "/");
	fetch(&request, &heard);
	finish();
	return heard;
}

static void assert_heard(struct heard *heard, enum upstream_result result, const char *body)
{
	ck_assert_msg(heard->result == result, "result %d: %s", (int)heard->result, heard->detail);
	ck_assert_int_eq(heard->detail[0] == '\0',
			 result == UPSTREAM_OK || result == UPSTREAM_STOPPED);
	unit_assert_slice(buffer_slice(&heard->body), body);
	heard_finish(heard);
}

START_TEST(a_reply_with_a_length_is_heard_whole_with_its_fields)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
				  "HTTP/1.1 207 Quite Fine\r\nX-one:  a b \r\nEmpty:\r\n"
				  "Connection: keep-alive, x-mine\r\nX-Mine: 1\r\n"
				  "Keep-Alive: timeout=5\r\nX-ONE: c\r\nContent-Length: 5\r\n"
				  "Upgrade: h2\r\n\r\nhello",
				  "GET");
	ck_assert_uint_eq(heard.heads, 1);
	ck_assert_int_eq(heard.status, 207);
	ck_assert(heard.has_length && heard.length == 5 && !heard.until_close);
	unit_assert_slice(buffer_slice(&heard.fields),
			  "Quite Fine\nX-one: a b\nEmpty: \nX-ONE: c\nContent-Length: 5\n");
	assert_heard(&heard, UPSTREAM_OK, "hello");
}
END_TEST

START_TEST(a_chunked_reply_is_heard_without_its_coding_and_trailers)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
				  "Content-Length: 3\r\nTrailer: T\r\n\r\n"
				  "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n",
				  "GET");
	ck_assert_uint_eq(heard.heads, 1);
	ck_assert(!heard.has_length && !heard.until_close);
	unit_assert_slice(buffer_slice(&heard.fields), "OK\n");
	assert_heard(&heard, UPSTREAM_OK, "hello!");
}
END_TEST

START_TEST(a_reply_until_close_is_marked_as_such)
{
	struct heard heard =
		hear(peer_replies_and_closes, "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello", "GET");
	ck_assert(heard.until_close);
	assert_heard(&heard, UPSTREAM_OK, "hello");
}
END_TEST

START_TEST(replies_without_a_body_end_at_their_head)
{
	struct heard heard =
		hear(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HEAD");
	ck_assert(heard.has_length && heard.length == 99 && heard.heads == 1);
	assert_heard(&heard, UPSTREAM_OK, "");
	heard = hear(peer_replies, "HTTP/1.1 204 No Content\r\n\r\n", "DELETE");
	ck_assert(heard.status == 204 && heard.heads == 1 && !heard.until_close);
	assert_heard(&heard, UPSTREAM_OK, "");
	heard = hear(peer_replies,
		     "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "GET");
	ck_assert(heard.status == 301 && heard.heads == 1);
	assert_heard(&heard, UPSTREAM_OK, "");
}
END_TEST

START_TEST(a_connection_that_breaks_is_told_from_one_that_ends)
{
	static const char *const broken[] = {
		"",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX Y: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct heard heard = hear(peer_replies_and_closes, broken[i], "GET");
		assert_heard(&heard, UPSTREAM_BROKEN, "");
	}
	struct heard heard = hear(peer_replies_and_closes,
				  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "GET");
	assert_heard(&heard, UPSTREAM_BROKEN, "hel");
	heard = hear(peer_replies_and_closes,
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "GET");
	assert_heard(&heard, UPSTREAM_BROKEN, "hel");
}
END_TEST

START_TEST(a_request_goes_out_as_it_was_given_and_nothing_is_added)
{
	static const struct http_field fields[] = {
		{SLICE("x-lower"), SLICE("a;b: c")},
		{SLICE("Empty"), SLICE("")},
		{SLICE("Host"), SLICE("other")},
		{SLICE("Transfer-Encoding"), SLICE("chunked")},
		{SLICE("Expect"), SLICE("100-continue")},
		{SLICE("Connection"), SLICE("X-Hop")},
		{SLICE("X-Hop"), SLICE("1")},
		{SLICE("Authorization"), SLICE("Bearer k")},
	};
	struct heard heard;
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct upstream_request request = request_of("M-SEARCH", "/a/../b//%7e c?x=\"{}&y=|#z");
	request.fields = fields;
	request.field_count = sizeof(fields) / sizeof(fields[0]);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	fetch(&request, &heard);
	char expected[400];
	(void)snprintf(expected, sizeof(expected),
		       "M-SEARCH /a/../b//%%7e c?x=\"{}&y=|#z HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		       "x-lower: a;b: c\r\nEmpty:\r\nAuthorization: Bearer k\r\n\r\n",
		       peer.port);
	assert_heard(&heard, UPSTREAM_OK, "");
	upstream_destroy(upstream);
	upstream = NULL;
	pthread_join(peer.thread, NULL);
	unit_assert_slice(buffer_slice(&peer.request), expected);
	event_base_free(base);
	close(peer.listener);
	buffer_finish(&peer.request);
}
END_TEST

START_TEST(a_bare_origin_is_asked_for_its_root)
{
	struct heard heard;
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct upstream_request request = request_of("GET", "?q");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "");
	ck_assert(slice_starts_with(buffer_slice(&peer.request), SLICE("GET /?q HTTP/1.1\r\n")));
	finish();
}
END_TEST

START_TEST(a_body_goes_out_with_its_length_also_when_empty)
{
	struct heard heard;
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "");
	struct slice got = buffer_slice(&peer.request);
	ck_assert_uint_lt(slice_find(got, SLICE("\r\nContent-Length: 0\r\n\r\n"), 0), got.size);
	ck_assert_uint_eq(slice_find(got, SLICE("Content-Type"), 0), got.size);
	ck_assert_uint_eq(slice_find(got, SLICE("Accept"), 0), got.size);
	finish();
}
END_TEST

/* Reads 5 MB and sends them back. */
static void *peer_echoes(void *argument)
{
	int fd = peer_accept();
	char head[100];
	(void)argument;
	peer_read(fd);
	struct slice got = buffer_slice(&peer.request);
	struct slice body = slice_part(got, slice_find(got, SLICE("\r\n\r\n"), 0) + 4, got.size);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		       body.size);
	peer_send(fd, head);
	for (size_t at = 0; at < body.size;) {
		ssize_t sent = send(fd, body.data + at, body.size - at, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	peer_bye(fd);
	return NULL;
}

static char *many_bytes(void)
{
	char *bytes = xmalloc(MANY);
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	return bytes;
}

START_TEST(five_megabytes_go_up_and_come_down)
{
	struct heard heard;
	char *bytes = many_bytes();
	begin(peer_echoes, NULL);
	struct upstream_request request = request_of("PUT", "/");
	request.has_body = true;
	request.body = (struct slice){bytes, MANY};
	int64_t began = milliseconds();
	fetch(&request, &heard);
	/* curl would wait a second for a 100 that does not come. */
	ck_assert_int_lt(milliseconds() - began, 900);
	ck_assert_int_eq(heard.result, UPSTREAM_OK);
	ck_assert(slice_equal(buffer_slice(&heard.body), request.body));
	heard_finish(&heard);
	free(bytes);
	finish();
}
END_TEST

START_TEST(a_transfer_that_is_held_back_waits_and_loses_nothing)
{
	struct heard heard;
	char *bytes = many_bytes();
	begin(peer_echoes, NULL);
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = (struct slice){bytes, MANY};
	request.idle_timeout = 60; /* does not run while held back */
	heard_init(&heard);
	heard.full = heard.full_after_data = true;
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.asked_full == 1);
	run_for(150);
	ck_assert_uint_eq(heard.asked_full, 1);
	while (!heard.ended) {
		size_t asked = heard.asked_full;
		size_t size = heard.body.size;
		heard.full = false;
		upstream_resume(transfer);
		ck_assert_uint_eq(heard.body.size, size); /* from the loop, not from here */
		/* Asked for the piece that was held back, and for the next one. */
		WAIT_UNTIL(heard.ended || heard.asked_full == asked + 2);
		ck_assert_uint_gt(heard.body.size, size);
	}
	ck_assert_int_eq(heard.result, UPSTREAM_OK);
	ck_assert(slice_equal(buffer_slice(&heard.body), request.body));
	heard_finish(&heard);
	free(bytes);
	finish();
}
END_TEST

START_TEST(a_transfer_that_is_stopped_when_resumed_ends)
{
	struct heard heard;
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	heard.full = heard.stops_at_data = true;
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.asked_full > 0);
	run_for(10);
	heard.full = false;
	upstream_resume(transfer);
	ck_assert(!heard.ended);
	WAIT_UNTIL(heard.ended);
	assert_heard(&heard, UPSTREAM_STOPPED, "hello");
	finish();
}
END_TEST

START_TEST(an_event_can_stop_a_transfer_at_its_head_or_its_data)
{
	for (int at_data = 0; at_data < 2; at_data++) {
		struct heard heard;
		begin(peer_replies, "HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\nhello");
		struct upstream_request request = request_of("GET", "/");
		heard_init(&heard);
		heard.stops_at_head = at_data == 0;
		heard.stops_at_data = at_data == 1;
		(void)upstream_start(upstream, &request, &events, &heard);
		WAIT_UNTIL(heard.ended);
		ck_assert_uint_eq(heard.heads, 1);
		assert_heard(&heard, UPSTREAM_STOPPED, at_data == 1 ? "hello" : "");
		finish();
	}
}
END_TEST

static atomic_int accepted;

/* Keeps one connection for two requests. */
static void *peer_keeps_alive(void *argument)
{
	int fd = peer_accept();
	(void)argument;
	atomic_fetch_add(&accepted, 1);
	for (int i = 0; i < 2; i++) {
		peer_read(fd);
		peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
	peer_bye(fd);
	return NULL;
}

START_TEST(a_connection_is_used_again)
{
	struct heard heard;
	begin(peer_keeps_alive, NULL);
	struct upstream_request request = request_of("GET", "/");
	for (int i = 0; i < 2; i++) {
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
	}
	finish();
	ck_assert_int_eq(atomic_load(&accepted), 1);
}
END_TEST

/* Lets the kept connection die when its second request has come. */
static void *peer_drops_second(void *argument)
{
	(void)argument;
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	peer_read(fd);
	close(fd);
	fd = peer_accept();
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain");
	peer_bye(fd);
	return NULL;
}

START_TEST(a_request_on_a_kept_connection_that_died_is_tried_on_a_fresh_one)
{
	struct heard heard;
	begin(peer_drops_second, NULL);
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = SLICE("question");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "again");
	struct slice got = buffer_slice(&peer.request);
	ck_assert_uint_lt(slice_find(got, SLICE("\r\n\r\nquestion"), 0), got.size);
	finish();
}
END_TEST

static atomic_int peer_saw_close;

static void *peer_streams_until_closed(void *argument)
{
	int fd = peer_accept();
	(void)argument;
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
	peer_bye(fd);
	atomic_store(&peer_saw_close, 1);
	return NULL;
}

START_TEST(cancelling_closes_the_connection_at_once_and_without_an_event)
{
	struct heard heard;
	begin(peer_streams_until_closed, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	struct transfer *transfer = upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.body.size == 1);
	int64_t began = milliseconds();
	upstream_cancel(transfer);
	WAIT_UNTIL(atomic_load(&peer_saw_close) == 1);
	ck_assert_int_lt(milliseconds() - began, 100);
	ck_assert(!heard.ended);
	upstream_cancel(NULL);
	heard_finish(&heard);
	finish();
}
END_TEST

static struct transfer *next_transfer;
static struct heard second;

/* As one does who asks once more, without what the upstream would not have. */
static void start_again(void *cookie, enum upstream_result result, const char *detail)
{
	struct upstream_request request = request_of("GET", "/");
	on_end(cookie, result, detail);
	heard_init(&second);
	next_transfer = upstream_start(upstream, &request, &events, &second);
}

START_TEST(a_transfer_may_be_started_when_another_ends)
{
	static const struct upstream_events again = {on_head, on_data, on_full, start_again};
	struct heard heard;
	begin(peer_keeps_alive, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	(void)upstream_start(upstream, &request, &again, &heard);
	WAIT_UNTIL(heard.ended);
	ck_assert_ptr_nonnull(next_transfer);
	WAIT_UNTIL(second.ended);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	assert_heard(&second, UPSTREAM_OK, "ok");
	finish();
}
END_TEST

START_TEST(destroying_cancels_what_is_under_way)
{
	struct heard heard;
	begin(peer_streams_until_closed, NULL);
	struct upstream_request request = request_of("GET", "/");
	heard_init(&heard);
	(void)upstream_start(upstream, &request, &events, &heard);
	WAIT_UNTIL(heard.body.size == 1);
	finish();
	ck_assert(!heard.ended);
	heard_finish(&heard);
}
END_TEST

START_TEST(a_silent_upstream_is_given_up)
{
	struct heard heard;
	begin(peer_replies, "");
	struct upstream_request request = request_of("GET", "/");
	request.first_byte_timeout = 100;
	int64_t began = milliseconds();
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_FIRST_BYTE_TIMEOUT, "");
	ck_assert_int_ge(milliseconds() - began, 95);
	ck_assert_int_lt(milliseconds() - began, 1000);
	finish();
	begin(peer_streams_until_closed, NULL);
	request = request_of("GET", "/");
	request.idle_timeout = 100;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_IDLE_TIMEOUT, "x");
	finish();
}
END_TEST

static void *peer_does_nothing(void *argument)
{
	return argument;
}

START_TEST(an_upstream_that_cannot_be_reached_is_told_from_one_that_is_slow)
{
	struct heard heard;
	begin(peer_does_nothing, NULL);
	struct upstream_request request = request_of("GET", "/");
	/* A queue of accepted connections that is full lets no further one in. */
	ck_assert_int_eq(listen(peer.listener, 0), 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer.port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int queued[4];
	for (int i = 0; i < 4; i++) {
		queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(queued[i], (struct sockaddr *)&address, sizeof(address));
	}
	request.connect_timeout = 200;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_CONNECT_TIMEOUT, "");
	for (int i = 0; i < 4; i++)
		close(queued[i]);
	request.url = "http://127.0.0.1:1/";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	request.url = "file:///etc/passwd";
	fetch(&request, &heard);
	ck_assert_int_ne(heard.result, UPSTREAM_OK);
	ck_assert_uint_eq(heard.heads, 0);
	heard_finish(&heard);
	request.url = "nonsense";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	finish();
}
END_TEST

START_TEST(a_proxy_is_asked_with_the_whole_url)
{
	struct heard heard;
	char proxy[50];
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct upstream_request request = request_of("GET", "/");
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", peer.port);
	request.proxy = proxy;
	request.url = "http://provider.invalid/v1/models?x";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "");
	ck_assert(slice_starts_with(buffer_slice(&peer.request),
				    SLICE("GET http://provider.invalid/v1/models?x HTTP/1.1\r\n")));
	finish();
}
END_TEST

UNIT_MAIN("upstream", a_reply_with_a_length_is_heard_whole_with_its_fields,
	  a_chunked_reply_is_heard_without_its_coding_and_trailers,
	  a_reply_until_close_is_marked_as_such, replies_without_a_body_end_at_their_head,
	  a_connection_that_breaks_is_told_from_one_that_ends,
	  a_request_goes_out_as_it_was_given_and_nothing_is_added,
	  a_bare_origin_is_asked_for_its_root, a_body_goes_out_with_its_length_also_when_empty,
	  five_megabytes_go_up_and_come_down, a_transfer_that_is_held_back_waits_and_loses_nothing,
	  a_transfer_that_is_stopped_when_resumed_ends,
	  an_event_can_stop_a_transfer_at_its_head_or_its_data, a_connection_is_used_again,
	  a_request_on_a_kept_connection_that_died_is_tried_on_a_fresh_one,
	  cancelling_closes_the_connection_at_once_and_without_an_event,
	  a_transfer_may_be_started_when_another_ends, destroying_cancels_what_is_under_way,
	  a_silent_upstream_is_given_up,
	  an_upstream_that_cannot_be_reached_is_told_from_one_that_is_slow,
	  a_proxy_is_asked_with_the_whole_url)
