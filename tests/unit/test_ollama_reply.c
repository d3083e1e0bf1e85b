#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "tests/unit/torn_stream.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 * 1024 };

#define HEAD "{\"model\":\"m\",\"created_at\":\"2026-11-22T10:00:00Z\","
#define SAYS(text)                                                                                 \
	HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"" text "\"},\"done\":false}\n"
#define THINKS(text)                                                                               \
	HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"" text           \
	     "\"},\"done\":false}\n"
#define CALLS(calls)                                                                               \
	HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[" calls         \
	     "]},\"done\":false}\n"
#define FUNCTION(arguments) "{\"function\":{\"name\":\"f\",\"arguments\":" arguments "}}"
#define DONE(reason)                                                                               \
	HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"                \
	     "\"done_reason\":\"" reason "\",\"prompt_eval_count\":36,\"eval_count\":5}\n"

struct reply_case {
	const char *bytes;
	const char *text;
	const char *calls; /* as a message of a later request has them; NULL: none */
	bool finished, done, failed, unreadable;
	enum reply_end end;
};

/* clang-format off */
static const struct reply_case streams[] = {
	{.bytes = THINKS("hm") SAYS("Hello ") SAYS("Alex\\ud83d") SAYS("\\ude00") HERE DONE("stop"),
	 .text = "Hello Alex\xf0\x9f\x98\x80", .finished = true, .done = true},
	{.bytes = SAYS("Hel") HERE DONE("length"), .text = "Hel", .finished = true, .done = true},
	/* "done" first, spaces, an escape in it; words that only look like it. */
	{.bytes = SAYS("\\\"done\\\":true") "{\"x\":{\"done\":true},\"done\":false}\n" SAYS("b")
		HERE "{ \"d\\u006fne\" : true , \"message\":{\"content\":\"c\"}}\n",
	 .text = "\"done\":truebc", .finished = true, .done = true},
	/* Of two the last counts. */
	{.bytes = "{\"done\":true,\"message\":{\"content\":\"a\"},\"done\":false}\n" HERE DONE("stop"),
	 .text = "a", .finished = true, .done = true},
	/* Each call comes whole, and two may be alike. */
	{.bytes = CALLS(FUNCTION("{\"city\":\"K\\u00f6ln\"}") "," FUNCTION("{}")) CALLS(FUNCTION("{}")) HERE DONE("stop"),
	 .text = "", .calls = FUNCTION("{ \"city\": \"K\xc3\xb6ln\" }") "," FUNCTION("{}") "," FUNCTION("{}"),
	 .finished = true, .done = true},
	/* A model that is loaded. */
	{.bytes = HERE DONE("load"), .text = "", .finished = true, .done = true, .end = END_NOTHING},
	/* An error ends it. */
	{.bytes = SAYS("a") HERE "{\"error\":\"an error was encountered while running the model\"}\n",
	 .text = "a", .done = true, .failed = true},
	{.bytes = SAYS("a") "{\"error\":\"\",\"done\":false}\n" HERE DONE("stop"),
	 .text = "a", .finished = true, .done = true},
	/* Empty lines, one that is no object, one behind the end. */
	{.bytes = "\n" SAYS("a") "\n" HERE DONE("stop") SAYS("b"), .text = "a", .finished = true, .done = true},
	{.bytes = SAYS("a") "[true]\n" HERE DONE("stop"), .text = "a", .finished = true, .done = true, .unreadable = true},
	/* Broken off. */
	{.bytes = SAYS("a") SAYS("b"), .text = "ab"},
	{.bytes = "", .text = ""},
};

static const struct reply_case bodies[] = {
	{.bytes = DONE("unload"), .text = "", .finished = true, .end = END_NOTHING},
	{.bytes = "{\"message\":{\"role\":\"assistant\",\"content\":\"a\\nb\",\"thinking\":\"c\"},\"done\":true,\"done_reason\":\"stop\"}",
	 .text = "a\nb", .finished = true},
	{.bytes = "{\"message\":{\"content\":\"I look\",\"tool_calls\":[" FUNCTION("{}") "]},\"done\":true}",
	 .text = "I look", .calls = FUNCTION("{}"), .finished = true},
	{.bytes = "{\"error\":\"model 'x' not found\"}", .text = "", .failed = true},
	{.bytes = "{\"models\":[]}", .text = "", .unreadable = true},
	{.bytes = "{\"message\":{\"content\":\"a", .text = "", .unreadable = true},
};
/* clang-format on */

/* The mark of a request's message with these calls. */
static uint64_t hash_of(const char *calls)
{
	struct arena arena = {0};
	struct request request;
	if (calls == NULL)
		return 0;
	struct slice body = arena_printf(
		&arena, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[%s]}]}", calls);
	ck_assert_int_eq(dialect_ollama.scan(&request, body, &arena), REQUEST_OK);
	uint64_t hash = request.steps[0].ids_hash;
	arena_finish(&arena);
	return hash;
}

static void assert_reply(struct reply_reader *reader, const void *example)
{
	const struct reply_case *expected = example;
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, expected->text);
	ck_assert_msg(reply.finished == expected->finished && reply.done == expected->done &&
			      reply.failed == expected->failed &&
			      reply.unreadable == expected->unreadable && !reply.truncated &&
			      reply.has_tool_calls == (expected->calls != NULL) &&
			      reply.end == expected->end,
		      "finished %d, done %d, failed %d, unreadable %d, calls %d, end %d: %s",
		      reply.finished, reply.done, reply.failed, reply.unreadable,
		      reply.has_tool_calls, (int)reply.end, expected->bytes);
	ck_assert_uint_eq(reply.tool_calls_hash, hash_of(expected->calls));
	ck_assert_int_eq(reply.prompt_tokens, -1);
	ck_assert_int_eq(reply.cached_tokens, -1);
}

static void for_every_stream(void (*check)(const struct torn_stream *stream,
					   const struct reply_case *expected))
{
	static const char *const line_breaks[] = {"\n", "\r\n"};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		for (size_t j = 0; j < sizeof(line_breaks) / sizeof(line_breaks[0]); j++) {
			struct arena arena = {0};
			const struct torn_stream stream =
				torn_stream_make(streams[i].bytes, line_breaks[j], &arena);
			check(&stream, &streams[i]);
			arena_finish(&arena);
		}
	}
}

static struct reply_reader *reader_of(enum reply_format format)
{
	return reply_reader_create(&dialect_ollama, format, LIMIT);
}

static void check_torn(const struct torn_stream *stream, const struct reply_case *expected)
{
	torn_stream_check(&dialect_ollama, stream->bytes, assert_reply, expected);
}

START_TEST(a_stream_reads_the_same_wherever_it_is_torn)
{
	for_every_stream(check_torn);
}
END_TEST

/* From the last line's first byte on all is held, before it what there is of a line. */
static void check_hold(const struct torn_stream *stream, const struct reply_case *expected)
{
	struct reply_reader *reader = reader_of(REPLY_LINES);
	size_t line = 0;
	for (size_t seen = 1; seen <= stream->bytes.size; seen++) {
		size_t held = torn_stream_feed(reader, stream->bytes, seen - 1, seen);
		char byte = stream->bytes.data[seen - 1];
		if (byte == '\n' || byte == '\r')
			line = seen;
		size_t from = seen > stream->last ? stream->last : line;
		ck_assert_msg(held == seen - from, "%zu held of %.*s", held, (int)seen,
			      stream->bytes.data);
	}
	assert_reply(reader, expected);
	reply_reader_destroy(reader);
}

START_TEST(a_line_that_may_be_the_last_is_held)
{
	for_every_stream(check_hold);
}
END_TEST

START_TEST(a_last_line_without_a_line_break_is_read)
{
	struct reply_reader *reader = reader_of(REPLY_LINES);
	struct slice bytes = SLICE(SAYS("a") DONE("stop"));
	size_t last = sizeof(SAYS("a")) - 1;
	ck_assert_uint_eq(torn_stream_feed(reader, bytes, 0, bytes.size - 1),
			  bytes.size - 1 - last);
	ck_assert(!reply_is_done(reader));
	struct reply reply = reply_result(reader);
	ck_assert(reply.done && reply.finished);
	unit_assert_slice(reply.text, "a");
	reply_reader_destroy(reader);
}
END_TEST

/* Its text is lost to memory; what streamed before is not. */
START_TEST(a_last_line_of_any_size_ends_the_stream)
{
	static const char *const ends[] = {"\"},\"done_reason\":\"stop\",\"done\":true}\n",
					   "\"},\"done_reason\":\"stop\",\"done\":true}"};
	enum { FLOOD = 64 * 1024, FLOODS = 5 * 16 };
	static char flood[FLOOD];
	memset(flood, 'x', FLOOD);
	for (size_t i = 0; i < 4; i++) {
		struct reply_reader *reader =
			reply_reader_create(&dialect_ollama, REPLY_LINES, LIMIT);
		bool is_last = i < 2;
		const char *end = is_last ? ends[i] : "\"},\"done\":false}\n";
		size_t held = reply_read(
			reader, SLICE("{\"message\":{\"content\":\"a\"},\"done\":false}\n"));
		ck_assert_uint_eq(held, 0);
		held = reply_read(reader, SLICE("{\"message\":{\"content\":\"\\\"done\\\":true"));
		size_t begun = held;
		for (int j = 0; j < FLOODS; j++)
			held = reply_read(reader, (struct slice){flood, FLOOD});
		ck_assert_uint_eq(held, begun + FLOODS * FLOOD);
		held = reply_read(reader, slice_of(end));
		bool is_told = end[strlen(end) - 1] == '\n';
		ck_assert_uint_eq(held > 0, is_last || !is_told);
		ck_assert_int_eq(reply_is_done(reader), is_last && is_told);
		struct reply reply = reply_result(reader);
		ck_assert_int_eq(reply.done, is_last);
		ck_assert_int_eq(reply.finished, is_last);
		ck_assert(reply.truncated && !reply.unreadable && !reply.failed);
		unit_assert_slice(reply.text, "a");
		reply_reader_destroy(reader);
	}
}
END_TEST

START_TEST(a_body_is_read_when_it_is_over)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct slice body = slice_of(bodies[i].bytes);
		struct reply_reader *reader = reader_of(REPLY_JSON);
		ck_assert_uint_eq(torn_stream_feed(reader, body, 0, body.size / 2), 1);
		ck_assert_uint_eq(torn_stream_feed(reader, body, body.size / 2, body.size), 1);
		assert_reply(reader, &bodies[i]);
		reply_reader_destroy(reader);
	}
}
END_TEST

START_TEST(what_we_say_has_its_form)
{
	struct buffer out;
	buffer_init(&out, 4096);
	dialect_ollama.error_body(&out, 502, "upstream_broken", SLICE("It \"broke\"."));
	unit_assert_slice(buffer_slice(&out), "{\"error\":\"It \\\"broke\\\".\"}");
	buffer_clear(&out);
	dialect_ollama.error_event(&out, 3, 502, NULL, SLICE("It broke."));
	unit_assert_slice(buffer_slice(&out), "{\"error\":\"It broke.\"}\n");
	buffer_finish(&out);
}
END_TEST

UNIT_MAIN("ollama_reply", a_stream_reads_the_same_wherever_it_is_torn,
	  a_line_that_may_be_the_last_is_held, a_last_line_without_a_line_break_is_read,
	  a_last_line_of_any_size_ends_the_stream, a_body_is_read_when_it_is_over,
	  what_we_say_has_its_form)
