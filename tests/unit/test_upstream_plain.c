/* Tests what our own HTTP client refuses, and that no request gets another's reply. */
#include "tests/unit/upstream_fixture.h"

#include <netinet/tcp.h>

START_TEST(a_reply_that_others_might_read_differently_is_refused)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
		"HTTP/1\nHTTP/1.1 204 No Content\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct heard heard = hear(peer_replies, replies[i], "GET");
		ck_assert_uint_eq(heard.heads, 0);
		assert_heard(&heard, UPSTREAM_BROKEN, "");
	}
	struct heard heard =
		hear(peer_replies,
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
		     "GET");
	ck_assert_ptr_nonnull(strstr(heard.detail, "chunked reply is malformed"));
	assert_heard(&heard, UPSTREAM_BROKEN, "");
}
END_TEST

static const char *extra;

/* Sends more than its reply, at once or later; the next request gets a connection of its own. */
static void *peer_says_too_much(void *reply)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, reply);
	if (extra != NULL) {
		usleep(50 * 1000);
		peer_send(fd, extra);
	}
	int other = peer_accept();
	peer_read(other);
	peer_send(other, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine");
	peer_bye(other);
	close(fd);
	return NULL;
}

static void ask_twice(const char *reply, const char *later)
{
	struct heard heard;
	extra = later;
	begin(peer_says_too_much, reply);
	struct upstream_request request = request_of("GET", "/");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "hello");
	if (later != NULL)
		usleep(200 * 1000); /* the bytes lie in the socket, and the loop has not run */
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "mine");
	finish();
}

#define EVIL "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

START_TEST(what_follows_a_reply_unasked_is_nobodys_reply)
{
	ask_twice("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" EVIL, NULL);
	ask_twice("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", EVIL);
	ask_twice("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "5\r\nhello\r\n0\r\n\r\n" EVIL,
		  NULL);
	/* with a length and a coding, or by HTTP/1.0, a connection serves no other */
	ask_twice("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
		  "5\r\nhello\r\n0\r\n\r\n",
		  NULL);
	ask_twice("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL);
	ask_twice("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello",
		  NULL);
}
END_TEST

/* In segments of one to three bytes. */
static void *peer_sends_in_crumbs(void *reply)
{
	const int on = 1;
	const char *text = reply;
	int fd = peer_accept();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peer_read(fd);
	for (size_t at = 0, size = strlen(text), part; at < size; at += part) {
		part = at % 3 + 1 < size - at ? at % 3 + 1 : size - at;
		(void)send(fd, text + at, part, MSG_NOSIGNAL);
		usleep(300);
	}
	close(fd);
	return NULL;
}

START_TEST(a_reply_is_the_same_however_it_is_cut)
{
	static const char *const replies[] = {
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
		"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 11\r\n\r\nhello world",
		"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1;x=\"y\"\r\nh\r\n00a\r\nello world\r\n0\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 200 OK\nA: b\n\nhello world",
	};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct heard heard = hear(peer_sends_in_crumbs, replies[i], "GET");
		ck_assert_int_eq(heard.status, 200);
		ck_assert_uint_lt(slice_find(buffer_slice(&heard.fields), SLICE("A: b\n"), 0),
				  heard.fields.size);
		assert_heard(&heard, UPSTREAM_OK, "hello world");
	}
}
END_TEST

START_TEST(localhost_is_either_family)
{
	struct heard heard;
	char url[50];
	begin(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	(void)snprintf(url, sizeof(url), "http://localhost:%u/", peer.port);
	struct upstream_request request = request_of("GET", "/");
	request.url = url;
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	request.url = "http://[::1]:1/";
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_UNREACHABLE, "");
	finish();
}
END_TEST

static atomic_int tries;

static void *peer_dies_twice(void *argument)
{
	int fd = peer_accept();
	peer_read(fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	for (int i = 0; i < 2; i++) {
		peer_read(fd);
		atomic_fetch_add(&tries, 1);
		close(fd);
		fd = i == 0 ? peer_accept() : -1;
	}
	return argument;
}

START_TEST(a_request_is_tried_again_only_once)
{
	struct heard heard;
	begin(peer_dies_twice, NULL);
	struct upstream_request request = request_of("GET", "/");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_OK, "ok");
	fetch(&request, &heard);
	assert_heard(&heard, UPSTREAM_BROKEN, "");
	finish();
	ck_assert_int_eq(atomic_load(&tries), 2);
}
END_TEST

UNIT_MAIN("upstream_plain", a_reply_that_others_might_read_differently_is_refused,
	  what_follows_a_reply_unasked_is_nobodys_reply, a_reply_is_the_same_however_it_is_cut,
	  localhost_is_either_family, a_request_is_tried_again_only_once)
