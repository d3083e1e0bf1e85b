#include "proxy/http_server.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The server and its clients share one loop and one thread: what a client does is done between two
 * turns of the loop. Each test runs in a process of its own, so these may be static. */
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

static int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	usleep(200);
}

#define WAIT_UNTIL(condition)                                                                      \
	for (int64_t until = milliseconds() + 5000; !(condition);) {                               \
		turn();                                                                            \
		ck_assert_msg(milliseconds() < until, "never: %s", #condition);                    \
	}

static void run_for(int64_t duration)
{
	for (int64_t until = milliseconds() + duration; milliseconds() < until;)
		turn();
}

static void on_gone(void *cookie)
{
	size_t *index = cookie;
	handler.held[*index] = NULL;
	handler.gone++;
}

static void on_drained(void *cookie)
{
	(void)cookie;
	handler.drained++;
}

static void on_request(void *cookie, struct http_request *request)
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

static void start(const struct http_server_options *options)
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

static void stop(void)
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

static struct client client_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(client.fd, F_SETFL, O_NONBLOCK);
	buffer_init(&client.got, 64 * 1024 * 1024);
	return client;
}

static void client_close(struct client *client)
{
	close(client->fd);
	buffer_finish(&client->got);
}

/* Sends it all, with the server reading meanwhile. */
static void client_send(struct client *client, struct slice bytes)
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

static void client_read(struct client *client)
{
	static char bytes[64 * 1024];
	ssize_t size;
	while ((size = recv(client->fd, bytes, sizeof(bytes), 0)) > 0)
		buffer_append(&client->got, (struct slice){bytes, (size_t)size});
	client->closed = client->closed || size == 0 || errno != EAGAIN;
	client->reset = client->reset || (size < 0 && errno != EAGAIN);
}

static bool client_has(struct client *client, const char *text)
{
	client_read(client);
	struct slice got = buffer_slice(&client->got);
	return got.size > 0 && slice_find(got, slice_of(text), 0) < got.size;
}

static bool client_closed(struct client *client)
{
	client_read(client);
	return client->closed;
}

static size_t occurrences(const struct client *client, const char *text)
{
	struct slice got = buffer_slice(&client->got);
	size_t count = 0;
	for (size_t at = 0; got.size > 0 && (at = slice_find(got, slice_of(text), at)) < got.size;
	     at++)
		count++;
	return count;
}

/* Sends, and reads until the server closes. */
static struct client exchange(struct slice bytes)
{
	struct client client = client_open();
	client_send(&client, bytes);
	WAIT_UNTIL(client_closed(&client));
	return client;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(target, fields, body) "POST " target " HTTP/1.1\r\nHost: h\r\n" fields "\r\n" body

START_TEST(a_request_is_answered_and_the_connection_kept)
{
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE(GET("/1")));
	WAIT_UNTIL(client_has(&client, "<GET /1 >"));
	ck_assert(client_has(&client, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
				      "Content-Length: 9\r\nDate: "));
	ck_assert(!client_has(&client, "Connection:"));
	client_send(&client, SLICE(POST("/2", "Content-Length: 3\r\n", "abc")));
	WAIT_UNTIL(client_has(&client, "<POST /2 abc>"));
	ck_assert_uint_eq(http_server_connections(server), 1);
	ck_assert(!client_closed(&client));
	client_close(&client);
	WAIT_UNTIL(http_server_connections(server) == 0);
	stop();
}
END_TEST

START_TEST(a_request_that_comes_byte_by_byte_is_read)
{
	struct slice whole = SLICE(POST("/x", "Transfer-Encoding: chunked\r\n",
					"3;e=1\r\nabc\r\n1\r\nd\r\n0\r\nT: v\r\n\r\n"));
	start(&usual);
	struct client client = client_open();
	for (size_t i = 0; i < whole.size; i++) {
		client_send(&client, slice_part(whole, i, i + 1));
		turn();
	}
	WAIT_UNTIL(client_has(&client, "<POST /x abcd>"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(pipelined_requests_are_handed_out_one_at_a_time_and_in_order)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/1") POST("/2", "Content-Length: 1\r\n", "x") GET("/3")));
	for (size_t i = 0; i < 3; i++) {
		WAIT_UNTIL(handler.handled == i + 1);
		run_for(20);
		ck_assert_uint_eq(handler.handled, i + 1);
		struct http_request *request = handler.held[i];
		http_reply(request, 200, NULL, NULL, 0, http_request_head(request)->target);
	}
	WAIT_UNTIL(client_has(&client, "/3"));
	ck_assert_uint_eq(occurrences(&client, "HTTP/1.1 200 OK"), 3);
	client_close(&client);
	stop();
}
END_TEST

START_TEST(refused_requests_are_answered_in_json_and_end_the_connection)
{
	static const struct {
		const char *status;
		struct slice bytes;
	} refused[] = {
		{"400", SLICE(POST("/", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
				   "0\r\n\r\n" GET("/smuggled")))},
		{"400",
		 SLICE(POST("/", "Content-Length: 0\r\nContent-Length: 30\r\n", GET("/smuggled")))},
		{"400", SLICE(POST("/", "Content-Length : 30\r\n", GET("/smuggled")))},
		{"400", SLICE("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n" GET(
				"/smuggled"))},
		{"400",
		 SLICE("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n" GET("/smuggled"))},
		{"400", SLICE(POST("/", "Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n"))},
		{"400", SLICE("GET /\n\n" GET("/smuggled"))},
		{"413", SLICE(POST("/", "Content-Length: 8388609\r\n", ""))},
		{"413", SLICE(POST("/", "Content-Length: 99999999999999999999\r\n", ""))},
		{"413", SLICE(POST("/", "Transfer-Encoding: chunked\r\n", "800001\r\n"))},
		{"417", SLICE(POST("/", "Expect: a miracle\r\n", ""))},
		{"501", SLICE(POST("/", "Transfer-Encoding: gzip, chunked\r\n", ""))},
		{"501", SLICE("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n")},
		{"501", SLICE(POST("/", "Upgrade: h2c\r\nConnection: Upgrade\r\n", ""))},
		{"505", SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
	};
	start(&usual);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct client client = exchange(refused[i].bytes);
		struct slice got = buffer_slice(&client.got);
		ck_assert_msg(slice_equal(slice_part(got, 9, 12), slice_of(refused[i].status)),
			      "%s: %.*s", refused[i].status, SLICE_PRINT(got));
		ck_assert_uint_eq(occurrences(&client, "\r\nDate: "), 1);
		ck_assert(client_has(&client, "Connection: close\r\n"));
		ck_assert(client_has(&client, "Content-Type: application/json\r\n"));
		ck_assert_int_eq(client_has(&client, "x-should-retry: false\r\n"),
				 refused[i].status[0] == '5');
		bool has_body = client_has(&client, "{\"error\":{\"message\":\"");
		ck_assert_int_eq(has_body, !slice_starts_with(refused[i].bytes, SLICE("HEAD")));
		ck_assert(!client.reset);
		client_close(&client);
	}
	ck_assert_uint_eq(handler.handled, 0);
	stop();
}
END_TEST

START_TEST(a_client_that_still_sends_sees_why_it_was_refused)
{
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE(POST("/", "Content-Length: 16777216\r\n", "")));
	struct slice piece = {xcalloc(1, 1024 * 1024), 1024 * 1024};
	for (int i = 0; i < 16; i++)
		client_send(&client, piece);
	WAIT_UNTIL(client_closed(&client));
	ck_assert(client_has(&client, "HTTP/1.1 413 "));
	ck_assert(!client.reset);
	free((void *)(uintptr_t)piece.data);
	client_close(&client);
	WAIT_UNTIL(http_server_connections(server) == 0);
	stop();
}
END_TEST

START_TEST(a_refused_client_that_never_closes_is_closed_after_two_seconds)
{
	start(&usual);
	int64_t began = milliseconds();
	struct client client = exchange(SLICE("GET\r\n\r\n"));
	ck_assert_int_lt(milliseconds() - began, 500);
	WAIT_UNTIL(http_server_connections(server) == 0);
	ck_assert_int_ge(milliseconds() - began, 1900);
	ck_assert_int_lt(milliseconds() - began, 3000);
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_large_body_comes_whole_in_either_framing)
{
	size_t size = 5 * 1024 * 1024;
	struct slice body = {xcalloc(1, size), size};
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE(POST("/1", "Content-Length: 5242880\r\n", "")));
	client_send(&client, body);
	WAIT_UNTIL(client_has(&client, "<POST /1 5242880>"));
	client_send(&client, SLICE(POST("/2", "Transfer-Encoding: chunked\r\n", "500000\r\n")));
	client_send(&client, body);
	client_send(&client, SLICE("\r\n0\r\n\r\n"));
	WAIT_UNTIL(client_has(&client, "<POST /2 5242880>"));
	free((void *)(uintptr_t)body.data);
	client_close(&client);
	stop();
}
END_TEST

START_TEST(leave_to_send_a_body_is_given_once_the_head_is_accepted)
{
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE(POST("/", "Content-Length: 3\r\nExpect: 100-continue\r\n", "")));
	WAIT_UNTIL(client_has(&client, "HTTP/1.1 100 Continue\r\n\r\n"));
	client_send(&client, SLICE("abc"));
	WAIT_UNTIL(client_has(&client, "<POST / abc>"));
	client_close(&client);
	client = exchange(
		SLICE(POST("/", "Content-Length: 9000000\r\nExpect: 100-continue\r\n", "")));
	ck_assert(client_has(&client, "HTTP/1.1 413"));
	ck_assert(!client_has(&client, "100 Continue"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_reply_to_head_has_no_body)
{
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" GET("/next")));
	WAIT_UNTIL(client_has(&client, "<GET /next >"));
	ck_assert(client_has(&client, "Content-Length: 10\r\n"));
	ck_assert(!client_has(&client, "<HEAD"));
	client_close(&client);
	stop();
}
END_TEST

static const struct http_field plain[] = {{SLICE("X-A"), SLICE("b")},
					  {SLICE("X-Bad"), SLICE("b\r\nX-Evil: 1")}};

START_TEST(a_streamed_reply_is_chunked_or_ends_with_the_connection)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct http_request *request = handler.held[0];
	ck_assert_int_eq(strncmp(http_request_peer(request), "127.0.0.1:", 10), 0);
	ck_assert(http_request_is_local(request));
	http_reply_head(request, 200, SLICE("Fine"), plain, 2, HTTP_FRAMING_STREAM);
	http_reply_body(request, SLICE("one"));
	http_reply_body(request, SLICE(""));
	WAIT_UNTIL(client_has(&client, "\r\n\r\n3\r\none\r\n"));
	http_reply_body(request, SLICE("0123456789abcdef"));
	http_reply_end(request);
	WAIT_UNTIL(client_has(&client, "10\r\n0123456789abcdef\r\n0\r\n\r\n"));
	ck_assert(client_has(&client, "HTTP/1.1 200 Fine\r\nX-A: b\r\nDate: "));
	ck_assert(!client_has(&client, "Evil"));
	client_close(&client);

	client = client_open();
	client_send(&client, SLICE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
	WAIT_UNTIL(handler.handled == 2);
	http_reply_head(handler.held[1], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	http_reply_body(handler.held[1], SLICE("one"));
	http_reply_end(handler.held[1]);
	WAIT_UNTIL(client_closed(&client));
	ck_assert(client_has(&client, "Connection: close\r\n\r\none"));
	ck_assert(!client_has(&client, "chunked"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_connection_closes_when_the_client_asks_for_it)
{
	start(&usual);
	struct client client = exchange(
		SLICE("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close\r\n\r\n" GET("/2")));
	ck_assert_uint_eq(occurrences(&client, "HTTP/1.1 200"), 1);
	ck_assert(client_has(&client, "Connection: close\r\n"));
	client_close(&client);
	client = exchange(SLICE("GET / HTTP/1.0\r\n\r\n"));
	ck_assert(client_has(&client, "<GET / >"));
	client_close(&client);
	client = client_open();
	client_send(&client, SLICE("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
	WAIT_UNTIL(client_has(&client, "<GET /1 >"));
	ck_assert(client_has(&client, "Connection: keep-alive\r\n"));
	client_send(&client, SLICE(GET("/2")));
	WAIT_UNTIL(client_has(&client, "<GET /2 >"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_reply_shorter_than_it_said_or_aborted_ends_the_connection)
{
	static const struct http_field length[] = {{SLICE("Content-Length"), SLICE("5")}};
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/1") GET("/2")));
	WAIT_UNTIL(handler.handled == 1);
	http_reply_head(handler.held[0], 200, SLICE("OK"), length, 1, HTTP_FRAMING_LENGTH);
	http_reply_body(handler.held[0], SLICE("1234567"));
	http_reply_end(handler.held[0]);
	WAIT_UNTIL(client_has(&client, "\r\n\r\n12345"));
	WAIT_UNTIL(handler.handled == 2);
	http_reply_head(handler.held[1], 200, SLICE("OK"), length, 1, HTTP_FRAMING_LENGTH);
	http_reply_body(handler.held[1], SLICE("abc"));
	http_reply_end(handler.held[1]);
	WAIT_UNTIL(client_closed(&client));
	ck_assert(client_has(&client, "\r\n\r\nabc"));
	ck_assert(!client_has(&client, "123456"));
	client_close(&client);

	client = client_open();
	client_send(&client, SLICE(GET("/3")));
	WAIT_UNTIL(handler.handled == 3);
	http_reply_head(handler.held[2], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	http_reply_body(handler.held[2], SLICE("abc"));
	http_reply_abort(handler.held[2]);
	WAIT_UNTIL(client_closed(&client));
	ck_assert(client_has(&client, "3\r\nabc\r\n"));
	ck_assert(!client_has(&client, "0\r\n\r\n"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_client_that_leaves_is_noticed_at_once)
{
	start(&usual);
	handler.holds = true;
	for (size_t i = 0; i < 4; i++) {
		struct client client = client_open();
		client_send(&client, SLICE(GET("/")));
		WAIT_UNTIL(handler.handled == i + 1);
		if (i % 2 == 1) { /* in the middle of the reply */
			http_reply_head(handler.held[i], 200, SLICE("OK"), NULL, 0,
					HTTP_FRAMING_STREAM);
			http_reply_body(handler.held[i], SLICE("x"));
			WAIT_UNTIL(client_has(&client, "x"));
		}
		if (i < 2)
			shutdown(client.fd, SHUT_WR);
		else
			close(client.fd);
		int64_t left = milliseconds();
		WAIT_UNTIL(handler.gone == i + 1);
		ck_assert_int_lt(milliseconds() - left, 100);
		if (i < 2)
			close(client.fd);
		buffer_finish(&client.got);
	}
	ck_assert_uint_eq(http_server_connections(server), 0);
	stop();
}
END_TEST

START_TEST(a_client_may_pipeline_no_more_than_its_share_while_it_waits)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct slice junk = {xcalloc(1, 1024 * 1024), 1024 * 1024};
	size_t sent = 0;
	for (int64_t until = milliseconds() + 300; milliseconds() < until; turn()) {
		ssize_t size = send(client.fd, junk.data, junk.size, MSG_NOSIGNAL);
		sent += size > 0 ? (size_t)size : 0;
	}
	/* The kernel's buffers and 64 KB. */
	ck_assert_uint_lt(sent, 16 * 1024 * 1024);
	ck_assert_uint_eq(handler.handled, 1);
	http_reply(handler.held[0], 200, NULL, NULL, 0, SLICE("reply"));
	WAIT_UNTIL(client_has(&client, "reply"));
	free((void *)(uintptr_t)junk.data);
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_slow_reader_holds_the_reply_back_and_gets_it_whole)
{
	enum { MANY = 1000 };
	static char piece[16 * 1024];
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &(int){256 * 1024}, sizeof(int));
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct http_request *request = handler.held[0];
	http_reply_head(request, 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	size_t pieces = 0;
	for (int64_t full_since = milliseconds(); milliseconds() < full_since + 100; turn()) {
		for (; !http_reply_full(request); pieces++) {
			http_reply_body(request, (struct slice){piece, sizeof(piece)});
			full_since = milliseconds();
		}
	}
	/* The kernel's buffers are full, and the server holds little more than its mark. */
	ck_assert_uint_lt(pieces * sizeof(piece), 8 * 1024 * 1024);
	size_t drained = handler.drained;
	WAIT_UNTIL((client_read(&client), handler.drained == drained + 1));
	while (pieces < MANY) {
		drained = handler.drained;
		for (; pieces < MANY && !http_reply_full(request); pieces++)
			http_reply_body(request, (struct slice){piece, sizeof(piece)});
		if (pieces < MANY)
			WAIT_UNTIL((client_read(&client), handler.drained == drained + 1));
	}
	http_reply_end(request);
	WAIT_UNTIL(client_has(&client, "\r\n0\r\n\r\n"));
	ck_assert_uint_ge(client.got.size, pieces * sizeof(piece));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_client_that_reads_no_replies_gets_no_further_ones_made)
{
	static char body[256 * 1024];
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &(int){256 * 1024}, sizeof(int));
	for (int i = 0; i < 100; i++)
		client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct slice large = {body, sizeof(body)};
	for (size_t i = 0; i < MAX_HELD && handler.handled == i + 1; i++) {
		http_reply_head(handler.held[i], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
		for (int k = 0; k < 32; k++)
			http_reply_body(handler.held[i], large);
		http_reply_end(handler.held[i]);
		run_for(50);
	}
	ck_assert_uint_eq(handler.handled, 1);
	client_close(&client);
	run_for(20);
	stop();
}
END_TEST

START_TEST(a_client_that_stops_reading_counts_as_gone)
{
	static char body[1024 * 1024];
	struct http_server_options options = usual;
	options.write_timeout = 1;
	start(&options);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	http_reply_head(handler.held[0], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	for (int i = 0; i < 16; i++)
		http_reply_body(handler.held[0], (struct slice){body, sizeof(body)});
	int64_t began = milliseconds();
	WAIT_UNTIL(handler.gone == 1);
	ck_assert_int_ge(milliseconds() - began, 900);
	ck_assert_uint_eq(http_server_connections(server), 0);
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_request_must_come_in_time_and_an_idle_connection_may_not_stay)
{
	struct http_server_options options = usual;
	options.read_timeout = 1;
	options.idle_timeout = 1;
	start(&options);
	struct client slow = client_open();
	struct client idle = client_open();
	int64_t began = milliseconds();
	for (struct slice rest =
		     SLICE("GET / HTTP/1.1\r\nHost: h\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
	     rest.size > 0 && !client_closed(&slow); rest = slice_part(rest, 1, rest.size)) {
		client_send(&slow, slice_part(rest, 0, 1));
		run_for(50);
	}
	ck_assert(client_has(&slow, "HTTP/1.1 408 "));
	ck_assert_int_lt(milliseconds() - began, 2000);
	WAIT_UNTIL(client_closed(&idle));
	ck_assert_uint_eq(idle.got.size, 0);
	client_close(&slow);
	client_close(&idle);
	stop();
}
END_TEST

START_TEST(connections_beyond_the_limit_are_told_to_come_back)
{
	struct http_server_options options = usual;
	options.max_connections = 1;
	start(&options);
	struct client first = client_open();
	client_send(&first, SLICE(GET("/1")));
	WAIT_UNTIL(client_has(&first, "<GET /1 >"));
	struct client second = exchange(SLICE(GET("/2")));
	ck_assert(client_has(&second, "HTTP/1.1 503 "));
	ck_assert(client_has(&second, "Retry-After: 1\r\n"));
	ck_assert(!client_has(&second, "x-should-retry"));
	client_close(&second);
	client_close(&first);
	WAIT_UNTIL(http_server_connections(server) == 0);
	second = client_open();
	client_send(&second, SLICE(GET("/3")));
	WAIT_UNTIL(client_has(&second, "<GET /3 >"));
	client_close(&second);
	stop();
}
END_TEST

START_TEST(a_want_of_descriptors_pauses_accepting_and_burns_no_time)
{
	start(&usual);
	struct client client = client_open();
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	int next = dup(0);
	close(next);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next, limit.rlim_max});
	client_send(&client, SLICE(GET("/")));
	clock_t used = clock();
	struct timeval pause = {0, 300000};
	event_base_loopexit(base, &pause);
	event_base_dispatch(base);
	ck_assert_int_lt(clock() - used, CLOCKS_PER_SEC / 10);
	ck_assert_uint_eq(http_server_connections(server), 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	WAIT_UNTIL(client_has(&client, "<GET / >"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(draining_closes_what_is_idle_and_finishes_what_is_not)
{
	start(&usual);
	handler.holds = true;
	struct client idle = client_open();
	struct client busy = client_open();
	client_send(&busy, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1 && http_server_connections(server) == 2);
	http_server_drain(server);
	WAIT_UNTIL(client_closed(&idle));
	http_reply(handler.held[0], 200, NULL, NULL, 0, SLICE("last"));
	WAIT_UNTIL(client_closed(&busy));
	ck_assert(client_has(&busy, "Connection: close\r\n\r\nlast"));
	client_close(&idle);
	client_close(&busy);
	WAIT_UNTIL(http_server_connections(server) == 0);
	stop();
}
END_TEST

START_TEST(destroying_the_server_tells_requests_under_way)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	stop();
	ck_assert_uint_eq(handler.gone, 1);
	client_close(&client);
}
END_TEST

START_TEST(small_writes_are_not_delayed)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	http_reply_head(handler.held[0], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	int64_t began = milliseconds();
	for (int i = 1; i <= 20; i++) {
		http_reply_body(handler.held[0], SLICE("token"));
		WAIT_UNTIL((client_read(&client), occurrences(&client, "token") == (size_t)i));
	}
	/* With Nagle's algorithm each waits 40 ms for the delayed acknowledgement. */
	ck_assert_int_lt(milliseconds() - began, 300);
	client_close(&client);
	run_for(10);
	stop();
}
END_TEST

START_TEST(an_address_that_cannot_be_listened_on_is_explained)
{
	static const char *const wrong[] = {
		"", "nowhere", ":80", "::1:80", "127.0.0.1:x", "192.0.2.1:1", "unix:"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char error[200] = "";
		ck_assert_int_eq(http_listen_socket(wrong[i], false, error, sizeof(error)), -1);
		ck_assert_str_ne(error, "");
	}
}
END_TEST

START_TEST(a_local_socket_is_listened_on_and_its_leftover_replaced)
{
	char folder[] = "/tmp/recalld-test-XXXXXX";
	char address[100];
	char error[200] = "";
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(address, sizeof(address), "unix:%s/s", folder);
	start(&usual);
	int leftover = http_listen_socket(address, false, error, sizeof(error));
	ck_assert_int_ge(leftover, 0);
	close(leftover);
	int fd = http_listen_socket(address, false, error, sizeof(error));
	ck_assert_msg(fd >= 0, "%s", error);
	http_server_listen(server, fd);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	memcpy(name.sun_path, address + 5, strlen(address + 5));
	struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
	buffer_init(&client.got, 10000);
	ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&name, sizeof(name)), 0);
	fcntl(client.fd, F_SETFL, O_NONBLOCK);
	handler.holds = true;
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	ck_assert_str_eq(http_request_peer(handler.held[0]), "unix");
	ck_assert(http_request_is_local(handler.held[0]));
	http_reply_error(handler.held[0], 404, NULL, SLICE("say \"x\"\n\xff"), NULL, 0);
	WAIT_UNTIL(client_has(&client,
			      "{\"error\":{\"message\":\"say \\\"x\\\"\\u000a\\ufffd\",\"type\":"
			      "\"invalid_request_error\",\"param\":null,\"code\":null}}"));
	client_close(&client);
	stop();
	unlink(name.sun_path);
	rmdir(folder);
}
END_TEST

UNIT_MAIN("http_server", a_request_is_answered_and_the_connection_kept,
	  a_request_that_comes_byte_by_byte_is_read,
	  pipelined_requests_are_handed_out_one_at_a_time_and_in_order,
	  refused_requests_are_answered_in_json_and_end_the_connection,
	  a_client_that_still_sends_sees_why_it_was_refused,
	  a_refused_client_that_never_closes_is_closed_after_two_seconds,
	  a_large_body_comes_whole_in_either_framing,
	  leave_to_send_a_body_is_given_once_the_head_is_accepted, a_reply_to_head_has_no_body,
	  a_streamed_reply_is_chunked_or_ends_with_the_connection,
	  a_connection_closes_when_the_client_asks_for_it,
	  a_reply_shorter_than_it_said_or_aborted_ends_the_connection,
	  a_client_that_leaves_is_noticed_at_once,
	  a_client_may_pipeline_no_more_than_its_share_while_it_waits,
	  a_slow_reader_holds_the_reply_back_and_gets_it_whole,
	  a_client_that_reads_no_replies_gets_no_further_ones_made,
	  a_client_that_stops_reading_counts_as_gone,
	  a_request_must_come_in_time_and_an_idle_connection_may_not_stay,
	  connections_beyond_the_limit_are_told_to_come_back,
	  a_want_of_descriptors_pauses_accepting_and_burns_no_time,
	  draining_closes_what_is_idle_and_finishes_what_is_not,
	  destroying_the_server_tells_requests_under_way, small_writes_are_not_delayed,
	  an_address_that_cannot_be_listened_on_is_explained,
	  a_local_socket_is_listened_on_and_its_leftover_replaced)
