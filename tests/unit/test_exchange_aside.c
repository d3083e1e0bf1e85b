/* Exchanges that memory takes little part in: side requests, and replies in a coding. */
#include "tests/unit/exchange_fixture.h"

#define SHORT "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort"
#define CODED "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\n"

START_TEST(a_side_request_is_told_so_and_has_no_receipt)
{
	struct proxy proxy;
	proxy_begin(&proxy, "[memory]\nmode = buffer\n");
	struct side client = proxy_ask(&proxy, "alex", "X-Memory-Task: title\r\n", "A title?");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, SHORT);
	side_await(&client, "short");
	ck_assert(side_has(&client, "X-Memory-Status: side\r\n"));
	ck_assert(!side_has(&client, "X-Memory-Receipt"));
	side_close(&upstream);
	side_close(&client);
	proxy_await_rest(&proxy);
	ck_assert_str_eq(proxy_memory(&proxy, "alex"), "");
	proxy_finish(&proxy);
}
END_TEST

START_TEST(no_error_event_is_put_into_a_coded_stream_that_falls_silent)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, "idle_timeout = 100ms\n[memory]\nmode = buffer\n", &client,
		       &upstream);
	side_send(&upstream, CODED "half of it, and more");
	side_await_end(&client);
	ck_assert(side_has(&client, "half of it"));
	ck_assert(!side_has(&client, "upstream_timeout"));
	ck_assert(!side_has(&client, "\r\n0\r\n\r\n"));
	side_await_end(&upstream);
	proxy_await_rest(&proxy);
	proxy_finish(&proxy);
}
END_TEST

UNIT_MAIN("exchange_aside", a_side_request_is_told_so_and_has_no_receipt,
	  no_error_event_is_put_into_a_coded_stream_that_falls_silent)
