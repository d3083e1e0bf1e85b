#include "tests/unit/http_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
		{"400", SLICE("GET / HTTP/1.0\r\nContent-Length: 30\r\n\r\n" GET("/smuggled"))},
		{"400", SLICE(POST("/", "Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n"))},
		{"400", SLICE("GET /\n\n" GET("/smuggled"))},
		{"413", SLICE(POST("/", "Content-Length: 8388609\r\n", ""))},
		{"413", SLICE(POST("/", "Content-Length: 99999999999999999999\r\n", ""))},
		{"413", SLICE(POST("/", "Transfer-Encoding: chunked\r\n", "800001\r\n"))},
		{"417", SLICE(POST("/", "Expect: a miracle\r\n", ""))},
		{"501", SLICE(POST("/", "Transfer-Encoding: gzip, chunked\r\n", ""))},
		{"501", SLICE("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n")},
		{"501", SLICE(POST("/", "Upgrade: websocket\r\nConnection: Upgrade\r\n", ""))},
		{"501", SLICE(POST("/", "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n", ""))},
		{"501", SLICE(POST("/", "Upgrade: h2c\r\nUpgrade: websocket\r\n", ""))},
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
		ck_assert(client_has(&client, "x-should-retry: false\r\n"));
		bool has_body = client_has(&client, "{\"error\":{\"message\":\"");
		ck_assert_int_eq(has_body, !slice_starts_with(refused[i].bytes, SLICE("HEAD")));
		ck_assert(!client.reset);
		client_close(&client);
	}
	ck_assert_uint_eq(handler.handled, 0);
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

START_TEST(a_body_is_left_out_where_there_can_be_none)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" GET("/") GET("/")));
	for (size_t i = 0; i < 2; i++) {
		WAIT_UNTIL(handler.handled == i + 1);
		http_reply_head(handler.held[i], i == 0 ? 200 : 204, SLICE("OK"), NULL, 0,
				i == 0 ? HTTP_FRAMING_STREAM : HTTP_FRAMING_NONE);
		http_reply_body(handler.held[i], SLICE("abc"));
		http_reply_end(handler.held[i]);
	}
	WAIT_UNTIL(handler.handled == 3);
	http_reply(handler.held[2], 200, NULL, NULL, 0, SLICE("last"));
	WAIT_UNTIL(client_has(&client, "last"));
	ck_assert(!client_has(&client, "abc") && !client_has(&client, "0\r\n\r\n"));
	ck_assert_uint_eq(occurrences(&client, "\r\n\r\nHTTP/1.1 "), 2);
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
	WAIT_UNTIL(client_has(&client, "\r\none\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"));
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

/* Without a turn of the loop; and of a client that does not read no more than its socket takes. */
START_TEST(what_waits_is_sent_at_once_when_asked)
{
	static char much[16 * 1024 * 1024];
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct http_request *request = handler.held[0];
	http_reply_head(request, 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	http_reply_body(request, SLICE("one"));
	ck_assert(!client_has(&client, "HTTP/1.1"));
	http_reply_send_now(request);
	ck_assert(client_has(&client, "\r\n\r\n3\r\none\r\n"));
	memset(much, 'm', sizeof(much));
	http_reply_body(request, (struct slice){much, sizeof(much)});
	http_reply_send_now(request);
	ck_assert(http_reply_full(request));
	http_reply_end(request);
	WAIT_UNTIL(client_has(&client, "\r\n0\r\n\r\n"));
	ck_assert_uint_gt(client.got.size, sizeof(much));
	client_close(&client);
	stop();
}
END_TEST

START_TEST(sending_at_once_to_a_client_that_left_is_found_out_by_the_loop)
{
	start(&usual);
	handler.holds = true;
	struct client client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.handled == 1);
	struct http_request *request = handler.held[0];
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
		   sizeof(struct linger));
	client_close(&client); /* with a reset */
	http_reply_head(request, 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	http_reply_body(request, SLICE("one"));
	http_reply_send_now(request);
	http_reply_send_now(request);
	ck_assert_uint_eq(handler.gone, 0);
	WAIT_UNTIL(handler.gone == 1);
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
	char folder[UNIT_PATH];
	char address[100];
	char error[200] = "";
	unit_folder(folder);
	(void)snprintf(address, sizeof(address), "unix:%s/s", folder);
	char own[120]; /* what a process of this number left when it ended half-way */
	(void)snprintf(own, sizeof(own), "%s.%d", address + 5, (int)getpid());
	ck_assert_int_eq(close(creat(own, 0600)), 0);
	start(&usual);
	int leftover = http_listen_socket(address, false, error, sizeof(error));
	ck_assert_int_ge(leftover, 0);
	close(leftover);
	int fd = http_listen_socket(address, false, error, sizeof(error));
	ck_assert_msg(fd >= 0, "%s", error);
	struct stat status;
	ck_assert_int_eq(stat(address + 5, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0660);
	http_server_listen(server, fd);
	ck_assert_int_eq(http_listen_socket(address, false, error, sizeof(error)), -1);
	ck_assert_ptr_nonnull(strstr(error, "another process listens there"));
	http_listen_clear(address);
	ck_assert_int_eq(access(address + 5, F_OK), 0);
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
			      "{\"error\":{\"message\":\"say \\\"x\\\"\\n\xef\xbf\xbd\",\"type\":"
			      "\"invalid_request_error\",\"param\":null,\"code\":null}}"));
	client_close(&client);
	stop();
	http_listen_clear(address);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_local_socket_whose_queue_is_full_is_listened_on)
{
	char folder[UNIT_PATH];
	char address[100];
	char error[200] = "";
	unit_folder(folder);
	(void)snprintf(address, sizeof(address), "unix:%s/s", folder);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	memcpy(name.sun_path, address + 5, strlen(address + 5));
	int busy = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(busy, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(busy, 0), 0);
	int waiting[4];
	for (size_t i = 0; i < 4; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&name, sizeof(name));
	}
	ck_assert_int_eq(http_listen_socket(address, false, error, sizeof(error)), -1);
	ck_assert_ptr_nonnull(strstr(error, "another process listens there"));
	for (size_t i = 0; i < 4; i++)
		close(waiting[i]);
	close(busy);
	http_listen_clear(address);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	char file[UNIT_PATH];
	char address[100];
	char error[200] = "";
	unit_folder(file);
	(void)strcat(file, "/file");
	close(creat(file, 0600));
	(void)snprintf(address, sizeof(address), "unix:%s", file);
	ck_assert_int_eq(http_listen_socket(address, false, error, sizeof(error)), -1);
	ck_assert_ptr_nonnull(strstr(error, "the path is a file, not a socket"));
	http_listen_clear(address);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(the_longest_path_that_the_configuration_takes_is_listened_on)
{
	char folder[UNIT_PATH];
	char address[5 + 99 + 1];
	char error[200] = "";
	unit_folder(folder);
	int size = snprintf(address, sizeof(address), "unix:%s/", folder);
	memset(address + size, 's', sizeof(address) - (size_t)size - 1);
	address[sizeof(address) - 1] = '\0';
	int fd = http_listen_socket(address, false, error, sizeof(error));
	ck_assert_msg(fd >= 0, "%s", error);
	close(fd);
	http_listen_clear(address);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("http_server", a_request_is_answered_and_the_connection_kept,
	  a_request_that_comes_byte_by_byte_is_read,
	  pipelined_requests_are_handed_out_one_at_a_time_and_in_order,
	  refused_requests_are_answered_in_json_and_end_the_connection,
	  a_large_body_comes_whole_in_either_framing,
	  leave_to_send_a_body_is_given_once_the_head_is_accepted, a_reply_to_head_has_no_body,
	  a_body_is_left_out_where_there_can_be_none,
	  a_streamed_reply_is_chunked_or_ends_with_the_connection,
	  what_waits_is_sent_at_once_when_asked,
	  sending_at_once_to_a_client_that_left_is_found_out_by_the_loop,
	  a_connection_closes_when_the_client_asks_for_it,
	  a_reply_shorter_than_it_said_or_aborted_ends_the_connection,
	  an_address_that_cannot_be_listened_on_is_explained,
	  a_local_socket_is_listened_on_and_its_leftover_replaced,
	  a_local_socket_whose_queue_is_full_is_listened_on, a_file_that_is_no_socket_is_left_alone,
	  the_longest_path_that_the_configuration_takes_is_listened_on)
