/* An exchange's life: the states it goes through, what its client gets, what memory keeps, and how
 * little of it a request has that memory takes no part in. */
#include "tests/unit/exchange_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* ---- from the request to the disk ---- */

START_TEST(a_stream_goes_through_all_states_and_its_end_waits_for_the_disk)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	ck_assert(side_has(&upstream, "POST /v1/chat/completions HTTP/1.1\r\n"));
	ck_assert(!side_has(&upstream, "alex"));
	proxy_await_state("waiting", 1);
	side_send(&upstream, STREAM EVENT("Hi"));
	side_await(&client, EVENT("Hi"));
	ck_assert(side_has(&client, "X-Memory-Status: empty\r\nX-Memory-Mode: buffer\r\n"));
	ck_assert(side_has(&client, "X-Memory-Receipt: "));
	proxy_await_state("waiting", 0);
	proxy_await_state("relaying", 1);
	disk_hold();
	side_send(&upstream, STOP DONE);
	side_await(&client, STOP);
	proxy_await_state("committing", 1);
	proxy_await_state("relaying", 0);
	disk_await();
	side_look(&client);
	ck_assert(!side_has(&client, "[DONE]"));
	disk_release();
	side_await(&client, DONE);
	proxy_await_state("relaying", 1); /* until the upstream has ended too */
	side_close(&upstream);
	side_await(&client, "\r\n0\r\n\r\n");
	proxy_await_rest(&proxy);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	ck_assert_uint_eq(metrics_counter(METRIC_EXCHANGES_JOURNALLED), 1);
	ck_assert_uint_eq(metrics_counter(METRIC_REQUESTS_EMPTY), 1);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(the_last_byte_of_a_plain_reply_waits_for_the_disk)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	disk_hold();
	send_answer(&upstream, "HTTP/1.1 200 OK\r\n", ANSWER("Hi"));
	side_await(&client, "\"finish_reason\":\"stop\"}]");
	proxy_await_state("committing", 1);
	disk_await();
	side_look(&client);
	ck_assert(!side_has(&client, ANSWER("Hi")));
	disk_release();
	side_await(&client, ANSWER("Hi"));
	proxy_await_rest(&proxy);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_disk_that_takes_more_than_two_seconds_is_not_waited_for)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	disk_hold();
	side_send(&upstream, STREAM EVENT("Hi") STOP DONE);
	side_close(&upstream);
	side_await(&client, DONE);
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_BYPASS_COMMIT), 1);
	disk_release();
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(with_relaxed_durability_nothing_waits_for_the_disk)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, "[memory]\nmode = buffer\ndurability = relaxed\n", &client,
		       &upstream);
	disk_hold();
	side_send(&upstream, STREAM EVENT("Hi") STOP DONE);
	side_close(&upstream);
	disk_await();
	side_await(&client, "\r\n0\r\n\r\n");
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_BYPASS_COMMIT), 0);
	disk_release();
	side_close(&client);
	proxy_stop(&proxy);
	fixture_reopen(&proxy.store);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	proxy_finish(&proxy);
}
END_TEST

/* ---- what was put in ---- */

/* A first exchange, so that the next request of the session gets it put in. */
static void make_known(struct proxy *proxy)
{
	struct side client = proxy_ask(proxy, "alex", "X-Session-Id: s\r\n", "My cat is Tom");
	struct side upstream = proxy_asked(proxy);
	send_answer(&upstream, "HTTP/1.1 200 OK\r\n", ANSWER("Noted"));
	side_await(&client, ANSWER("Noted"));
	proxy_await_rest(proxy);
	side_close(&client);
	side_close(&upstream);
}

START_TEST(what_is_known_goes_up_with_the_request)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	make_known(&proxy);
	struct side client = proxy_ask(&proxy, "alex", "X-Session-Id: s\r\n", "Who is Tom?");
	struct side upstream = proxy_asked(&proxy);
	ck_assert(side_has(&upstream, "My cat is Tom"));
	send_answer(&upstream, "HTTP/1.1 200 OK\r\n", ANSWER("Your cat"));
	side_await(&client, ANSWER("Your cat"));
	ck_assert(side_has(&client, "X-Memory-Status: injected\r\n"));
	ck_assert_uint_eq(metrics_counter(METRIC_REQUESTS_INJECTED), 1);
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

static void refuse(const char *line, bool again)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	make_known(&proxy);
	struct side client = proxy_ask(&proxy, "alex", "X-Session-Id: s\r\n", "Who is Tom?");
	struct side upstream = proxy_asked(&proxy);
	send_answer(&upstream, line, "{\"error\":\"no\"}");
	side_close(&upstream);
	if (again) {
		upstream = proxy_asked(&proxy);
		ck_assert(!side_has(&upstream, "My cat is Tom"));
		ck_assert(side_has(&upstream, "Who is Tom?"));
		send_answer(&upstream, line, "{\"error\":\"still no\"}");
		side_close(&upstream);
	}
	side_await(&client, again ? "{\"error\":\"still no\"}" : "{\"error\":\"no\"}");
	ck_assert(side_has(&client, again ? "X-Memory-Status: bypassed\r\n"
					  : "X-Memory-Status: injected\r\n"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_BYPASS_REFUSED), again);
	ck_assert(!side_is_asked(&proxy));
	side_close(&client);
	proxy_finish(&proxy);
}

START_TEST(a_refusal_of_what_was_put_in_is_asked_once_more_without_it)
{
	refuse("HTTP/1.1 400 Bad Request\r\n", true);
}
END_TEST

START_TEST(a_body_that_memory_made_too_large_is_sent_once_more_without_it)
{
	refuse("HTTP/1.1 413 Content Too Large\r\n", true);
}
END_TEST

START_TEST(a_refusal_of_something_else_passes)
{
	refuse("HTTP/1.1 401 Unauthorized\r\n", false);
}
END_TEST

START_TEST(a_refusal_of_what_the_client_sent_alone_passes)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	send_answer(&upstream, "HTTP/1.1 400 Bad Request\r\n", "{\"error\":\"no\"}");
	side_await(&client, "{\"error\":\"no\"}");
	proxy_await_rest(&proxy);
	ck_assert(!side_is_asked(&proxy));
	assert_memory(&proxy, "alex", "");
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_dry_run_shows_the_request_and_sends_nothing)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	make_known(&proxy);
	struct side client = proxy_ask(&proxy, "alex", "X-Session-Id: s\r\nX-Memory-Dry-Run: 1\r\n",
				       "Who is Tom?");
	side_await(&client, "Who is Tom?");
	ck_assert(side_has(&client, "My cat is Tom"));
	ck_assert(!side_has(&client, "X-Memory-Receipt"));
	proxy_await_rest(&proxy);
	ck_assert(!side_is_asked(&proxy));
	assert_memory(&proxy, "alex", "USER:My cat is Tom|ASSISTANT:Noted|");
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

/* ---- requests that memory has no part in ---- */

START_TEST(another_path_passes_and_a_named_user_is_told_that_it_has_no_memory)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "POST /v1/completions?a=b HTTP/1.1\r\nHost: localhost\r\n"
			   "X-User-Id: alex\r\nContent-Length: 2\r\n\r\n{}");
	struct side upstream = proxy_asked(&proxy);
	ck_assert(side_has(&upstream, "POST /v1/completions?a=b HTTP/1.1\r\n"));
	send_answer(&upstream, "HTTP/1.1 200 OK\r\n", "passed");
	side_await(&client, "passed");
	ck_assert(side_has(&client, "X-Memory-Status: none\r\n"));
	ck_assert(!side_has(&client, "X-Memory-Mode"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_WITHOUT_COMPLETIONS), 1);
	ck_assert_uint_eq(metrics_counter(METRIC_REQUESTS_OTHER), 1);
	assert_memory(&proxy, "alex", "");
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(who_names_no_user_is_told_nothing_of_memory_elsewhere)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, "HTTP/1.1 204 No Content\r\n\r\n");
	side_await(&client, "\r\n\r\n");
	ck_assert(side_has(&client, "HTTP/1.1 204 No Content\r\n"));
	ck_assert(!side_has(&client, "X-Memory"));
	ck_assert(!side_has(&client, "Transfer-Encoding"));
	proxy_await_rest(&proxy);
	ck_assert_uint_eq(metrics_counter(METRIC_WITHOUT_MODELS), 0);
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(the_path_names_a_user_and_is_cut_off)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "GET /u/alex/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct side upstream = proxy_asked(&proxy);
	ck_assert(side_has(&upstream, "GET /v1/models HTTP/1.1\r\n"));
	send_answer(&upstream, "HTTP/1.1 200 OK\r\n", "passed");
	side_await(&client, "passed");
	ck_assert(side_has(&client, "X-Memory-Status: none\r\n"));
	side_close(&client);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

static void assert_refused(const char *fields, const char *status, const char *code)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 15\r\n");
	side_send(&client, fields);
	side_send(&client, "\r\n{\"messages\":[]}");
	side_await(&client, code);
	ck_assert(side_has(&client, status));
	proxy_await_rest(&proxy);
	ck_assert(!side_is_asked(&proxy));
	ck_assert_uint_eq(metrics_counter(METRIC_ERRORS_CLIENT), 1);
	side_close(&client);
	proxy_finish(&proxy);
}

START_TEST(a_foreign_host_never_reaches_the_upstream)
{
	assert_refused("Host: evil.example\r\nOrigin: http://evil.example\r\n", "HTTP/1.1 421 ",
		       "\"foreign_host\"");
}
END_TEST

START_TEST(a_bad_id_never_reaches_the_upstream)
{
	assert_refused("Host: localhost\r\nX-User-Id: two words\r\n", "HTTP/1.1 400 ",
		       "\"invalid_user_id\"");
}
END_TEST

/* ---- back-pressure ---- */

/* Sends `piece` again and again until nothing more is taken; gives how many bytes were. */
static size_t send_until_stuck(struct side *side, struct slice piece, size_t most)
{
	enum { STUCK_MS = 300 };
	size_t sent = 0;
	struct pollfd room = {side->fd, POLLOUT, 0};
	(void)fcntl(side->fd, F_SETFL, O_NONBLOCK);
	while (sent < most && poll(&room, 1, STUCK_MS) > 0) {
		struct slice left = slice_part(piece, sent % piece.size, piece.size);
		ssize_t size = send(side->fd, left.data, left.size, MSG_NOSIGNAL);
		sent += size > 0 ? (size_t)size : 0;
	}
	(void)fcntl(side->fd, F_SETFL, 0);
	return sent;
}

START_TEST(a_client_that_does_not_read_stops_the_upstream_and_gets_all_once_it_reads)
{
	enum { MOST = 64 << 20 };
	static char piece[64 * 1024];
	struct proxy proxy;
	memset(piece, 'x', sizeof(piece));
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "GET /v1/large HTTP/1.0\r\nHost: localhost\r\n\r\n");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, "HTTP/1.1 200 OK\r\n\r\n");
	size_t sent = send_until_stuck(&upstream, (struct slice){piece, sizeof(piece)}, MOST);
	ck_assert_uint_lt(sent, MOST);
	side_close(&upstream);
	side_await_end(&client);
	struct slice seen = buffer_slice(client.seen);
	ck_assert_uint_eq(seen.size - slice_find(seen, SLICE("\r\n\r\n"), 0) - 4, sent);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(what_comes_behind_the_done_is_held_up_while_the_disk_is_and_comes_behind_it)
{
	enum { MOST = 64 << 20 };
	static const struct slice comment = {": nothing\n", 10};
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	disk_hold();
	side_send(&upstream, STREAM EVENT("Hi") STOP DONE);
	proxy_await_state("committing", 1);
	size_t sent = send_until_stuck(&upstream, comment, MOST);
	ck_assert_uint_lt(sent, MOST);
	disk_release();
	side_close(&upstream);
	side_await(&client, "\r\n0\r\n\r\n");
	ck_assert_uint_gt(client.seen->size, sent);
	proxy_await_rest(&proxy);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

UNIT_MAIN("exchange", a_stream_goes_through_all_states_and_its_end_waits_for_the_disk,
	  the_last_byte_of_a_plain_reply_waits_for_the_disk,
	  a_disk_that_takes_more_than_two_seconds_is_not_waited_for,
	  with_relaxed_durability_nothing_waits_for_the_disk,
	  what_is_known_goes_up_with_the_request,
	  a_refusal_of_what_was_put_in_is_asked_once_more_without_it,
	  a_body_that_memory_made_too_large_is_sent_once_more_without_it,
	  a_refusal_of_something_else_passes, a_refusal_of_what_the_client_sent_alone_passes,
	  a_dry_run_shows_the_request_and_sends_nothing,
	  another_path_passes_and_a_named_user_is_told_that_it_has_no_memory,
	  who_names_no_user_is_told_nothing_of_memory_elsewhere,
	  the_path_names_a_user_and_is_cut_off, a_foreign_host_never_reaches_the_upstream,
	  a_bad_id_never_reaches_the_upstream,
	  a_client_that_does_not_read_stops_the_upstream_and_gets_all_once_it_reads,
	  what_comes_behind_the_done_is_held_up_while_the_disk_is_and_comes_behind_it)
