#include "tests/unit/http_fixture.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int accept_error;      /* what accept4() fails with, unless 0 */
static size_t accepts_failed; /* so often */
static bool sends_endlessly;  /* every client: recv() gives all that is asked for, of no meaning */
static size_t sent_endlessly;

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	if (accept_error != 0) {
		accepts_failed++;
		errno = accept_error;
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, address, size, flags);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	if (!sends_endlessly)
		return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
	sent_endlessly += size;
	return (ssize_t)size;
}

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
	ck_assert_int_lt(milliseconds() - began, 1500);
	WAIT_UNTIL(http_server_connections(server) == 0);
	ck_assert_int_ge(milliseconds() - began, 1900);
	ck_assert_int_lt(milliseconds() - began, 4500); /* what else would close it takes 5 s */
	client_close(&client);
	stop();
}
END_TEST

START_TEST(a_refused_client_that_goes_on_sending_is_closed_after_128_megabytes)
{
	enum { MOST = 128 * 1024 * 1024 };
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE("GET\r\n\r\n"));
	WAIT_UNTIL(client_has(&client, "HTTP/1.1 400 "));
	client_send(&client, SLICE("x")); /* so that there is something to read */
	sends_endlessly = true;
	while (http_server_connections(server) > 0)
		event_base_loop(base, EVLOOP_ONCE);
	sends_endlessly = false;
	ck_assert_uint_gt(sent_endlessly, MOST);
	ck_assert_uint_le(sent_endlessly, MOST + 64 * 1024);
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
		ck_assert_int_lt(milliseconds() - left, 1000);
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
	options.idle_timeout = 2; /* not what ends the slow one */
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
	ck_assert(!client_has(&slow, "x-should-retry"));
	ck_assert_int_lt(milliseconds() - began, 3000);
	WAIT_UNTIL(client_closed(&idle));
	ck_assert_uint_eq(idle.got.size, 0);
	client_close(&slow);
	client_close(&idle);
	stop();
}
END_TEST

START_TEST(a_large_body_has_more_time_by_what_came_and_no_more_than_that)
{
	static char body[300000];
	struct http_server_options options = usual;
	options.read_timeout = 1;
	start(&options);
	struct client clients[] = {client_open(), client_open()};
	for (size_t i = 0; i < 2; i++) {
		client_send(&clients[i], SLICE(POST("/", "Content-Length: 300000\r\n", "")));
		client_send(&clients[i], (struct slice){body, 70000});
	}
	run_for(1400);
	client_send(&clients[0], (struct slice){body, sizeof(body) - 70000});
	WAIT_UNTIL(client_has(&clients[0], "<POST / 300000>"));
	WAIT_UNTIL(client_has(&clients[1], "HTTP/1.1 408 "));
	client_close(&clients[0]);
	client_close(&clients[1]);
	stop();
}
END_TEST

START_TEST(a_reply_that_is_made_is_read_at_leisure_and_behind_a_half_close)
{
	enum { SIZE = 8 * 1024 * 1024 };
	struct http_server_options options = usual;
	struct slice body = {xcalloc(1, SIZE), SIZE};
	options.idle_timeout = 1;
	start(&options);
	handler.holds = true;
	struct client clients[] = {client_open(), client_open()};
	for (size_t i = 0; i < 2; i++) {
		setsockopt(clients[i].fd, SOL_SOCKET, SO_RCVBUF, &(int){256 * 1024}, sizeof(int));
		client_send(&clients[i], SLICE(GET("/")));
		WAIT_UNTIL(handler.handled == i + 1);
		http_reply(handler.held[i], 200, NULL, NULL, 0, body);
	}
	run_for(100);
	shutdown(clients[0].fd, SHUT_WR);
	run_for(1500); /* beyond the idle timeout of the other */
	for (size_t i = 0; i < 2; i++) {
		WAIT_UNTIL(client_closed(&clients[i]));
		ck_assert_uint_gt(clients[i].got.size, SIZE);
		client_close(&clients[i]);
	}
	free((void *)(uintptr_t)body.data);
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

START_TEST(so_many_are_told_and_no_more)
{
	enum { MANY = 20, TOLD = 16 };
	struct http_server_options options = usual;
	struct client clients[1 + MANY];
	options.max_connections = 1;
	options.idle_timeout = 60;
	start(&options);
	for (size_t i = 0; i <= MANY; i++) {
		clients[i] = client_open();
		run_for(5);
	}
	ck_assert_uint_eq(http_server_connections(server), 1 + TOLD);
	ck_assert(client_closed(&clients[MANY]) && !client_closed(&clients[TOLD]));
	/* A connection without a place may not wait for long. */
	WAIT_UNTIL(http_server_connections(server) == 1);
	struct client later = exchange(SLICE(GET("/")));
	ck_assert(client_has(&later, "HTTP/1.1 503 "));
	client_close(&later);
	for (size_t i = 0; i <= MANY; i++)
		client_close(&clients[i]);
	WAIT_UNTIL(http_server_connections(server) == 0);
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

START_TEST(no_failure_of_accept_that_lasts_makes_the_loop_spin)
{
	static const int errors[] = {ENFILE, ENOBUFS, ENOMEM};
	start(&usual);
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		accept_error = errors[i];
		accepts_failed = 0;
		WAIT_UNTIL(accepts_failed > 0);
		run_for(100);
		ck_assert_uint_eq(accepts_failed, 1);
	}
	accept_error = 0;
	WAIT_UNTIL(client_has(&client, "<GET / >"));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(what_has_come_of_a_request_is_in_flight_until_its_reply_is_done)
{
	enum { PART = 50000 };
	static char part[PART];
	atomic_size_t in_flight = 0;
	struct http_server_options options = usual;
	options.in_flight = &in_flight;
	options.max_in_flight = 8 * 1024 * 1024;
	start(&options);
	handler.holds = true;
	struct client client = client_open();
	memset(part, 'x', sizeof(part));
	client_send(&client, SLICE("POST / HTTP/1.1\r\nX-Long: "));
	client_send(&client, (struct slice){part, PART});
	WAIT_UNTIL(atomic_load(&in_flight) >= PART);
	client_send(&client, SLICE("\r\nHost: h\r\nContent-Length: 50000\r\n\r\n"));
	client_send(&client, (struct slice){part, PART});
	WAIT_UNTIL(handler.handled == 1);
	ck_assert_uint_ge(atomic_load(&in_flight), PART);
	http_reply(handler.held[0], 200, NULL, NULL, 0, SLICE("done"));
	/* At once: before the client can ask again. */
	ck_assert_uint_lt(atomic_load(&in_flight), 1000);
	WAIT_UNTIL(client_has(&client, "done"));
	WAIT_UNTIL(atomic_load(&in_flight) == 0);
	client_close(&client);
	stop();
}
END_TEST

static bool has_drained;

static void on_server_drained(void *cookie)
{
	*(bool *)cookie = true;
}

START_TEST(draining_closes_what_is_idle_and_finishes_what_is_not)
{
	start(&usual);
	handler.holds = true;
	struct client idle = client_open();
	struct client busy = client_open();
	client_send(&busy, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1 && http_server_connections(server) == 2);
	http_server_drain(server, on_server_drained, &has_drained);
	WAIT_UNTIL(client_closed(&idle));
	http_reply(handler.held[0], 200, NULL, NULL, 0, SLICE("last"));
	WAIT_UNTIL(client_closed(&busy));
	ck_assert(client_has(&busy, "Connection: close\r\n\r\nlast"));
	client_close(&idle);
	client_close(&busy);
	WAIT_UNTIL(has_drained);
	ck_assert_uint_eq(http_server_connections(server), 0);
	stop();
}
END_TEST

START_TEST(what_was_sent_before_the_drain_is_answered)
{
	start(&usual);
	struct client known = client_open();
	WAIT_UNTIL(http_server_connections(server) == 1);
	struct client queued = client_open();
	client_send(&known, SLICE(GET("/known")));
	client_send(&queued, SLICE(GET("/queued")));
	http_server_drain(server, on_server_drained, &has_drained);
	WAIT_UNTIL(client_has(&known, "<GET /known >"));
	WAIT_UNTIL(client_has(&queued, "<GET /queued >"));
	ck_assert(client_has(&queued, "Connection: close\r\n"));
	client_close(&known);
	client_close(&queued);
	stop();
}
END_TEST

START_TEST(half_a_head_holds_up_no_drain)
{
	struct http_server_options options = usual;
	options.read_timeout = 3600;
	start(&options);
	struct client stalled = client_open();
	struct client late = client_open();
	client_send(&stalled, SLICE("GET / HTTP/1.1\r\nHos"));
	client_send(&late, SLICE("POST /late HTTP/1.1\r\nContent-Length: 1\r\nHos"));
	WAIT_UNTIL(http_server_connections(server) == 2);
	http_server_drain(server, on_server_drained, &has_drained);
	client_send(&late, SLICE("t: h\r\n\r\n"));
	WAIT_UNTIL(client_has(&stalled, "HTTP/1.1 408 "));
	client_send(&late, SLICE("b")); /* a body has its time */
	WAIT_UNTIL(client_has(&late, "<POST /late b>"));
	client_close(&stalled);
	client_close(&late);
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
	int late = 0;
	for (size_t i = 1; i <= 20; i++) {
		int64_t began = milliseconds();
		http_reply_body(handler.held[0], SLICE("token"));
		WAIT_UNTIL((client_read(&client), occurrences(&client, "token") == i));
		/* Acknowledge late, as a client does once the connection is no longer new. */
		setsockopt(client.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
		late += milliseconds() - began >= 30;
	}
	/* With Nagle's algorithm each second one waits 40 ms for the late acknowledgement. */
	ck_assert_int_lt(late, 6);
	client_close(&client);
	run_for(10);
	stop();
}
END_TEST

UNIT_MAIN("http_connection", a_client_that_still_sends_sees_why_it_was_refused,
	  a_refused_client_that_never_closes_is_closed_after_two_seconds,
	  a_refused_client_that_goes_on_sending_is_closed_after_128_megabytes,
	  a_client_that_leaves_is_noticed_at_once,
	  a_client_may_pipeline_no_more_than_its_share_while_it_waits,
	  a_slow_reader_holds_the_reply_back_and_gets_it_whole,
	  a_client_that_reads_no_replies_gets_no_further_ones_made,
	  a_client_that_stops_reading_counts_as_gone,
	  a_request_must_come_in_time_and_an_idle_connection_may_not_stay,
	  a_large_body_has_more_time_by_what_came_and_no_more_than_that,
	  a_reply_that_is_made_is_read_at_leisure_and_behind_a_half_close,
	  connections_beyond_the_limit_are_told_to_come_back, so_many_are_told_and_no_more,
	  a_want_of_descriptors_pauses_accepting_and_burns_no_time,
	  no_failure_of_accept_that_lasts_makes_the_loop_spin,
	  what_has_come_of_a_request_is_in_flight_until_its_reply_is_done,
	  draining_closes_what_is_idle_and_finishes_what_is_not,
	  what_was_sent_before_the_drain_is_answered, half_a_head_holds_up_no_drain,
	  destroying_the_server_tells_requests_under_way, small_writes_are_not_delayed)
