/* A Messages reply as it passes by, whole and in every kind of pieces, and the errors in its form.
 */
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"

#include "tests/unit/torn_stream.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 * 1024 };

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define USAGE                                                                                      \
	"{\"input_tokens\":25,\"cache_creation_input_tokens\":100,\"cache_read_input_tokens\":"    \
	"1000,\"output_tokens\":1}"
#define START                                                                                      \
	EVENT("message_start",                                                                     \
	      ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","        \
	      "\"content\":[],\"stop_reason\":null,\"usage\":" USAGE "}")
#define BLOCK(block) EVENT("content_block_start", ",\"index\":0,\"content_block\":" block)
#define DELTA(delta) EVENT("content_block_delta", ",\"index\":0,\"delta\":" delta)
#define TEXT_BLOCK BLOCK("{\"type\":\"text\",\"text\":\"\"}")
#define SAID(text) DELTA("{\"type\":\"text_delta\",\"text\":\"" text "\"}")
#define CALL(id) BLOCK("{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":{}}")
#define BLOCK_STOP EVENT("content_block_stop", ",\"index\":0")
#define PING EVENT("ping", "")
#define ENDS(reason)                                                                               \
	EVENT("message_delta", ",\"delta\":{\"stop_reason\":" reason                               \
			       ",\"stop_sequence\":null},\"usage\":{\"output_tokens\":8}")
#define STOP EVENT("message_stop", "")

struct reply_case {
	const char *bytes, *text;
	const char *calls; /* one letter for an id; NULL: none */
	enum reply_end end;
	bool finished, done, failed, unreadable;
	int64_t prompt_tokens, cached_tokens; /* 0 stands for unknown */
	const char *id;
};

/* clang-format off */
static const struct reply_case streams[] = {
	{.bytes = START BLOCK("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
		DELTA("{\"type\":\"thinking_delta\",\"thinking\":\"no\"}")
		DELTA("{\"type\":\"signature_delta\",\"signature\":\"Eq\"}") BLOCK_STOP PING
		TEXT_BLOCK SAID("Hell\xc3\xb6, ") PING SAID("\\ud83d") SAID("\\ude00") BLOCK_STOP
		ENDS("\"end_turn\"") STOP,
	 .text = "Hell\xc3\xb6, \xf0\x9f\x98\x80", .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	/* Blocks are joined by nothing; text may stand in a block's beginning already. */
	{.bytes = START BLOCK("{\"type\":\"text\",\"text\":\"a\"}") SAID("b") BLOCK_STOP TEXT_BLOCK SAID("c") BLOCK_STOP
		ENDS("\"stop_sequence\"") STOP,
	 .text = "abc", .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	/* Calls for tools; the server's own are none. */
	{.bytes = START TEXT_BLOCK SAID("I will look.") BLOCK_STOP CALL("a")
		DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"text\\\":\"}") BLOCK_STOP CALL("b") BLOCK_STOP
		ENDS("\"tool_use\"") STOP,
	 .text = "I will look.", .calls = "ab", .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START BLOCK("{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}") BLOCK_STOP
		BLOCK("{\"type\":\"web_search_tool_result\",\"content\":[{\"type\":\"text\",\"text\":\"no\"}]}") BLOCK_STOP
		TEXT_BLOCK SAID("Found.") DELTA("{\"type\":\"citations_delta\",\"citation\":{\"text\":\"no\"}}") BLOCK_STOP
		ENDS("\"pause_turn\"") STOP,
	 .text = "Found.", .end = END_PAUSED, .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START CALL("a") BLOCK_STOP ENDS("\"max_tokens\"") STOP,
	 .text = "", .calls = "a", .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START TEXT_BLOCK SAID("I can") BLOCK_STOP ENDS("\"refusal\"") STOP,
	 .text = "I can", .end = END_REFUSED, .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START ENDS("\"refusal\",\"stop_details\":{\"type\":\"refusal\",\"fallback_credit_token\":\"t\"}") STOP,
	 .text = "", .end = END_RETRIED, .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START BLOCK("{\"type\":\"compaction\",\"content\":null}")
		DELTA("{\"type\":\"compaction_delta\",\"content\":\"no\"}") BLOCK_STOP ENDS("\"compaction\"") STOP,
	 .text = "", .end = END_NOTHING, .finished = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	/* Later counts take the place of earlier ones. */
	{.bytes = EVENT("message_start", ",\"message\":{\"id\":\"\",\"content\":[],\"usage\":{\"input_tokens\":9}}")
		TEXT_BLOCK SAID("a") EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},"
		"\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"cache_creation_input_tokens\":null}") STOP,
	 .text = "a", .finished = true, .done = true, .prompt_tokens = 12, .cached_tokens = 7},
	{.bytes = EVENT("message_delta", ",\"delta\":{\"stop_reason\":null},\"usage\":{\"output_tokens\":5}") STOP,
	 .text = "", .finished = true, .done = true},
	/* Without message_stop it broke off, whatever came before. */
	{.bytes = START TEXT_BLOCK SAID("a") BLOCK_STOP ENDS("\"end_turn\""),
	 .text = "a", .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = START TEXT_BLOCK SAID("a") EVENT("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}"),
	 .text = "a", .failed = true, .done = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	/* Events that nobody knows, and text that looks like an end. */
	{.bytes = START EVENT("content_block_dilation", ",\"delta\":{\"type\":\"text_delta\",\"text\":\"no\"}") TEXT_BLOCK
		SAID("event: message_stop\\ndata: {\\\"type\\\":\\\"message_stop\\\"}") STOP,
	 .text = "event: message_stop\ndata: {\"type\":\"message_stop\"}", .finished = true, .done = true,
	 .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = "event: content_block_delta\ndata: {\"type\n\n", .text = "", .unreadable = true},
	{.bytes = "", .text = ""},
};

#define MESSAGE(content, reason) "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[" content "]," \
	"\"stop_reason\":" reason ",\"usage\":" USAGE "}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"

static const struct reply_case bodies[] = {
	{.bytes = MESSAGE("{\"type\":\"thinking\",\"thinking\":\"no\"}," TEXT("a") "," TEXT("b"), "\"end_turn\""),
	 .text = "ab", .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = MESSAGE(TEXT("I will.") ",{\"type\":\"tool_use\",\"id\":\"a\"},{\"type\":\"tool_use\",\"id\":\"b\"}", "\"tool_use\""),
	 .text = "I will.", .calls = "ab", .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = MESSAGE("", "\"max_tokens\""), .text = "", .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = MESSAGE(TEXT("No."), "\"refusal\""),
	 .text = "No.", .end = END_REFUSED, .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = MESSAGE(TEXT("No."), "\"refusal\",\"stop_details\":{\"fallback_credit_token\":\"t\"}"),
	 .text = "No.", .end = END_RETRIED, .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = MESSAGE(TEXT("No."), "\"refusal\",\"stop_details\":{\"fallback_credit_token\":null}"),
	 .text = "No.", .end = END_REFUSED, .finished = true, .prompt_tokens = 1125, .cached_tokens = 1000, .id = "msg_1"},
	{.bytes = "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"},\"request_id\":null}", .text = "", .failed = true},
	{.bytes = "{\"error\":{\"message\":\"x\"}}", .text = "", .failed = true},
	{.bytes = "{\"object\":\"list\"}", .text = "", .unreadable = true},
	{.bytes = "[]", .text = "", .unreadable = true},
	{.bytes = "{\"type\":\"mess", .text = "", .unreadable = true},
	{.bytes = "", .text = "", .unreadable = true},
};
/* clang-format on */

static uint64_t hash_of(const char *letters)
{
	uint64_t hash = 0;
	for (; letters != NULL && *letters != '\0'; letters++)
		hash = step_hash_call(hash, (struct slice){letters, 1});
	return hash;
}

static int64_t known(int64_t tokens)
{
	return tokens == 0 ? -1 : tokens;
}

static void assert_reply(struct reply_reader *reader, const void *example)
{
	const struct reply_case *expected = example;
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, expected->text);
	ck_assert_msg(reply.end == expected->end && reply.finished == expected->finished &&
			      reply.done == expected->done && reply.failed == expected->failed &&
			      reply.unreadable == expected->unreadable && !reply.truncated &&
			      reply.has_tool_calls == (expected->calls != NULL),
		      "end %d, finished %d, done %d, failed %d, unreadable %d, calls %d: %s",
		      reply.end, reply.finished, reply.done, reply.failed, reply.unreadable,
		      reply.has_tool_calls, expected->bytes);
	unit_assert_slice(reply.id, expected->id == NULL ? "" : expected->id);
	ck_assert_uint_eq(reply.tool_calls_hash, hash_of(expected->calls));
	ck_assert_int_eq(reply.prompt_tokens, known(expected->prompt_tokens));
	ck_assert_int_eq(reply.cached_tokens, known(expected->cached_tokens));
}

/* The stream with its line feeds as `line_break`, and perhaps without its `event:` lines. */
static struct slice rewrite(const char *stream, const char *line_break, bool names,
			    struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (const char *line = stream; *line != '\0';) {
		const char *end = strchr(line, '\n');
		struct slice text = {line, (size_t)(end - line)};
		line = end + 1;
		if (!names && slice_starts_with(text, SLICE("event:")))
			continue;
		buffer_append(&out, text);
		buffer_append(&out, slice_of(line_break));
	}
	return arena_take(arena, &out);
}

static void for_every_stream(void (*check)(struct slice stream, const struct reply_case *expected))
{
	static const char *const line_breaks[] = {"\n", "\r\n", "\r"};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		for (size_t j = 0; j < 4; j++) {
			struct arena arena = {0};
			check(rewrite(streams[i].bytes, line_breaks[j % 3], j < 3, &arena),
			      &streams[i]);
			arena_finish(&arena);
		}
	}
}

static struct reply_reader *new_reader(void)
{
	return reply_reader_create(&dialect_messages, REPLY_EVENTS, LIMIT);
}

static void check_torn(struct slice stream, const struct reply_case *expected)
{
	torn_stream_check(&dialect_messages, stream, assert_reply, expected);
}

START_TEST(a_stream_reads_the_same_wherever_it_is_torn)
{
	for_every_stream(check_torn);
}
END_TEST

/* Where the terminal event begins; the size: there is none. */
static size_t find_end(struct slice stream)
{
	static const char *const ends[] = {"event: message_stop", "event: error",
					   "data: {\"type\":\"message_stop\"",
					   "data: {\"type\":\"error\""};
	for (size_t at = 0; at < stream.size; at++) {
		bool begins = at == 0 || stream.data[at - 1] == '\n' || stream.data[at - 1] == '\r';
		for (size_t i = 0; begins && i < sizeof(ends) / sizeof(ends[0]); i++) {
			if (slice_starts_with(slice_part(stream, at, stream.size),
					      slice_of(ends[i])))
				return at;
		}
	}
	return stream.size;
}

/* Everything before the terminal event goes at its line's end at the latest; of that nothing goes.
 */
static void check_hold(struct slice stream, const struct reply_case *expected)
{
	struct reply_reader *reader = new_reader();
	size_t end = find_end(stream);
	size_t line = 0;
	for (size_t seen = 0; seen <= stream.size; seen++) {
		size_t held = torn_stream_feed(reader, stream, seen > 0 ? seen - 1 : 0, seen);
		bool at_break = seen > 0 &&
				(stream.data[seen - 1] == '\n' || stream.data[seen - 1] == '\r');
		if (at_break)
			line = seen;
		if (seen > end)
			ck_assert_msg(held == seen - end, "%zu of %zu held at %zu", held,
				      seen - end, seen);
		else
			ck_assert_msg(held <= seen - line, "%zu held at %zu", held, seen);
	}
	ck_assert_int_eq(reply_is_done(reader), end < stream.size);
	assert_reply(reader, expected);
	reply_reader_destroy(reader);
}

START_TEST(nothing_of_the_terminal_event_goes_and_little_before_it_waits)
{
	for_every_stream(check_hold);
}
END_TEST

/* The client's connection was closed at that byte. */
static void check_closed(struct slice stream, const struct reply_case *expected)
{
	size_t end = find_end(stream);
	for (size_t at = 0; at < end; at++) {
		struct reply_reader *reader = new_reader();
		(void)torn_stream_feed(reader, stream, 0, at);
		struct reply reply = reply_result(reader);
		ck_assert(!reply.done && !reply.finished && !reply.failed);
		ck_assert(reply.text.size == 0 || expected->text[0] == reply.text.data[0]);
		reply_reader_destroy(reader);
	}
}

START_TEST(a_stream_that_is_closed_before_its_end_broke_off)
{
	for_every_stream(check_closed);
}
END_TEST

START_TEST(a_body_is_read_when_it_is_over)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct slice body = slice_of(bodies[i].bytes);
		for (size_t at = 0; at <= body.size; at++) {
			struct reply_reader *reader =
				reply_reader_create(&dialect_messages, REPLY_JSON, LIMIT);
			(void)torn_stream_feed(reader, body, 0, at);
			ck_assert_uint_eq(torn_stream_feed(reader, body, at, body.size),
					  body.size > 0);
			assert_reply(reader, &bodies[i]);
			reply_reader_destroy(reader);
		}
	}
}
END_TEST

/* ---- errors ---- */

START_TEST(an_error_says_its_type)
{
	static const struct {
		int status;
		const char *type;
	} cases[] = {
		{400, "invalid_request_error"},
		{401, "authentication_error"},
		{403, "permission_error"},
		{404, "not_found_error"},
		{413, "request_too_large"},
		{422, "invalid_request_error"},
		{429, "rate_limit_error"},
		{431, "invalid_request_error"},
		{500, "api_error"},
		{502, "api_error"},
		{503, "overloaded_error"},
		{504, "timeout_error"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct buffer out;
		buffer_init(&out, SIZE_MAX);
		dialect_messages.error_body(&out, cases[i].status, "code", SLICE("It \"broke\"."));
		struct slice expected =
			arena_printf(&arena,
				     "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":"
				     "\"It \\\"broke\\\".\"},\"request_id\":null}",
				     cases[i].type);
		unit_assert_slice(buffer_slice(&out), expected.data);
		buffer_finish(&out);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(an_error_within_a_stream_has_its_name)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	dialect_messages.error_event(&out, 0, 502, "upstream_broken", SLICE("x"));
	unit_assert_slice(
		buffer_slice(&out),
		"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
		"\"message\":\"x\"},\"request_id\":null}\n\n");
	buffer_finish(&out);
}
END_TEST

UNIT_MAIN("messages_reply", a_stream_reads_the_same_wherever_it_is_torn,
	  nothing_of_the_terminal_event_goes_and_little_before_it_waits,
	  a_stream_that_is_closed_before_its_end_broke_off, a_body_is_read_when_it_is_over,
	  an_error_says_its_type, an_error_within_a_stream_has_its_name)
