/* curl's handles are used again: of one exchange nothing may be in the next. */
#include "tests/unit/upstream_fixture.h"

#include <poll.h>
#include <sys/un.h>

static char folder[UNIT_PATH];
static char socket_path[UNIT_PATH + 8];
static int local_listener;

static void listen_locally(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	unit_folder(folder);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	memcpy(address.sun_path, socket_path, sizeof(socket_path));
	local_listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(local_listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(local_listener, 8), 0);
}

static const struct http_field key[] = {{SLICE("Authorization"), SLICE("Bearer secret")},
					{SLICE("Accept-Encoding"), SLICE("identity")}};
static const struct http_field text[] = {{SLICE("Content-Type"), SLICE("text/plain")},
					 {SLICE("X-Empty"), SLICE("")}};

static const struct slice whole = {"{\"a\":\"body\"}", 12};
static const struct slice pieces[] = {SLICE("{\"a\":"), SLICE("\"piece\"}")};

enum { KINDS = 12 };

static struct upstream_request request_of_kind(int kind)
{
	static char url[100];
	static char proxy[50];
	static const char *const methods[KINDS] = {"GET", "POST", "POST", "HEAD", "DELETE", "PATCH",
						   "GET", "POST", "GET",  "GET",  "POST",   "HEAD"};
	struct upstream_request request = request_of(methods[kind], "/v1/x?y#z");
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", peer.port);
	(void)snprintf(url, sizeof(url), "http://localhost:%u", peer.port);
	request.has_body = strcmp(methods[kind], "GET") != 0;
	request.body = kind % 3 == 1 ? pieces : &whole;
	request.body_count = kind % 3 == 1 ? 2 : kind != 2;
	request.fields = kind % 2 == 0 ? key : text;
	request.field_count = kind < 6 ? 2 : 1;
	switch (kind) {
	case 6:
		request.url = url;
		break;
	case 7:
	case 8:
		request.proxy = proxy;
		request.url = kind == 7 ? "http://provider.invalid/v1/x" : url;
		break;
	case 9:
	case 10:
		request.local_socket = socket_path;
		request.url = url;
		break;
	case 11:
		request.has_body = false;
		request.field_count = 0;
		break;
	default:
		break;
	}
	return request;
}

enum { CONNECTIONS = KINDS + 2 * KINDS * KINDS };

/* A connection for each request; the last byte tells by which listener it came. */
static void *peer_serves_each(void *argument)
{
	(void)argument;
	for (int i = 0; i < CONNECTIONS; i++) {
		struct pollfd listeners[2] = {{peer.listener, POLLIN, 0},
					      {local_listener, POLLIN, 0}};
		(void)poll(listeners, 2, -1);
		bool is_local = listeners[1].revents != 0;
		int fd = accept(is_local ? local_listener : peer.listener, NULL, NULL);
		peer_read(fd);
		buffer_append_byte(&peer.request, is_local ? 'L' : 'T');
		peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
			      "Connection: close\r\n\r\n");
		peer_bye(fd);
	}
	return NULL;
}

static struct slice sent_for(int kind)
{
	static char bytes[2][1000];
	static int turn;
	struct heard heard;
	struct upstream_request request = request_of_kind(kind);
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "");
	char *copy = bytes[turn++ % 2];
	ck_assert_uint_lt(peer.request.size, sizeof(bytes[0]));
	memcpy(copy, peer.request.data, peer.request.size);
	return (struct slice){copy, peer.request.size};
}

START_TEST(a_request_goes_out_the_same_whatever_went_before_it)
{
	char alone[KINDS][1000];
	listen_locally();
	begin(peer_serves_each, NULL);
	for (int kind = 0; kind < KINDS; kind++) {
		struct slice sent = sent_for(kind);
		memcpy(alone[kind], sent.data, sent.size);
		alone[kind][sent.size] = '\0';
		upstream_destroy(upstream);
		upstream = upstream_create(base, 4);
	}
	for (int first = 0; first < KINDS; first++) {
		for (int next = 0; next < KINDS; next++) {
			(void)sent_for(first);
			unit_assert_slice(sent_for(next), alone[next]);
		}
	}
	finish();
	close(local_listener);
	unlink(socket_path);
	rmdir(folder);
}
END_TEST

static void *peer_hangs_up_thrice(void *argument)
{
	for (int i = 0; i < 3; i++)
		close(peer_accept());
	return argument;
}

START_TEST(a_file_of_authorities_is_for_the_requests_that_name_it)
{
	static const char *const files[] = {"/does/not/exist", NULL, "/does/not/exist"};
	char url[50];
	begin(peer_hangs_up_thrice, NULL);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
	for (int i = 0; i < 3; i++) {
		struct heard heard;
		struct upstream_request request = request_of("GET", "/");
		request.url = url;
		request.ca_file = files[i];
		fetch(&request, &heard);
		ck_assert_int_eq(heard.result, UPSTREAM_UNREACHABLE);
		ck_assert_msg((strstr(heard.detail, "/does/not") != NULL) == (files[i] != NULL),
			      "%s", heard.detail);
		heard_finish(&heard);
	}
	finish();
}
END_TEST

/* A connection for a request with a body, and one for two without. */
static void *peer_keeps_the_second(void *reply)
{
	for (int i = 1; i <= 2; i++) {
		int fd = peer_accept();
		for (int j = 0; j < i; j++) {
			peer_read(fd);
			peer_send(fd, reply);
		}
		peer_bye(fd);
	}
	return NULL;
}

START_TEST(a_connection_is_used_again_after_one_that_could_not_be)
{
	struct heard heard;
	begin(peer_keeps_the_second, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	for (int i = 0; i < 3; i++) {
		struct upstream_request request = request_of(i == 0 ? "DELETE" : "GET", "/");
		request.has_body = i == 0;
		request.body = &whole;
		request.body_count = 1;
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
	}
	finish();
}
END_TEST

enum { DEATHS = 12 };

/* Each connection answers one request, and dies with the next. */
static void *peer_dies_often(void *reply)
{
	for (int i = 0; i <= DEATHS; i++) {
		int fd = peer_accept();
		peer_read(fd);
		peer_send(fd, reply);
		if (i < DEATHS) {
			peer_read(fd);
			close(fd);
		} else {
			peer_bye(fd);
		}
	}
	return NULL;
}

START_TEST(each_request_on_a_connection_that_died_is_tried_again)
{
	struct heard heard;
	begin(peer_dies_often, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	struct upstream_request request = request_of("GET", "/");
	for (int i = 0; i <= DEATHS; i++) {
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
	}
	finish();
}
END_TEST

START_TEST(a_proxy_that_opens_no_tunnel_has_let_nothing_through)
{
	char proxy[50];
	struct heard heard;
	begin(peer_replies_and_closes, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", peer.port);
	struct upstream_request request = request_of("POST", "/");
	request.url = "https://provider.invalid/";
	request.proxy = proxy;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	finish();
}
END_TEST

/* Reads a second request on the kept connection, and breaks off. */
static void *peer_dies_with_the_second(void *reply)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, reply);
	peer_read(fd);
	close(fd);
	return NULL;
}

static bool somebody_connects(void)
{
	struct pollfd listener = {peer.listener, POLLIN, 0};
	return poll(&listener, 1, 0) > 0;
}

START_TEST(what_may_have_reached_the_upstream_is_not_sent_twice)
{
	static const char *const methods[] = {"POST", "POST", "DELETE", "PUT"};
	static const struct http_field empty = {SLICE("Idempotency-Key"), SLICE("")};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct heard heard;
		begin(peer_dies_with_the_second, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		struct upstream_request request = request_of("GET", "/");
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
		request.method = slice_of(methods[i]);
		request.has_body = true;
		request.body = i == 1 ? pieces : &whole;
		request.body_count = i == 1 ? 2 : 1;
		request.fields = &empty;
		request.field_count = 1;
		fetch(&request, &heard);
		ck_assert_str_eq(heard.detail,
				 "The upstream closed the connection before its reply.");
		assert_heard(&heard, UPSTREAM_BROKEN, "");
		ck_assert(!somebody_connects());
		finish();
	}
}
END_TEST

/* Keeps two connections; the one that is used next breaks off. */
static void *peer_kills_one_of_two(void *reply)
{
	int fds[] = {peer_accept(), peer_accept()};
	for (int i = 0; i < 2; i++) {
		peer_read(fds[i]);
		peer_send(fds[i], reply);
	}
	struct pollfd kept[] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
	(void)poll(kept, 2, -1);
	int first = kept[0].revents != 0 ? 0 : 1;
	peer_read(fds[first]);
	close(fds[first]);
	peer_bye(fds[1 - first]);
	return NULL;
}

START_TEST(nor_is_it_sent_on_another_kept_connection)
{
	struct heard heard[2];
	begin(peer_kills_one_of_two, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	struct upstream_request request = request_of("GET", "/");
	for (int i = 0; i < 2; i++) {
		heard_init(&heard[i]);
		(void)upstream_start(upstream, &request, &events, &heard[i]);
	}
	WAIT_UNTIL(heard[0].ended && heard[1].ended);
	for (int i = 0; i < 2; i++)
		assert_heard(&heard[i], UPSTREAM_OK, "ok");
	request.method = SLICE("POST");
	request.has_body = true;
	request.body = &whole;
	request.body_count = 1;
	fetch(&request, &heard[0]);
	assert_heard(&heard[0], UPSTREAM_BROKEN, "");
	ck_assert(!somebody_connects());
	finish();
}
END_TEST

static atomic_bool has_closed;

static void *peer_closes_while_idle(void *reply)
{
	for (int i = 0; i < 2; i++) {
		int fd = peer_accept();
		peer_read(fd);
		peer_send(fd, reply);
		if (i == 1)
			peer_bye(fd);
		else
			close(fd);
		atomic_store(&has_closed, true);
	}
	return NULL;
}

START_TEST(a_kept_connection_that_was_closed_is_found_before_it_is_used)
{
	struct heard heard;
	begin(peer_closes_while_idle, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	struct upstream_request request = request_of("POST", "/");
	request.has_body = true;
	request.body = &whole;
	request.body_count = 1;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	while (!atomic_load(&has_closed)) /* the loop, which could see it, does not run */
		usleep(1000);
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	finish();
}
END_TEST

/* A connection for each request. */
static void *peer_takes_one_each(void *reply)
{
	int first = peer_accept();
	peer_read(first);
	peer_send(first, reply);
	int second = peer_accept();
	peer_read(second);
	peer_send(second, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine");
	peer_bye(second);
	close(first);
	return NULL;
}

START_TEST(a_connection_ends_with_a_reply_that_announces_a_body_it_cannot_have)
{
	static const char *const replies[] = {
		"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct heard heard;
		begin(peer_takes_one_each, replies[i]);
		struct upstream_request request = request_of("GET", "/");
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "");
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "mine");
		finish();
	}
}
END_TEST

UNIT_MAIN("upstream_kept", a_request_goes_out_the_same_whatever_went_before_it,
	  a_file_of_authorities_is_for_the_requests_that_name_it,
	  a_connection_is_used_again_after_one_that_could_not_be,
	  each_request_on_a_connection_that_died_is_tried_again,
	  a_proxy_that_opens_no_tunnel_has_let_nothing_through,
	  what_may_have_reached_the_upstream_is_not_sent_twice,
	  nor_is_it_sent_on_another_kept_connection,
	  a_kept_connection_that_was_closed_is_found_before_it_is_used,
	  a_connection_ends_with_a_reply_that_announces_a_body_it_cannot_have)
