/* An exchange whose upstream fails, or whose client leaves. */
#include "tests/unit/exchange_fixture.h"

#include <sys/socket.h>

/* ---- the upstream fails ---- */

START_TEST(an_upstream_that_cannot_be_reached_may_be_asked_again)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	(void)shutdown(proxy.upstream, SHUT_RDWR); /* nobody listens now */
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	side_await(&client, "upstream_unreachable");
	ck_assert(side_has(&client, "HTTP/1.1 502 "));
	ck_assert(side_has(&client, "Retry-After: 1\r\n"));
	ck_assert(side_has(&client, "X-Memory-Status: empty\r\n"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_ERRORS_UPSTREAM), 1);
	assert_memory(&proxy, "alex", "");
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(an_upstream_that_says_nothing_is_a_timeout_and_not_asked_again)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, "first_byte_timeout = 100ms\n[memory]\nmode = buffer\n", &client,
		       &upstream);
	side_await(&client, "upstream_timeout");
	ck_assert(side_has(&client, "HTTP/1.1 504 "));
	ck_assert(!side_has(&client, "Retry-After"));
	proxy_await_rest(&proxy);
	side_await_end(&upstream);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(an_upstream_that_falls_silent_in_a_stream_is_told_by_an_error_event)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, "idle_timeout = 100ms\n[memory]\nmode = buffer\n", &client,
		       &upstream);
	side_send(&upstream, STREAM EVENT("Be") "data: {\"cut");
	side_await(&client, "upstream_timeout");
	side_await(&client, "\r\n0\r\n\r\n");
	ck_assert(side_has(&client, "\r\ndata: {\"error\":{"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_EXCHANGES_INCOMPLETE), 1);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Be~|");
	side_await_end(&upstream);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_plain_reply_that_breaks_off_does_not_look_whole)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	side_send(&upstream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "b\r\n{\"choices\":\r\n");
	side_await(&client, "{\"choices\"");
	side_reset(&upstream);
	side_await_end(&client);
	ck_assert(!side_has(&client, "error"));
	ck_assert(!side_has(&client, "\r\n0\r\n\r\n"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_ERRORS_UPSTREAM), 1);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_connection_that_breaks_behind_the_done_is_no_fault)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	side_send(&upstream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			     "Content-Length: 10000\r\n\r\n" EVENT("Hi") STOP DONE);
	side_await(&client, DONE);
	side_reset(&upstream);
	side_await_end(&client);
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_ERRORS_UPSTREAM), 0);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_stream_closed_without_its_end_is_incomplete)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	side_send(&upstream, STREAM EVENT("Ha"));
	side_close(&upstream);
	side_await(&client, "\r\n0\r\n\r\n");
	proxy_await_rest(&proxy);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Ha~|");
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

/* ---- the client leaves ---- */

START_TEST(when_its_client_leaves_the_upstream_is_left_too)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	side_close(&client);
	side_await_end(&upstream);
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_CLIENTS_GONE), 1);
	assert_memory(&proxy, "alex", "");
	proxy_finish(&proxy);
}
END_TEST

/* Gives what is remembered of a client that left after it had read `sent`. */
static void leave_behind(const char *sent, const char *read, const char *memory)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	side_send(&upstream, sent);
	side_await(&client, read);
	side_close(&client);
	side_await_end(&upstream);
	proxy_await_rest(&proxy);
	proxy_await_count(strchr(memory, '~') == NULL ? METRIC_EXCHANGES_JOURNALLED
						      : METRIC_EXCHANGES_INCOMPLETE,
			  1);
	proxy_stop(&proxy);
	fixture_reopen(&proxy.store); /* nobody waited for the commit */
	assert_memory(&proxy, "alex", memory);
	proxy_finish(&proxy);
}

START_TEST(what_came_until_the_client_left_is_kept_as_incomplete)
{
	leave_behind(STREAM EVENT("Ha"), EVENT("Ha"), "USER:Hello|ASSISTANT:Ha~|");
}
END_TEST

START_TEST(a_client_that_leaves_behind_the_answers_end_has_had_it)
{
	leave_behind(STREAM EVENT("Hi") STOP, STOP, "USER:Hello|ASSISTANT:Hi|");
}
END_TEST

START_TEST(a_client_that_leaves_while_the_disk_is_waited_for_loses_nothing)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	disk_hold();
	side_send(&upstream, STREAM EVENT("Hi") STOP DONE);
	proxy_await_state("committing", 1);
	side_close(&client);
	side_await_end(&upstream);
	proxy_await_rest(&proxy);
	disk_release();
	proxy_stop(&proxy);
	fixture_reopen(&proxy.store);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	proxy_finish(&proxy);
}
END_TEST

UNIT_MAIN("exchange_ends", an_upstream_that_cannot_be_reached_may_be_asked_again,
	  an_upstream_that_says_nothing_is_a_timeout_and_not_asked_again,
	  an_upstream_that_falls_silent_in_a_stream_is_told_by_an_error_event,
	  a_plain_reply_that_breaks_off_does_not_look_whole,
	  a_connection_that_breaks_behind_the_done_is_no_fault,
	  a_stream_closed_without_its_end_is_incomplete,
	  when_its_client_leaves_the_upstream_is_left_too,
	  what_came_until_the_client_left_is_kept_as_incomplete,
	  a_client_that_leaves_behind_the_answers_end_has_had_it,
	  a_client_that_leaves_while_the_disk_is_waited_for_loses_nothing)
