#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "tests/unit/torn_stream.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 * 1024 };

/* An event as OpenAI sends it, and as servers do that leave its name to the JSON. */
#define EVENT(type, json) "event: " type "\ndata: {\"type\":\"" type "\"" json "}\n\n"
#define DATA(type, json) "data: {\"type\":\"" type "\"" json "}\n\n"

#define CREATED                                                                                    \
	EVENT("response.created", ",\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\","   \
				  "\"error\":null,\"output\":[]},\"sequence_number\":0")
#define ADDED(n, item) EVENT("response.output_item.added", ",\"output_index\":" n ",\"item\":" item)
#define ITEM_DONE(n, item)                                                                         \
	EVENT("response.output_item.done", ",\"output_index\":" n ",\"item\":" item)
#define DELTA(n, text)                                                                             \
	EVENT("response.output_text.delta", ",\"item_id\":\"m\",\"output_index\":" n               \
					    ",\"content_index\":0,\"delta\":\"" text "\","         \
					    "\"obfuscation\":\"xyz\",\"sequence_number\":4")
#define EMPTY_MESSAGE "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}"
#define MESSAGE(text)                                                                              \
	"{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":"                   \
	"[{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}]}"
#define PHASED(phase, text)                                                                        \
	"{\"type\":\"message\",\"role\":\"assistant\",\"phase\":\"" phase "\",\"content\":"        \
	"[{\"type\":\"output_text\",\"text\":\"" text "\"}]}"
#define REASONING                                                                                  \
	"{\"type\":\"reasoning\",\"id\":\"rs\",\"encrypted_content\":\"gA\",\"summary\":[{"        \
	"\"type\":"                                                                                \
	"\"summary_text\",\"text\":\"no\"}]}"
#define CALL(id)                                                                                   \
	"{\"type\":\"function_call\",\"id\":\"fc\",\"call_id\":\"" id                              \
	"\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define RESPONSE(status, output)                                                                   \
	"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"" status                          \
	"\",\"error\":null,\"incomplete_details\":null,\"instructions\":\"B\",\"output\":[" output \
	"],\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":8},"         \
	"\"output_tokens\":5}}"
#define COMPLETED(output)                                                                          \
	HERE EVENT("response.completed",                                                           \
		   ",\"response\":" RESPONSE("completed", output) ",\"sequence_number\":9")

struct reply_case {
	const char *bytes;
	const char *text;
	const char *calls; /* one letter for an id; NULL: none */
	bool finished, done, failed, unreadable;
	enum reply_end end;
	bool is_counted; /* its tokens are those of RESPONSE() */
	bool is_named;   /* its id is resp_1 */
};

/* clang-format off */
static const struct reply_case streams[] = {
	/* As OpenAI streams it: deltas, the text, the part, the item, and all of it again. */
	{.bytes = CREATED ADDED("0", REASONING) ITEM_DONE("0", REASONING) ADDED("1", EMPTY_MESSAGE)
		EVENT("response.content_part.added", ",\"output_index\":1,\"content_index\":0,"
		      "\"part\":{\"type\":\"output_text\",\"text\":\"\"}")
		DELTA("1", "Hello ") ": ping\n\n" DELTA("1", "Alex\\ud83d") DELTA("1", "\\ude00")
		EVENT("response.output_text.done", ",\"output_index\":1,\"content_index\":0,"
		      "\"text\":\"Hello Alex\\ud83d\\ude00\"")
		EVENT("response.content_part.done", ",\"output_index\":1,\"content_index\":0,"
		      "\"part\":{\"type\":\"output_text\",\"text\":\"Hello Alex\\ud83d\\ude00\"}")
		ITEM_DONE("1", MESSAGE("Hello Alex\\ud83d\\ude00"))
		COMPLETED(REASONING "," MESSAGE("Hello Alex\\ud83d\\ude00")),
	 .text = "Hello Alex\xf0\x9f\x98\x80", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* Deltas alone, halves of a character apart; the last event has no items. */
	{.bytes = ADDED("0", EMPTY_MESSAGE) DELTA("0", "a\\ud83d") DELTA("0", "\\ude00b") COMPLETED(""),
	 .text = "a\xf0\x9f\x98\x80" "b", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* The later text counts: the deltas were not all. */
	{.bytes = ADDED("0", EMPTY_MESSAGE) DELTA("0", "lo") COMPLETED(MESSAGE("Hello")),
	 .text = "Hello", .finished = true, .done = true, .is_counted = true, .is_named = true},
	{.bytes = DELTA("0", "wro") ITEM_DONE("0", MESSAGE("right")),
	 .text = "right"},
	{.bytes = DELTA("0", "wro") EVENT("response.output_text.done", ",\"output_index\":0,\"text\":\"right\""),
	 .text = "right"},
	/* Without lines that name the events, and one more line behind the end. */
	{.bytes = DATA("response.created", ",\"response\":{\"id\":\"resp_1\"}")
		DATA("response.output_text.delta", ",\"delta\":\"a\"")
		HERE DATA("response.completed", ",\"response\":" RESPONSE("completed", MESSAGE("a")))
		"data: [DONE]\n\n",
	 .text = "a", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* The type behind other members; none in reach; another event that speaks of the last. */
	{.bytes = HERE "data: {\"sequence_number\":1, \"x\":\"}\\\"\", \"type\" : \"response.incomplete\","
		"\"response\":" RESPONSE("incomplete", MESSAGE("a")) "}\n\n",
	 .text = "a", .finished = true, .done = true, .is_counted = true, .is_named = true},
	{.bytes = EVENT("response.custom", ",\"delta\":\"event: response.completed\"")
		DATA("response.x", ",\"type2\":\"response.completed\""),
	 .text = ""},
	/* Two parts of a message, two messages, a part that is none. */
	{.bytes = COMPLETED("{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"},"
		"{\"type\":\"output_image\"},{\"type\":\"output_text\",\"text\":\"b\"}]},"
		EMPTY_MESSAGE "," MESSAGE("c")),
	 .text = "ab\nc", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* Only what ends the turn is the answer, if something says that it does. */
	{.bytes = ADDED("0", PHASED("commentary", "")) DELTA("0", "I look") ADDED("1", EMPTY_MESSAGE)
		DELTA("1", "Found") ITEM_DONE("1", PHASED("final_answer", "Found")),
	 .text = "Found"},
	{.bytes = COMPLETED(PHASED("commentary", "I look") "," PHASED("commentary", "on")),
	 .text = "I look\non", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* Calls that the client runs, in their order; one that the server ran. */
	{.bytes = ADDED("1", CALL("b")) ADDED("0", CALL("a"))
		EVENT("response.function_call_arguments.delta", ",\"output_index\":0,\"delta\":\"{\"")
		ITEM_DONE("0", CALL("a")) COMPLETED(MESSAGE("I look") "," CALL("a") "," CALL("b")),
	 .text = "I look", .calls = "ab", .finished = true, .done = true, .is_counted = true, .is_named = true},
	{.bytes = COMPLETED("{\"type\":\"mcp_approval_request\",\"id\":\"p\"}"),
	 .text = "", .calls = "p", .finished = true, .done = true, .is_counted = true, .is_named = true},
	{.bytes = COMPLETED(MESSAGE("I look") ",{\"type\":\"shell_call\",\"call_id\":\"s\"},"
		"{\"type\":\"shell_call_output\",\"call_id\":\"s\",\"output\":[]}," MESSAGE("Found")),
	 .text = "Found", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* A refusal, unless words came too. */
	{.bytes = EVENT("response.refusal.delta", ",\"output_index\":0,\"content_index\":0,\"delta\":\"I can\"")
		EVENT("response.refusal.delta", ",\"output_index\":0,\"content_index\":0,\"delta\":\"not.\""),
	 .text = "I cannot."},
	{.bytes = COMPLETED("{\"type\":\"message\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"No.\"},"
		"{\"type\":\"output_text\",\"text\":\"a\"}]}"),
	 .text = "a", .finished = true, .done = true, .is_counted = true, .is_named = true},
	/* Cut short: what the user saw, unless it was filtered. */
	{.bytes = DELTA("0", "a") HERE EVENT("response.incomplete", ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\","
		"\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}"),
	 .text = "a", .finished = true, .done = true, .is_named = true},
	{.bytes = DELTA("0", "a") HERE EVENT("response.incomplete", ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\","
		"\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"}}"),
	 .text = "a", .finished = true, .done = true, .end = END_REFUSED, .is_named = true},
	/* Failed. */
	{.bytes = DELTA("0", "a") HERE EVENT("response.failed", ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\","
		"\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}"),
	 .text = "a", .done = true, .failed = true, .is_named = true},
	{.bytes = DELTA("0", "a") HERE EVENT("error", ",\"code\":\"x\",\"message\":\"y\",\"sequence_number\":3"),
	 .text = "a", .done = true, .failed = true},
	{.bytes = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n", .text = "", .failed = true},
	{.bytes = "data: {\"type\":\n\n", .text = "", .unreadable = true},
	/* Broken off. */
	{.bytes = CREATED DELTA("0", "Hel") "event: response.output_te", .text = "Hel", .is_named = true},
	{.bytes = "", .text = ""},
};

static const struct reply_case bodies[] = {
	{.bytes = RESPONSE("completed", REASONING "," MESSAGE("a\\nb")),
	 .text = "a\nb", .finished = true, .is_counted = true, .is_named = true},
	{.bytes = RESPONSE("completed", MESSAGE("I look") "," CALL("a")),
	 .text = "I look", .calls = "a", .finished = true, .is_counted = true, .is_named = true},
	{.bytes = RESPONSE("queued", ""), .text = "", .finished = true, .end = END_PENDING, .is_counted = true, .is_named = true},
	{.bytes = RESPONSE("in_progress", ""), .text = "", .finished = true, .end = END_PENDING, .is_counted = true, .is_named = true},
	{.bytes = RESPONSE("cancelled", ""), .text = "", .finished = true, .failed = true, .is_counted = true, .is_named = true},
	{.bytes = "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"incomplete\",\"output\":[" MESSAGE("a") "],"
		"\"incomplete_details\":{\"reason\":\"content_filter\"}}",
	 .text = "a", .finished = true, .end = END_REFUSED, .is_named = true},
	/* A server that says no more than it must. */
	{.bytes = "{\"output\":[" MESSAGE("a") "]}", .text = "a", .finished = true},
	{.bytes = "{\"error\":{\"message\":\"no\"}}", .text = "", .failed = true},
	{.bytes = "{\"object\":\"ok\"}", .text = "", .unreadable = true},
	{.bytes = "{\"id\":\"resp_1\",\"object\":\"response\",\"outp", .text = "", .unreadable = true},
};
/* clang-format on */

static uint64_t hash_of(const char *letters)
{
	uint64_t hash = 0;
	for (; letters != NULL && *letters != '\0'; letters++)
		hash = step_hash_call(hash, (struct slice){letters, 1});
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
	ck_assert_int_eq(reply.prompt_tokens, expected->is_counted ? 36 : -1);
	ck_assert_int_eq(reply.cached_tokens, expected->is_counted ? 8 : -1);
	unit_assert_slice(reply.id, expected->is_named ? "resp_1" : "");
}

static void for_every_stream(void (*check)(const struct torn_stream *stream,
					   const struct reply_case *expected))
{
	static const char *const line_breaks[] = {"\n", "\r\n", "\r"};
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
	return reply_reader_create(&dialect_responses, format, LIMIT);
}

static void check_torn(const struct torn_stream *stream, const struct reply_case *expected)
{
	torn_stream_check(&dialect_responses, stream->bytes, assert_reply, expected);
}

START_TEST(a_stream_reads_the_same_wherever_it_is_torn)
{
	for_every_stream(check_torn);
}
END_TEST

/* Whether the line that has begun there may become the first of the last event. */
static bool may_be_last(struct slice line)
{
	static const char *const forms[] = {
		"event: response.completed",
		"event: response.incomplete",
		"event: response.failed",
		"event: error",
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (slice_starts_with(slice_of(forms[i]), line))
			return true;
	}
	return false;
}

/* From the last event's first byte on all is held, before it at most a line's beginning. */
static void check_hold(const struct torn_stream *stream, const struct reply_case *expected)
{
	struct reply_reader *reader = reader_of(REPLY_EVENTS);
	size_t line = 0;
	for (size_t seen = 1; seen <= stream->bytes.size; seen++) {
		size_t held = torn_stream_feed(reader, stream->bytes, seen - 1, seen);
		char byte = stream->bytes.data[seen - 1];
		struct slice begun = slice_part(stream->bytes, line, seen);
		if (seen > stream->last)
			ck_assert_msg(held == seen - stream->last, "%zu held of %.*s", held,
				      (int)seen, stream->bytes.data);
		else if (byte == '\n' || byte == '\r')
			ck_assert_uint_eq(held, 0);
		else if (slice_starts_with(begun, SLICE("event:")))
			ck_assert_msg(held == (may_be_last(begun) ? begun.size : 0), "%zu of %.*s",
				      held, (int)seen, stream->bytes.data);
		else
			ck_assert_msg(held == 0 || held <= begun.size, "%zu of %.*s", held,
				      (int)seen, stream->bytes.data);
		if (byte == '\n' || byte == '\r')
			line = seen;
	}
	assert_reply(reader, expected);
	reply_reader_destroy(reader);
}

START_TEST(what_ends_the_stream_is_held_from_its_first_byte_on)
{
	for_every_stream(check_hold);
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

/* A stream whose last event is `size` bytes and cannot be read. */
static void check_huge_end(const char *begin)
{
	enum { PIECE = 64 * 1024, PIECES = 96 };
	struct reply_reader *reader = reader_of(REPLY_EVENTS);
	char *piece = xmalloc(PIECE);
	memset(piece, 'A', PIECE);
	ck_assert_uint_eq(reply_read(reader, SLICE(CREATED DELTA("0", "Hello"))), 0);
	size_t fed = strlen(begin);
	ck_assert_uint_eq(reply_read(reader, slice_of(begin)), fed);
	for (size_t i = 0; i < PIECES; i++) {
		fed += PIECE;
		ck_assert_uint_eq(reply_read(reader, (struct slice){piece, PIECE}), fed);
	}
	(void)reply_read(reader, SLICE("\"}\n\n"));
	ck_assert(reply_is_done(reader));
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, "Hello");
	unit_assert_slice(reply.id, "resp_1");
	ck_assert(reply.done && !reply.failed && !reply.unreadable);
	free(piece);
	reply_reader_destroy(reader);
}

START_TEST(a_huge_last_event_ends_the_stream_by_its_name)
{
	check_huge_end(
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"x\":\"");
	check_huge_end("data: {\"type\":\"response.completed\",\"x\":\"");
}
END_TEST

/* Were the data scanned anew with each of its lines, this would take minutes. */
START_TEST(a_last_event_of_many_lines_is_looked_at_once)
{
	enum { LINES = 400 * 1000 };
	struct buffer stream;
	buffer_init(&stream, SIZE_MAX);
	buffer_append(&stream, SLICE("event: response.completed\ndata: {\"type\":\n"));
	for (size_t i = 0; i < LINES; i++)
		buffer_append(&stream, SLICE("data:   \n"));
	buffer_append(&stream, SLICE("data: \"response.completed\"}\n"));
	struct reply_reader *reader = reply_reader_create(&dialect_responses, REPLY_EVENTS, LIMIT);
	ck_assert_uint_gt(reply_read(reader, buffer_slice(&stream)), stream.size - 64);
	ck_assert(reply_result(reader).done);
	reply_reader_destroy(reader);
	buffer_finish(&stream);
}
END_TEST

#define NAMED(id, phase, text)                                                                     \
	"{\"id\":\"" id "\",\"type\":\"message\",\"role\":\"assistant\",\"phase\":\"" phase        \
	"\",\"content\":[{\"type\":\"output_text\",\"text\":\"" text "\"}]}"

/* As clients do that rely on what the provider keeps. */
START_TEST(a_request_may_name_the_answer_or_the_last_call_by_its_id)
{
	static const struct {
		const char *bytes;
		const char *id; /* NULL: none */
	} cases[] = {
		{COMPLETED(REASONING "," NAMED("m1", "commentary",
					       "hm") "," NAMED("m2", "final_answer", "a")),
		 "m2"},
		{COMPLETED(REASONING "," MESSAGE("I look") "," CALL("a")), "fc"},
		{COMPLETED("{\"type\":\"shell_call\",\"id\":\"sh\",\"call_id\":\"s\"},"
			   "{\"type\":\"shell_call_output\",\"call_id\":\"s\"}," MESSAGE("Done")),
		 "m"},
		{ADDED("0", MESSAGE("")) DELTA("0", "a"), "m"},
		{COMPLETED(EMPTY_MESSAGE), NULL},
		{DELTA("0", "a"), NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct torn_stream stream = torn_stream_make(cases[i].bytes, "\n", &arena);
		struct reply_reader *reader =
			reply_reader_create(&dialect_responses, REPLY_EVENTS, LIMIT);
		(void)reply_read(reader, stream.bytes);
		const char *id = cases[i].id;
		ck_assert_uint_eq(reply_result(reader).item_hash,
				  id == NULL ? 0 : step_hash_call(0, slice_of(id)));
		reply_reader_destroy(reader);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(text_beyond_the_limit_is_dropped_at_a_characters_end)
{
	struct reply_reader *reader = reply_reader_create(&dialect_responses, REPLY_EVENTS, 4);
	(void)reply_read(reader,
			 SLICE(DELTA("0", "ab") DELTA("0", "c\xe4\xbd\xa0") DELTA("0", "d")));
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, "abc");
	ck_assert(reply.truncated);
	reply_reader_destroy(reader);
}
END_TEST

/* Escapes count as what they stand for; what replaces a text has its room. */
START_TEST(the_limit_is_for_the_text_of_all_items)
{
	static const struct {
		const char *bytes;
		const char *text;
		bool is_truncated;
	} cases[] = {
		{DELTA("0", "\\u00e9\\u00e9") DELTA("0", "\\u00e9"), "éé", true},
		{DELTA("0", "\\ud83d") DELTA("0", "\\ude00"), "😀", false},
		{DELTA("0", "abcd") DELTA("0", "e") ITEM_DONE("0", MESSAGE("wxyz")), "wxyz", false},
		{DELTA("0", "ab") DELTA("1", "cde"), "ab\nc", true},
		{DELTA("0", "abcde") DELTA("0", "f"), "abcd", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply_reader *reader =
			reply_reader_create(&dialect_responses, REPLY_EVENTS, 4);
		(void)reply_read(reader, slice_of(cases[i].bytes));
		struct reply reply = reply_result(reader);
		unit_assert_slice(reply.text, cases[i].text);
		ck_assert_int_eq(reply.truncated, cases[i].is_truncated);
		reply_reader_destroy(reader);
	}
}
END_TEST

START_TEST(our_last_event_has_the_next_number_and_both_forms)
{
	struct reply_reader *reader = reader_of(REPLY_EVENTS);
	struct buffer out;
	buffer_init(&out, 4096);
	(void)reply_read(reader, SLICE(DELTA("0", "ab")));
	dialect_responses.error_event(&out, reply_next_sequence(reader), 502, "upstream_broken",
				      SLICE("It \"broke\"."));
	unit_assert_slice(
		buffer_slice(&out),
		"event: error\ndata: {\"type\":\"error\",\"sequence_number\":5,"
		"\"code\":\"upstream_broken\",\"message\":\"It \\\"broke\\\".\",\"param\":null,"
		"\"error\":{\"type\":\"api_error\",\"code\":\"upstream_broken\","
		"\"message\":\"It \\\"broke\\\".\",\"param\":null}}\n\n");
	buffer_finish(&out);
	reply_reader_destroy(reader);
}
END_TEST

UNIT_MAIN("responses_reply", a_stream_reads_the_same_wherever_it_is_torn,
	  what_ends_the_stream_is_held_from_its_first_byte_on, a_body_is_read_when_it_is_over,
	  a_huge_last_event_ends_the_stream_by_its_name,
	  a_request_may_name_the_answer_or_the_last_call_by_its_id,
	  text_beyond_the_limit_is_dropped_at_a_characters_end,
	  the_limit_is_for_the_text_of_all_items, a_last_event_of_many_lines_is_looked_at_once,
	  our_last_event_has_the_next_number_and_both_forms)
