/* An exchange's life: the states it goes through, what its client gets, what memory keeps, and what
 * becomes of both when a neighbour leaves, stalls or answers nonsense. */
#include "tests/unit/proxy_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define EVENT(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define ANSWER(text)                                                                               \
	"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" text       \
	"\"},\"finish_reason\":\"stop\"}]}"

static const char *const buffer_mode = "[memory]\nmode = buffer\n";

static void send_answer(struct side *upstream, const char *head, const char *body)
{
	struct arena arena = {0};
	side_send(upstream,
		  arena_printf(&arena, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body)
			  .data);
	arena_finish(&arena);
}

static void assert_memory(struct proxy *proxy, const char *user, const char *expected)
{
	ck_assert_str_eq(proxy_memory(proxy, user), expected);
}

/* ---- from the request to the disk ---- */

START_TEST(a_stream_goes_through_all_states_and_its_end_waits_for_the_disk)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, "[memory]\nmode = buffer\ndurability = relaxed\n");
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, "first_byte_timeout = 100ms\n[memory]\nmode = buffer\n");
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, "idle_timeout = 100ms\n[memory]\nmode = buffer\n");
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	proxy_begin(&proxy, buffer_mode);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
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
	  an_upstream_that_cannot_be_reached_may_be_asked_again,
	  an_upstream_that_says_nothing_is_a_timeout_and_not_asked_again,
	  an_upstream_that_falls_silent_in_a_stream_is_told_by_an_error_event,
	  a_plain_reply_that_breaks_off_does_not_look_whole,
	  a_connection_that_breaks_behind_the_done_is_no_fault,
	  a_stream_closed_without_its_end_is_incomplete,
	  when_its_client_leaves_the_upstream_is_left_too,
	  what_came_until_the_client_left_is_kept_as_incomplete,
	  a_client_that_leaves_behind_the_answers_end_has_had_it,
	  a_client_that_leaves_while_the_disk_is_waited_for_loses_nothing,
	  a_client_that_does_not_read_stops_the_upstream_and_gets_all_once_it_reads,
	  what_comes_behind_the_done_is_held_up_while_the_disk_is_and_comes_behind_it)
