#include "tests/unit/upstream_fixture.h"

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

START_TEST(a_chunks_size_may_have_blanks_behind_it)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				  "5  \r\nhello\r\n1\t;x=y\r\n!\r\n0 \r\n\r\n",
				  "GET");
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

START_TEST(the_coding_named_identity_is_none)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
				  "Content-Length: 5\r\n\r\nhello",
				  "GET");
	ck_assert(heard.has_length && heard.length == 5 && !heard.until_close);
	unit_assert_slice(buffer_slice(&heard.fields), "OK\nContent-Length: 5\n");
	assert_heard(&heard, UPSTREAM_OK, "hello");
	heard = hear(peer_replies_and_closes,
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: Identity\r\n\r\nhello", "GET");
	ck_assert(heard.until_close);
	assert_heard(&heard, UPSTREAM_OK, "hello");
	heard = hear(peer_replies,
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n\r\n"
		     "5\r\nhello\r\n0\r\n\r\n",
		     "GET");
	assert_heard(&heard, UPSTREAM_OK, "hello");
}
END_TEST

START_TEST(nobody_calls_off_what_tells_where_a_body_ends)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 200 OK\r\nConnection: Content-Length, content-type\r\n"
				  "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello"
				  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
				  "GET");
	ck_assert(heard.has_length && heard.length == 5);
	unit_assert_slice(buffer_slice(&heard.fields),
			  "OK\nContent-Type: a/b\nContent-Length: 5\n");
	assert_heard(&heard, UPSTREAM_OK, "hello");
}
END_TEST

START_TEST(a_204_is_heard_without_its_length_and_body)
{
	struct heard heard = hear(
		peer_replies, "HTTP/1.1 204 None\r\nContent-Length: 5\r\nA: b\r\n\r\nhello", "GET");
	ck_assert(!heard.has_length && !heard.until_close);
	unit_assert_slice(buffer_slice(&heard.fields), "None\nA: b\n");
	assert_heard(&heard, UPSTREAM_OK, "");
}
END_TEST

START_TEST(a_switch_of_protocols_that_was_not_asked_for_is_a_fault)
{
	struct heard heard = hear(peer_replies,
				  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				  "Connection: Upgrade\r\n\r\n",
				  "GET");
	ck_assert_ptr_nonnull(strstr(heard.detail, "switched protocols"));
	assert_heard(&heard, UPSTREAM_BROKEN, "");
}
END_TEST

START_TEST(replies_without_a_body_end_at_their_head)
{
	struct heard heard =
		hear(peer_replies, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HEAD");
	ck_assert(heard.has_length && heard.length == 99 && heard.heads == 1);
	assert_heard(&heard, UPSTREAM_OK, "");
	heard = hear(peer_replies, "HTTP/1.1 200 OK\r\n\r\n", "HEAD");
	ck_assert(heard.heads == 1 && !heard.until_close);
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
		"HTTP/1.1 200 OK\r\nHTTP/x: 404 q\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nHTTP/1.1 404 q\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct heard heard = hear(peer_replies_and_closes, broken[i], "GET");
		assert_heard(&heard, UPSTREAM_BROKEN, "");
		ck_assert_str_ne(heard.detail, "No error");
	}
	struct heard heard = hear(peer_replies_and_closes,
				  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "GET");
	assert_heard(&heard, UPSTREAM_BROKEN, "hel");
	heard = hear(peer_replies_and_closes,
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "GET");
	assert_heard(&heard, UPSTREAM_BROKEN, "hel");
}
END_TEST

START_TEST(a_head_with_an_endless_line_is_the_upstreams_fault)
{
	struct buffer head;
	buffer_init(&head, SIZE_MAX);
	(void)buffer_append(&head, SLICE("HTTP/1.1 200 OK\r\nX: "));
	while (head.size < 104 * 1024)
		(void)buffer_append(&head, SLICE("aaaaaaaaaaaaaaaa"));
	(void)buffer_append(&head, (struct slice){"\r\n\r\n", 5});
	struct heard heard = hear(peer_replies_and_closes, head.data, "GET");
	assert_heard(&heard, UPSTREAM_BROKEN, "");
	ck_assert_str_eq(heard.detail, "The upstream sent a head that is too long.");
	buffer_finish(&head);
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

/* Two connections, a request each: none may come on the one whose body may have been overlooked. */
static void *peer_replies_on_two(void *text)
{
	for (int i = 0; i < 2; i++) {
		int fd = peer_accept();
		peer_read(fd);
		peer_send(fd, text);
		peer_bye(fd);
	}
	return NULL;
}

START_TEST(a_body_that_may_be_overlooked_is_its_connections_last)
{
	struct heard heard;
	begin(peer_replies_on_two, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	static const char *const methods[] = {"GET", "DELETE"};
	for (int i = 0; i < 2; i++) {
		struct upstream_request request = request_of(methods[i], "/");
		request.has_body = true;
		request.body = &SLICE("a body");
		request.body_count = 1;
		fetch(&request, &heard);
		assert_heard(&heard, UPSTREAM_OK, "ok");
	}
	struct slice got = buffer_slice(&peer.request);
	ck_assert(slice_starts_with(got, SLICE("DELETE / HTTP/1.1\r\n")));
	ck_assert(slice_ends_with(got, SLICE("\r\nContent-Length: 6\r\n\r\na body")));
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
	  a_chunks_size_may_have_blanks_behind_it, a_reply_until_close_is_marked_as_such,
	  the_coding_named_identity_is_none, nobody_calls_off_what_tells_where_a_body_ends,
	  a_204_is_heard_without_its_length_and_body,
	  a_switch_of_protocols_that_was_not_asked_for_is_a_fault,
	  replies_without_a_body_end_at_their_head,
	  a_connection_that_breaks_is_told_from_one_that_ends,
	  a_head_with_an_endless_line_is_the_upstreams_fault,
	  a_request_goes_out_as_it_was_given_and_nothing_is_added,
	  a_bare_origin_is_asked_for_its_root, a_body_goes_out_with_its_length_also_when_empty,
	  a_body_that_may_be_overlooked_is_its_connections_last,
	  a_proxy_is_asked_with_the_whole_url)
