/* The relay: bytes go to the client unchanged, the end waits here while it is held, a slow client
 * is told of, and a stream that broke off ends in one error event that the client can read. */
#include "tests/unit/http_fixture.h"

#include "proxy/exchange/relay.h"

#include <stdlib.h>
#include <zlib.h>

static struct client client;
static struct relay relay;

/* A client whose request waits for its reply, and a relay to it. */
static void begin_in(const struct dialect *dialect, bool is_stream, bool learns, bool holds,
		     const char *coding)
{
	start(&usual);
	memset(&handler, 0, sizeof(handler));
	handler.holds = true;
	client = client_open();
	client_send(&client, SLICE(GET("/")));
	WAIT_UNTIL(handler.held[0] != NULL);
	http_reply_head(handler.held[0], 200, SLICE("OK"), NULL, 0, HTTP_FRAMING_STREAM);
	relay_start(&relay, handler.held[0], dialect, is_stream, learns, holds, slice_of(coding));
}

static void begin(bool is_stream, bool learns, bool holds, const char *coding)
{
	begin_in(&dialect_chat, is_stream, learns, holds, coding);
}

static void finish(void)
{
	relay_finish(&relay);
	client_close(&client);
	stop();
}

/* The body as the client has it when the reply ended. */
static void assert_body(const char *expected)
{
	struct buffer body;
	buffer_init(&body, 64 * 1024);
	http_reply_end(handler.held[0]);
	WAIT_UNTIL(client_has(&client, "\r\n0\r\n\r\n"));
	struct slice got = buffer_slice(&client.got);
	size_t at = slice_find(got, SLICE("\r\n\r\n"), 0) + 4;
	size_t size;
	while ((size = strtoul(got.data + at, NULL, 16)) > 0) {
		at = slice_find(got, SLICE("\r\n"), at) + 2;
		buffer_append(&body, slice_part(got, at, at + size));
		at += size + 2;
	}
	unit_assert_slice(buffer_slice(&body), expected);
	buffer_finish(&body);
}

static void feed(const char *text)
{
	relay_feed(&relay, slice_of(text));
}

#define EVENT "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"

/* ---- what is held ---- */

START_TEST(the_done_event_is_held_until_it_is_released)
{
	begin(true, true, true, "");
	feed(EVENT);
	ck_assert(!relay_is_done(&relay));
	ck_assert_uint_eq(relay.bytes, strlen(EVENT));
	feed("data: [DO");
	feed("NE]\n\n: behind it\n");
	ck_assert(relay_is_done(&relay));
	ck_assert_uint_eq(relay.bytes, strlen(EVENT));
	relay_release(&relay);
	feed(": not held any more\n");
	assert_body(EVENT "data: [DONE]\n\n: behind it\n: not held any more\n");
	finish();
}
END_TEST

START_TEST(what_might_have_become_a_done_event_goes_on_once_it_is_none)
{
	begin(true, true, true, "");
	feed("data: [DO");
	ck_assert_uint_eq(relay.bytes, 0);
	feed("PE]\n\n");
	ck_assert_uint_eq(relay.bytes, strlen("data: [DOPE]\n\n"));
	assert_body("data: [DOPE]\n\n");
	finish();
}
END_TEST

START_TEST(of_a_plain_reply_the_last_byte_is_held)
{
	begin(false, true, true, "");
	feed("{\"choices\"");
	ck_assert_uint_eq(relay.bytes, strlen("{\"choices\"") - 1);
	feed(":[]}");
	ck_assert_uint_eq(relay.bytes, strlen("{\"choices\":[]}") - 1);
	relay_release(&relay);
	assert_body("{\"choices\":[]}");
	finish();
}
END_TEST

START_TEST(with_relaxed_durability_nothing_is_held_and_the_end_is_read_all_the_same)
{
	begin(true, true, false, "");
	feed(EVENT "data: [DONE]\n\n");
	ck_assert(relay_is_done(&relay));
	ck_assert_uint_eq(relay.bytes, strlen(EVENT "data: [DONE]\n\n"));
	assert_body(EVENT "data: [DONE]\n\n");
	finish();
}
END_TEST

START_TEST(what_nothing_is_learned_from_is_not_read)
{
	begin(true, false, true, "");
	ck_assert_ptr_null(relay.reader);
	feed("data: [DONE]\n\n");
	ck_assert(!relay_is_done(&relay));
	ck_assert_uint_eq(relay.bytes, strlen("data: [DONE]\n\n"));
	finish();
}
END_TEST

START_TEST(of_a_coding_that_cannot_be_read_the_last_byte_is_held)
{
	begin(true, true, true, "unheard-of");
	ck_assert(relay.undecodable && relay.is_coded);
	feed("abc");
	ck_assert_uint_eq(relay.bytes, 2);
	relay_release(&relay);
	assert_body("abc");
	finish();
}
END_TEST

START_TEST(a_reply_that_decodes_to_more_than_is_read_is_not_decoded_to_its_end)
{
	enum { LARGE = 16 << 20, READ = 8 << 20, SLACK = 1 << 20 };
	static unsigned char coded[64 * 1024];
	unsigned char *zeros = xcalloc(1, LARGE);
	z_stream stream = {
		.next_in = zeros, .avail_in = LARGE, .next_out = coded, .avail_out = sizeof(coded)};
	ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	begin(false, true, true, "gzip");
	relay_feed(&relay, (struct slice){(const char *)coded, stream.total_out});
	ck_assert(relay.undecodable);
	ck_assert_ptr_null(relay.decoder);
	ck_assert_uint_gt(relay.decoded, READ);
	ck_assert_uint_lt(relay.decoded, READ + SLACK);
	(void)deflateEnd(&stream);
	free(zeros);
	http_reply_abort(handler.held[0]);
	finish();
}
END_TEST

START_TEST(identity_is_no_coding)
{
	begin(true, true, true, "Identity");
	ck_assert(!relay.is_coded && !relay.undecodable);
	feed("data: [DONE]\n\n");
	ck_assert(relay_is_done(&relay));
	finish();
}
END_TEST

/* ---- a client that reads slowly, or left ---- */

START_TEST(a_relay_is_full_while_its_client_does_not_read)
{
	static char bytes[64 * 1024];
	memset(bytes, 'x', sizeof(bytes));
	begin(false, false, false, "");
	size_t fed = 0;
	while (!relay_is_full(&relay) && fed < 64 << 20) {
		relay_feed(&relay, (struct slice){bytes, sizeof(bytes)});
		fed += sizeof(bytes);
		turn();
	}
	ck_assert_uint_lt(fed, 64 << 20);
	ck_assert_uint_eq(handler.drained, 0);
	WAIT_UNTIL((client_read(&client), handler.drained == 1));
	ck_assert(!relay_is_full(&relay));
	finish();
}
END_TEST

START_TEST(a_relay_is_full_of_what_it_holds)
{
	static char bytes[64 * 1024];
	memset(bytes, 'x', sizeof(bytes));
	begin(true, true, true, "");
	feed("data: [DONE]\n\n");
	ck_assert(!relay_is_full(&relay));
	relay_feed(&relay, (struct slice){bytes, sizeof(bytes)});
	ck_assert_uint_eq(relay.bytes, 0);
	ck_assert(relay_is_full(&relay));
	relay_release(&relay);
	WAIT_UNTIL((client_read(&client), !relay_is_full(&relay)));
	finish();
}
END_TEST

/* It has to come whole before it can go on: who stopped it halfway would wait for ever. */
START_TEST(a_large_event_that_ends_the_stream_is_held_and_does_not_fill_the_relay)
{
	static char bytes[64 * 1024];
	memset(bytes, 'x', sizeof(bytes));
	begin_in(dialect_of(SLICE("POST"), SLICE("/v1/responses")), true, true, true, "");
	feed("event: response.completed\ndata: {\"type\":\"response.completed\",\"pad\":\"");
	for (int i = 0; i < 20; i++) {
		relay_feed(&relay, (struct slice){bytes, sizeof(bytes)});
		ck_assert(!relay_is_full(&relay));
	}
	ck_assert(!relay_is_done(&relay));
	feed("\"}\n\n");
	ck_assert(relay_is_done(&relay));
	ck_assert(relay_is_full(&relay));
	ck_assert_uint_eq(relay.bytes, 0);
	relay_release(&relay);
	ck_assert_uint_gt(relay.bytes, 20 * sizeof(bytes));
	WAIT_UNTIL((client_read(&client), !relay_is_full(&relay)));
	finish();
}
END_TEST

START_TEST(all_relays_together_hold_no_more_than_their_bound)
{
	atomic_size_t held = 100;
	begin(true, true, true, "");
	relay_bound(&relay, &held, 114);
	feed("data: [DONE]\n\n");
	ck_assert_uint_eq(held, 114);
	ck_assert_uint_eq(relay.bytes, 0);
	relay_release(&relay);
	ck_assert_uint_eq(held, 100);
	finish();

	begin(true, true, true, "");
	relay_bound(&relay, &held, 113);
	feed(EVENT "data: [DONE]\n");
	ck_assert_uint_eq(held, 113);
	feed("\n");
	ck_assert_uint_eq(held, 100);
	ck_assert(relay_is_done(&relay));
	assert_body(EVENT "data: [DONE]\n\n");
	finish();

	/* A possible end is sent on if it is none; an incomplete one is dropped. */
	begin(true, true, true, "");
	relay_bound(&relay, &held, 200);
	feed("data: [DO");
	ck_assert_uint_eq(held, 109);
	feed("x\n\n");
	ck_assert_uint_eq(held, 100);
	feed("data: [DO");
	relay_error_event(&relay, 502, "upstream_broken", SLICE("Broken."));
	ck_assert_uint_eq(held, 100);
	feed("data: [DO");
	finish();
	ck_assert_uint_eq(held, 100);
}
END_TEST

START_TEST(without_its_client_a_relay_goes_on_reading)
{
	begin(true, true, true, "");
	relay.request = NULL;
	feed(EVENT "data: [DONE]\n\n");
	relay_release(&relay);
	ck_assert(relay_is_done(&relay) && !relay_is_full(&relay));
	ck_assert_uint_eq(relay.bytes, 0);
	unit_assert_slice(reply_result(relay.reader).text, "Hi");
	finish();
}
END_TEST

/* ---- a stream that broke off ---- */

#define ERROR_EVENT                                                                                \
	"data: {\"error\":{\"message\":\"Gone.\",\"type\":\"api_error\",\"param\":null,"           \
	"\"code\":\"upstream_broken\"}}\n\n"

static void assert_error_event(const char *sent, const char *between)
{
	struct buffer expected;
	begin(true, true, true, "");
	feed(sent);
	relay_error_event(&relay, 502, "upstream_broken", SLICE("Gone."));
	relay_release(&relay);
	buffer_init(&expected, 64 * 1024);
	buffer_printf(&expected, "%s%s" ERROR_EVENT, sent, between);
	buffer_append_byte(&expected, '\0');
	assert_body(expected.data);
	buffer_finish(&expected);
	finish();
}

START_TEST(an_error_event_begins_an_event_of_its_own)
{
	static const char *const cases[][2] = {
		{"", ""},          {": a\n\n", ""}, {": a\r\n\r\n", ""},
		{": a\r\r", ""},   {": a\n", "\n"}, {": a\r\n", "\n"},
		{": a\r", "\n\n"}, {": a", "\n\n"}, {"data: {\"cut", "\n\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_error_event(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(line_ends_are_followed_however_the_bytes_are_torn)
{
	begin(true, false, false, "");
	feed(": a\r");
	feed("\n\r");
	feed("\n");
	relay_error_event(&relay, 502, "upstream_broken", SLICE("Gone."));
	assert_body(": a\r\n\r\n" ERROR_EVENT);
	finish();
}
END_TEST

START_TEST(half_a_done_event_is_dropped_when_the_stream_breaks_off)
{
	begin(true, true, true, "");
	feed(EVENT "data: [DO");
	relay_error_event(&relay, 502, "upstream_broken", SLICE("Gone."));
	relay_release(&relay);
	assert_body(EVENT ERROR_EVENT);
	finish();
}
END_TEST

UNIT_MAIN("relay", the_done_event_is_held_until_it_is_released,
	  what_might_have_become_a_done_event_goes_on_once_it_is_none,
	  of_a_plain_reply_the_last_byte_is_held,
	  with_relaxed_durability_nothing_is_held_and_the_end_is_read_all_the_same,
	  what_nothing_is_learned_from_is_not_read,
	  of_a_coding_that_cannot_be_read_the_last_byte_is_held, identity_is_no_coding,
	  a_reply_that_decodes_to_more_than_is_read_is_not_decoded_to_its_end,
	  a_relay_is_full_while_its_client_does_not_read, a_relay_is_full_of_what_it_holds,
	  a_large_event_that_ends_the_stream_is_held_and_does_not_fill_the_relay,
	  all_relays_together_hold_no_more_than_their_bound,
	  without_its_client_a_relay_goes_on_reading, an_error_event_begins_an_event_of_its_own,
	  line_ends_are_followed_however_the_bytes_are_torn,
	  half_a_done_event_is_dropped_when_the_stream_breaks_off)
