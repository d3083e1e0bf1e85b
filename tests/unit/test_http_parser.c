#include "proxy/http/parser.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 1024 };

/* Runs a head through both functions; returns the status it is refused with, 0 when it is taken. */
static int judge(struct slice bytes, struct http_head *head, struct arena *arena)
{
	struct http_refusal refusal = {0};
	size_t scanned = 0;
	size_t end = http_head_end(bytes, &scanned, &refusal);
	if (refusal.status == 0) {
		ck_assert_msg(end > 0, "not whole: %.*s", SLICE_PRINT(bytes));
		(void)http_head_parse(slice_part(bytes, 0, end), head, &refusal, arena);
	}
	ck_assert((refusal.status != 0) == (refusal.reason != NULL));
	return refusal.status;
}

static int status_of(struct slice bytes)
{
	struct arena arena = {0};
	struct http_head head;
	/* A copy of its very size, so that the sanitizer sees a read beyond it. */
	char *copy = xmalloc(bytes.size);
	memcpy(copy, bytes.data, bytes.size);
	int status = judge((struct slice){copy, bytes.size}, &head, &arena);
	free(copy);
	arena_finish(&arena);
	return status;
}

struct judged {
	int status;
	struct slice bytes;
};

#define POST(fields) SLICE("POST /v1/x HTTP/1.1\r\nHost: h\r\n" fields "\r\n")
#define LINE(line) SLICE(line "\r\nHost: h\r\n\r\n")

static const struct judged table[] = {
	/* Bodies' lengths. */
	{400, POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
	{400, POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
	{400, POST("Content-Length: 3\r\nContent-Length: 4\r\n")},
	{400, POST("Content-Length: 3\r\ncontent-length: 3\r\n")},
	{400, POST("Content-Length: +3\r\n")},
	{400, POST("Content-Length: -3\r\n")},
	{400, POST("Content-Length: 3 4\r\n")},
	{400, POST("Content-Length: 3, 3\r\n")},
	{400, POST("Content-Length: 0x3\r\n")},
	{400, POST("Content-Length: 3\t\r\n")},
	{400, POST("Content-Length:\t3\r\n")},
	{400, POST("Content-Length: \"3\"\r\n")},
	{400, POST("Content-Length:\r\n")},
	{0, POST("Content-Length: 3\r\n")},
	{0, POST("Content-Length:3\r\n")},
	{0, POST("content-LENGTH:  00003  \r\n")},
	{0, POST("Content-Length: 99999999999999999999999\r\n")},
	{0, POST("Transfer-Encoding: Chunked\r\n")},
	{400, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
	{501, POST("Transfer-Encoding: gzip, chunked\r\n")},
	{501, POST("Transfer-Encoding: xchunked\r\n")},
	{501, POST("Transfer-Encoding: chunked, identity\r\n")},
	{501, POST("Transfer-Encoding: identity\r\n")},
	{501, POST("Transfer-Encoding: \tchunked\r\n")},
	{501, POST("Transfer-Encoding:\r\n")},
	{400, SLICE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{400, SLICE("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")},
	{400, SLICE("GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n")},
	{0, SLICE("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")},
	{400, SLICE("TRACE / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")},
	{400, SLICE("TRACE / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")},
	{0, SLICE("DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")},
	/* Fields. */
	{400, POST("Content-Length : 3\r\n")},
	{400, POST("Transfer-Encoding : chunked\r\n")},
	{400, POST("Content-Length\t: 3\r\n")},
	{400, POST(": v\r\n")},
	{400, POST("a b: v\r\n")},
	{400, POST("a(b): v\r\n")},
	{400, POST("\xc3\xa4: v\r\n")},
	{400, POST("no colon\r\n")},
	{400, POST("X: a\0b\r\n")},
	{400, POST("X: a\x01"
		   "b\r\n")},
	{400, POST("X: a\x7f\r\n")},
	{400, POST("X: a\x0b\r\n")},
	{400, POST("X: a\r\n b\r\n")},
	{400, POST("X: a\r\n\tb\r\n")},
	{400, SLICE("GET / HTTP/1.1\r\n Host: h\r\n\r\n")},
	{400, POST("X: a\nY: b\r\n")},
	{400, POST("X: a\rY: b\r\n")},
	{400, POST("X: a\r\r\n")},
	{400, SLICE("GET / HTTP/1.1\nHost: h\n\n")},
	{400, SLICE("GET / HTTP/1.1\r\nHost: h\r\n\n")},
	{400, SLICE("GET / HTTP/1.1\rHost: h\r\r")},
	{0, POST("X: a\tb\r\n")},
	{0, POST("X: \xc3\xa4\r\n")},
	{0, POST("X:\r\n")},
	{0, POST("!#$%&'*+-.^_`|~0: v\r\n")},
	{400, SLICE("GET / HTTP/1.1\r\n\r\n")},
	{400, SLICE("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")},
	{400, SLICE("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")},
	{400, SLICE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
	{400, SLICE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n")},
	{0, SLICE("GET / HTTP/1.0\r\n\r\n")},
	{417, POST("Expect: 200-ok\r\n")},
	{0, POST("Expect: 100-Continue\r\nContent-Length: 1\r\n")},
	/* Request lines. */
	{400, LINE("GET / foo HTTP/1.1")},
	{400, LINE("GET /a b HTTP/1.1")},
	{400, LINE("GET  / HTTP/1.1")},
	{400, LINE("GET /  HTTP/1.1")},
	{400, LINE(" GET / HTTP/1.1")},
	{400, LINE(" / HTTP/1.1")},
	{400, LINE("GET\t/\tHTTP/1.1")},
	{400, LINE("GET / HTTP/1.1 ")},
	{400, LINE("GET /")},
	{400, LINE("GET")},
	{400, LINE("G(T / HTTP/1.1")},
	{400, LINE("GET /\x01 HTTP/1.1")},
	{400, LINE("GET /\x7f HTTP/1.1")},
	{400, LINE("GET /\xc3\xa4 HTTP/1.1")},
	{400, LINE("GET /a#b HTTP/1.1")},
	{400, LINE("GET x HTTP/1.1")},
	{400, LINE("GET * HTTP/1.1")},
	{400, LINE("GET h:80 HTTP/1.1")},
	{400, LINE("GET ftp://h/ HTTP/1.1")},
	{400, LINE("GET http:// HTTP/1.1")},
	{400, LINE("GET http:///x HTTP/1.1")},
	{400, LINE("GET http://user@h/x HTTP/1.1")},
	{501, LINE("CONNECT h:80 HTTP/1.1")},
	{505, LINE("GET / HTTP/1.2")},
	{505, LINE("GET / HTTP/2.0")},
	{505, LINE("GET / HTTP/0.9")},
	{505, LINE("PRI * HTTP/2.0")},
	{400, LINE("GET / HTTP/1.10")},
	{400, LINE("GET / http/1.1")},
	{400, LINE("GET / HTTP/1,1")},
	{0, LINE("\r\n\r\nGET / HTTP/1.1")},
	{400, LINE("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1")},
	{0, LINE("OPTIONS * HTTP/1.1")},
	{0, LINE("M-SEARCH /x?y=%20&z=\"{} HTTP/1.1")},
};

START_TEST(each_request_is_refused_or_taken_as_the_table_says)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int status = status_of(table[i].bytes);
		ck_assert_msg(status == table[i].status, "%d instead of %d: %.*s", status,
			      table[i].status, SLICE_PRINT(table[i].bytes));
	}
}
END_TEST

START_TEST(a_head_that_comes_byte_by_byte_is_judged_as_in_one_piece)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct http_refusal refusal = {0};
		size_t scanned = 0;
		size_t end = 0;
		size_t size = 0;
		while (end == 0 && refusal.status == 0) {
			ck_assert_uint_lt(size, table[i].bytes.size);
			end = http_head_end(slice_part(table[i].bytes, 0, ++size), &scanned,
					    &refusal);
		}
		struct arena arena = {0};
		struct http_head head;
		if (refusal.status == 0)
			(void)http_head_parse(slice_part(table[i].bytes, 0, end), &head, &refusal,
					      &arena);
		ck_assert_int_eq(refusal.status, table[i].status);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(a_head_ends_at_its_empty_line_and_not_in_what_follows)
{
	struct slice bytes = SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\n\n\0rest");
	struct http_refusal refusal = {0};
	size_t scanned = 0;
	ck_assert_uint_eq(http_head_end(bytes, &scanned, &refusal), 27);
	ck_assert_int_eq(refusal.status, 0);
}
END_TEST

static int status_of_filled(const char *begin, const char *piece, size_t times)
{
	struct buffer buffer;
	buffer_init(&buffer, 1024 * 1024);
	buffer_append(&buffer, slice_of(begin));
	for (size_t i = 0; i < times; i++)
		buffer_append(&buffer, slice_of(piece));
	buffer_append(&buffer, SLICE("\r\n\r\n"));
	int status = status_of(buffer_slice(&buffer));
	buffer_finish(&buffer);
	return status;
}

START_TEST(a_head_that_is_too_long_or_has_too_many_fields_is_refused)
{
	const char *field = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
	ck_assert_int_eq(status_of_filled(field, "x", HTTP_MAX_HEAD - 28 - 4), 0);
	ck_assert_int_eq(status_of_filled(field, "x", HTTP_MAX_HEAD - 28 - 3), 431);
	ck_assert_int_eq(status_of_filled(field, "x", 2 * HTTP_MAX_HEAD), 431);
	ck_assert_int_eq(status_of_filled("GET /", "x", HTTP_MAX_HEAD), 431);
	ck_assert_int_eq(status_of_filled("GET / HTTP/1.1\r\nHost: h", "\r\na: b", 255), 0);
	ck_assert_int_eq(status_of_filled("GET / HTTP/1.1\r\nHost: h", "\r\na: b", 256), 431);
}
END_TEST

START_TEST(a_head_is_read_as_it_was_meant)
{
	struct arena arena = {0};
	struct http_head head;
	struct slice bytes = SLICE("POST /v1/x?a=b HTTP/1.1\r\nhOsT: h:80\r\nX-Two:  a b \t\r\n"
				   "Empty:\r\nContent-Length: 12\r\nExpect: 100-continue\r\n"
				   "Upgrade: websocket\r\nx-two: second\r\n\r\n");
	ck_assert_int_eq(judge(bytes, &head, &arena), 0);
	unit_assert_slice(head.method, "POST");
	unit_assert_slice(head.target, "/v1/x?a=b");
	ck_assert_int_eq(head.minor_version, 1);
	ck_assert_uint_eq(head.field_count, 7);
	unit_assert_slice(head.fields[0].name, "hOsT");
	unit_assert_slice(http_field_value(head.fields, 7, SLICE("X-TWO")), "a b");
	ck_assert_ptr_nonnull(http_field_value(head.fields, 7, SLICE("empty")).data);
	ck_assert_ptr_null(http_field_value(head.fields, 7, SLICE("absent")).data);
	ck_assert(head.has_length && head.length == 12 && !head.chunked);
	ck_assert(head.keep_alive && head.expect_continue && head.upgrade);
	arena_finish(&arena);
}
END_TEST

static void assert_target(struct slice bytes, const char *expected)
{
	struct arena arena = {0};
	struct http_head head;
	ck_assert_int_eq(judge(bytes, &head, &arena), 0);
	unit_assert_slice(head.target, expected);
	arena_finish(&arena);
}

START_TEST(an_absolute_target_is_reduced_to_its_origin_form)
{
	assert_target(LINE("GET http://h:80/a/b?c HTTP/1.1"), "/a/b?c");
	assert_target(LINE("GET HTTPS://h HTTP/1.1"), "/");
	assert_target(LINE("GET http://h?a=b HTTP/1.1"), "/?a=b");
	assert_target(LINE("OPTIONS http://h HTTP/1.1"), "*");
	assert_target(LINE("GET //h/../x HTTP/1.1"), "//h/../x");
}
END_TEST

static bool keeps_alive(struct slice bytes)
{
	struct arena arena = {0};
	struct http_head head;
	ck_assert_int_eq(judge(bytes, &head, &arena), 0);
	arena_finish(&arena);
	return head.keep_alive;
}

START_TEST(the_connection_field_is_read_as_a_list)
{
	ck_assert(keeps_alive(POST("")));
	ck_assert(!keeps_alive(POST("Connection: close\r\n")));
	ck_assert(!keeps_alive(POST("Connection: keep-alive, Close\r\n")));
	ck_assert(!keeps_alive(POST("Connection: keep-alive\r\nConnection: x ,close, y\r\n")));
	ck_assert(keeps_alive(POST("Connection: closed, xclose\r\n")));
	ck_assert(!keeps_alive(SLICE("GET / HTTP/1.0\r\n\r\n")));
	ck_assert(keeps_alive(SLICE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")));
	ck_assert(!keeps_alive(SLICE("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n")));
}
END_TEST

START_TEST(a_line_is_parted_at_its_first_colon)
{
	struct http_field field = http_field_of_line(SLICE("api-key:  a:b "));
	unit_assert_slice(field.name, "api-key");
	unit_assert_slice(field.value, "a:b");
	field = http_field_of_line((struct slice){0});
	ck_assert_uint_eq(field.name.size + field.value.size, 0);
}
END_TEST

START_TEST(hop_by_hop_fields_are_known_and_named_by_connection)
{
	const struct http_field fields[] = {{SLICE("Connection"), SLICE("X-Mine, close")}};
	ck_assert(http_field_is_hop_by_hop(fields, 1, SLICE("x-mine")));
	ck_assert(http_field_is_hop_by_hop(fields, 1, SLICE("transfer-encoding")));
	ck_assert(http_field_is_hop_by_hop(NULL, 0, SLICE("TE")));
	ck_assert(!http_field_is_hop_by_hop(fields, 1, SLICE("X-Other")));
}
END_TEST

/* Decodes in pieces of `step` bytes. The status, or -1 while it is not finished. */
static int decode(struct slice bytes, size_t step, struct buffer *body, size_t *taken)
{
	struct http_chunks chunks = {0};
	struct http_refusal refusal = {0};
	buffer_init(body, BODY_LIMIT);
	*taken = 0;
	while (*taken < bytes.size && !chunks.finished && refusal.status == 0) {
		size_t end = *taken + step < bytes.size ? *taken + step : bytes.size;
		*taken += http_chunks_read(&chunks, slice_part(bytes, *taken, end), body, &refusal);
	}
	return refusal.status != 0 ? refusal.status : chunks.finished ? 0 : -1;
}

static const struct judged bodies[] = {
	{0, SLICE("3\r\nabc\r\n0\r\n\r\n")},
	{0, SLICE("0003\r\nabc\r\n000\r\n\r\n")},
	{0, SLICE("3;name=\"v w\"\r\nabc\r\n0;x\r\n\r\n")},
	{0, SLICE("1\r\na\r\n2\r\nbc\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n")},
	{400, SLICE("0x3\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("+3\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("-3\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE(" 3\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("3 \r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("g\r\n")},
	{400, SLICE("\r\n")},
	{400, SLICE(";x\r\n")},
	{400, SLICE("3\nabc\r\n0\r\n\r\n")},
	{400, SLICE("3\rabc\r\n0\r\n\r\n")},
	{400, SLICE("3\rxabc\r\n0\r\n\r\n")},
	{400, SLICE("3x\nabc\r\n0\r\n\r\n")},
	{400, SLICE("3;a\nb\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("3;a\0b\r\nabc\r\n0\r\n\r\n")},
	{400, SLICE("3\r\nabcd\r\n0\r\n\r\n")},
	{400, SLICE("3\r\nabc0\r\n\r\n")},
	{400, SLICE("3\r\nabc\n0\r\n\r\n")},
	{400, SLICE("3\r\nabcx\n0\r\n\r\n")},
	{400, SLICE("3\r\nabc\rx0\r\n\r\n")},
	{400, SLICE("00000000000000003\r\n")},
	{413, SLICE("FFFFFFFFFFFFFFFF\r\n")},
	{413, SLICE("401\r\n")},
	{400, SLICE("0\r\nTrailer: x\n\r\n")},
	{400, SLICE("0\r\nTrailer: \x01\r\n\r\n")},
	{400, SLICE("0\r\n\rx")},
	{-1, SLICE("3\r\nabc\r\n0\r\n\r")},
	{-1, SLICE("400\r\nabc")},
};

START_TEST(a_chunked_body_is_decoded_or_refused_however_it_is_torn)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		for (size_t step = 1; step < 20; step++) {
			struct buffer body;
			size_t taken;
			int status = decode(bodies[i].bytes, step, &body, &taken);
			ck_assert_msg(status == bodies[i].status, "%d instead of %d: %.*s", status,
				      bodies[i].status, SLICE_PRINT(bodies[i].bytes));
			if (status == 0)
				unit_assert_slice(buffer_slice(&body), "abc");
			buffer_finish(&body);
		}
	}
}
END_TEST

START_TEST(a_chunked_body_ends_where_the_next_request_begins)
{
	struct buffer body;
	size_t taken;
	ck_assert_int_eq(decode(SLICE("1\r\na\r\n0\r\n\r\nGET /"), 100, &body, &taken), 0);
	ck_assert_uint_eq(taken, 11);
	buffer_finish(&body);
}
END_TEST

static int decode_filled(const char *begin, const char *piece, size_t times)
{
	struct buffer bytes;
	struct buffer body;
	size_t taken;
	buffer_init(&bytes, 1024 * 1024);
	buffer_append(&bytes, slice_of(begin));
	for (size_t i = 0; i < times; i++)
		buffer_append(&bytes, slice_of(piece));
	int status = decode(buffer_slice(&bytes), 1000, &body, &taken);
	buffer_finish(&bytes);
	buffer_finish(&body);
	return status;
}

START_TEST(what_comes_with_chunks_has_a_bound)
{
	ck_assert_int_eq(decode_filled("3;", "x", HTTP_MAX_CHUNK_LINE - 1), -1);
	ck_assert_int_eq(decode_filled("3;", "x", HTTP_MAX_CHUNK_LINE), 400);
	ck_assert_int_eq(decode_filled("0\r\n", "a: b\r\n", HTTP_MAX_HEAD / 6), -1);
	ck_assert_int_eq(decode_filled("0\r\n", "a: b\r\n", HTTP_MAX_HEAD / 6 + 1), 431);
	ck_assert_int_eq(decode_filled("", "1\r\nx\r\n", BODY_LIMIT), -1);
	ck_assert_int_eq(decode_filled("", "1\r\nx\r\n", BODY_LIMIT + 1), 413);
}
END_TEST

UNIT_MAIN("http_parser", each_request_is_refused_or_taken_as_the_table_says,
	  a_head_that_comes_byte_by_byte_is_judged_as_in_one_piece,
	  a_head_ends_at_its_empty_line_and_not_in_what_follows,
	  a_head_that_is_too_long_or_has_too_many_fields_is_refused, a_head_is_read_as_it_was_meant,
	  an_absolute_target_is_reduced_to_its_origin_form, the_connection_field_is_read_as_a_list,
	  a_line_is_parted_at_its_first_colon, hop_by_hop_fields_are_known_and_named_by_connection,
	  a_chunked_body_is_decoded_or_refused_however_it_is_torn,
	  a_chunked_body_ends_where_the_next_request_begins, what_comes_with_chunks_has_a_bound)
