/* Tests reading replies of the chat dialect, split anywhere, and the bounds. */
#include "core/dialect/reply.h"

#include "core/dialect/dialect.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 * 1024 };

#define EVENT(json) "data: " json "\n\n"
#define CHUNK(delta)                                                                               \
	EVENT("{\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}")
#define CONTENT(text) CHUNK("{\"content\":\"" text "\"}")
#define STOP EVENT("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}")
#define DONE "data: [DONE]\n\n"
#define MARK "\xef\xbb\xbf"

struct reply_case {
	const char *bytes;
	const char *text;
	const char *tool_calls; /* one letter for an id; "-" for a call without any; NULL: none */
	bool finished;
	bool done;
	bool failed;
	bool unreadable;
	int64_t prompt_tokens; /* 0 stands for unknown */
	int64_t cached_tokens;
};

/* The tables below have one event to a line. */
/* clang-format off */
static const struct reply_case streams[] = {
	{.bytes = CHUNK("{\"role\":\"assistant\",\"content\":\"\"}")
		CONTENT("Hell\xc3\xb6, ")
		CONTENT("\\ud83d\\ude00\xe4\xbd\xa0")
		STOP
		EVENT("{\"choices\":[],\"usage\":{\"prompt_tokens\":1200,\"completion_tokens\":3,"
		      "\"prompt_tokens_details\":{\"cached_tokens\":1024}}}")
		DONE,
	 .text = "Hell\xc3\xb6, \xf0\x9f\x98\x80\xe4\xbd\xa0", .finished = true, .done = true,
	 .prompt_tokens = 1200, .cached_tokens = 1024},
	/* A byte order mark, comments, other fields, no space behind the colon, more after the end. */
	{.bytes = MARK ": hello\nevent: message\n"
		CONTENT("a")
		"id: 1\nretry\n\n: ping\n\n"
		"data:{\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
		"data:[DONE]  \n\n"
		EVENT("{\"error\":{}}"),
	 .text = "a", .finished = true, .done = true},
	/* A character's halves in two pieces; a half that stays alone. */
	{.bytes = CONTENT("a\\ud83d") CONTENT("\\ude00b") CONTENT("c\\uD83D") CONTENT("\\uDE00"),
	 .text = "a\xf0\x9f\x98\x80" "bc\xf0\x9f\x98\x80"},
	{.bytes = CONTENT("a\\ud83d") CONTENT("b\\ud83d") CONTENT("\\u0041\\ud83d"),
	 .text = "a\xef\xbf\xbd" "b\xef\xbf\xbd" "A\xef\xbf\xbd"},
	/* Data over several lines, once without a colon, among lines that are no data. */
	{.bytes = "data:{\"choices\":\ndata\ndata: [{\"delta\":{\"content\":\n"
		"datum: 1\n:data: 2\ndata:\"a\"}}]}\n\n",
	 .text = "a"},
	/* Lines that only look like the end, or name it in their text. */
	{.bytes = CONTENT("data: [DONE]\\n\\n")
		"event: [DONE]\n\n"
		"data: [DONE\n\n"
		"data: [DONE] x\n\n"
		"data:  [DONE]\n\n"
		" data: [DONE]\n\n"
		": data: [DONE]\n\n",
	 .text = "data: [DONE]\n\n", .unreadable = true},
	{.bytes = MARK DONE, .text = "", .done = true},
	{.bytes = "\n" MARK DONE, .text = ""},
	{.bytes = "data: [DONE]", .text = "", .done = true},
	/* Empty events, and one that breaks off. */
	{.bytes = "\n\n\ndata\n\ndata:\n\ndata: \n\n" CONTENT("a") STOP "data: {\"cho",
	 .text = "a", .finished = true},
	/* Without the empty line at the end, or before the end. */
	{.bytes = CONTENT("a") "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}",
	 .text = "a", .finished = true},
	{.bytes = CONTENT("a") "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n",
	 .text = "a", .finished = true},
	{.bytes = CONTENT("a") "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\ndata: [DONE]\n",
	 .text = "a", .finished = true, .done = true},
	/* Other choices, and what is neither an answer nor its end. */
	{.bytes = EVENT("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"},"
			"\"finish_reason\":\"stop\"},{\"index\":0,\"delta\":{\"content\":\"yes\","
			"\"reasoning_content\":\"hm\"}}]}")
		EVENT("{\"choices\":[{\"delta\":{\"reasoning\":\"hm\"},\"finish_reason\":\"\"}],"
		      "\"usage\":null,\"error\":null}"),
	 .text = "yes"},
	{.bytes = EVENT("{\"choices\":[{\"delta\":{\"content\":\"a\"}},"
			"{\"delta\":{\"content\":\"no\"},\"finish_reason\":\"stop\"}]}")
		EVENT("{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}"),
	 .text = "ab"},
	{.bytes = CHUNK("{\"content\":[{\"type\":\"thinking\",\"text\":\"no\"},"
			"{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}"),
	 .text = "ab"},
	{.bytes = CHUNK("{\"content\":null,\"refusal\":\"I can\"}") CHUNK("{\"refusal\":\"not.\"}"),
	 .text = "I cannot."},
	/* A message instead of deltas, and the whole message once more behind them. */
	{.bytes = EVENT("{\"choices\":[{\"message\":{\"content\":\"a\"}}]}")
		EVENT("{\"choices\":[{\"message\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}"),
	 .text = "ab", .finished = true},
	{.bytes = CONTENT("a")
		EVENT("{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}"),
	 .text = "a", .finished = true},
	/* Tool calls in pieces and out of order; without an index, as they come; the older form. */
	{.bytes = CHUNK("{\"tool_calls\":[{\"index\":1,\"id\":\"b\"}]}")
		CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"a\"},{\"index\":1,\"x\":\"\"}]}")
		CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"\"},{\"index\":1,\"id\":\"b\"}]}")
		DONE,
	 .text = "", .tool_calls = "ab", .done = true},
	/* An id that comes later than its call. */
	{.bytes = CHUNK("{\"tool_calls\":[{\"index\":0}]}")
		CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"a\"}]}"),
	 .text = "", .tool_calls = "a"},
	{.bytes = CHUNK("{\"tool_calls\":[{\"id\":\"x\"}]}")
		CHUNK("{\"tool_calls\":[{\"id\":\"y\"},{\"id\":\"x\"}]}"),
	 .text = "", .tool_calls = "xy"},
	{.bytes = CHUNK("{\"function_call\":{\"name\":\"f\"}}"), .text = "", .tool_calls = "-"},
	{.bytes = CHUNK("{\"content\":\"a\",\"tool_calls\":[],\"function_call\":null}"), .text = "a"},
	{.bytes = CONTENT("a") EVENT("{\"error\":{\"message\":\"overloaded\"}}"),
	 .text = "a", .failed = true},
	{.bytes = EVENT("{\"error\":\"overloaded\"}"), .text = "", .failed = true},
	{.bytes = EVENT("{\"choices\":"), .text = "", .unreadable = true},
	{.bytes = EVENT("[1]"), .text = "", .unreadable = true},
	{.bytes = "", .text = ""},
};

static const struct reply_case bodies[] = {
	{.bytes = " {\"choices\":[{\"index\":1,\"message\":{\"content\":\"no\"}},"
		"{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\\nb\"}}],"
		"\"usage\":{\"prompt_tokens\":5,\"prompt_tokens_details\":null}}\n",
	 .text = "a\nb", .finished = true, .prompt_tokens = 5},
	{.bytes = "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
		"{\"type\":\"text\",\"text\":\"b\"}]}}]}",
	 .text = "a\nb", .finished = true},
	/* Without an index, the first. */
	{.bytes = "{\"choices\":[{\"message\":{\"content\":\"a\"}},{\"message\":{\"content\":\"no\"}}]}",
	 .text = "a", .finished = true},
	{.bytes = "{\"choices\":[{\"index\":null,\"message\":{\"content\":\"a\"}},"
		"{\"index\":null,\"message\":{\"content\":\"no\"}}]}",
	 .text = "a", .finished = true},
	{.bytes = "{\"choices\":[null,{\"message\":{\"content\":\"no\"}}]}",
	 .text = "", .unreadable = true},
	{.bytes = "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"No.\"}}]}",
	 .text = "No.", .finished = true},
	{.bytes = "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"p\"},{\"id\":\"q\"}]}}]}",
	 .text = "", .tool_calls = "pq", .finished = true},
	{.bytes = "{\"error\":{\"message\":\"no\"}}", .text = "", .failed = true},
	{.bytes = "{\"choices\":[]}", .text = "", .unreadable = true},
	{.bytes = "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"no\"}}]}",
	 .text = "", .unreadable = true},
	{.bytes = "{\"choices\":[{\"message\":{\"content\":\"broken o", .text = "", .unreadable = true},
	{.bytes = DONE, .text = "", .unreadable = true},
	{.bytes = "", .text = "", .unreadable = true},
};
/* clang-format on */

static uint64_t hash_of(const char *letters)
{
	uint64_t hash = 0;
	for (; *letters != '\0' && *letters != '-'; letters++)
		hash = step_hash_call(hash, (struct slice){letters, 1});
	return hash;
}

static int64_t known(int64_t tokens)
{
	return tokens == 0 ? -1 : tokens;
}

static void assert_reply(struct reply_reader *reader, const struct reply_case *expected)
{
	const char *tool_calls = expected->tool_calls == NULL ? "" : expected->tool_calls;
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, expected->text);
	ck_assert_msg(
		reply.finished == expected->finished && reply.done == expected->done &&
			reply.failed == expected->failed &&
			reply.unreadable == expected->unreadable && !reply.truncated &&
			reply.has_tool_calls == (expected->tool_calls != NULL),
		"finished %d, done %d, failed %d, unreadable %d, truncated %d, tool calls %d: %s",
		reply.finished, reply.done, reply.failed, reply.unreadable, reply.truncated,
		reply.has_tool_calls, expected->bytes);
	ck_assert_uint_eq(reply.tool_calls_hash, hash_of(tool_calls));
	ck_assert_int_eq(reply.prompt_tokens, known(expected->prompt_tokens));
	ck_assert_int_eq(reply.cached_tokens, known(expected->cached_tokens));
	/* The end of the reply is read once. */
	unit_assert_slice(reply_result(reader).text, expected->text);
}

/* The stream with its line feeds as `line_break`. */
static struct slice with_line_breaks(const char *stream, const char *line_break,
				     struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, 64 * 1024);
	for (; *stream != '\0'; stream++) {
		if (*stream == '\n')
			(void)buffer_append(&out, slice_of(line_break));
		else
			(void)buffer_append_byte(&out, *stream);
	}
	struct slice copy = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return copy;
}

/* Runs `check` on every stream with every kind of line break. */
static void for_every_stream(void (*check)(struct slice stream, const struct reply_case *expected))
{
	static const char *const line_breaks[] = {"\n", "\r\n", "\r"};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		for (size_t j = 0; j < sizeof(line_breaks) / sizeof(line_breaks[0]); j++) {
			struct arena arena = {0};
			check(with_line_breaks(streams[i].bytes, line_breaks[j], &arena),
			      &streams[i]);
			arena_finish(&arena);
		}
	}
}

/* Feeds [begin, end) from memory that ends there. */
static size_t feed(struct reply_reader *reader, struct slice stream, size_t begin, size_t end)
{
	size_t size = end - begin;
	char *copy = malloc(size == 0 ? 1 : size);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, stream.data + begin, size);
	size_t held = reply_read(reader, (struct slice){copy, size});
	free(copy);
	return held;
}

static void check_torn(struct slice stream, const struct reply_case *expected)
{
	for (size_t first = 0; first <= stream.size; first++) {
		for (size_t size = 1; size <= 3; size++) {
			struct reply_reader *reader =
				reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
			size_t second = first + size < stream.size ? first + size : stream.size;
			(void)feed(reader, stream, 0, first);
			(void)feed(reader, stream, first, second);
			(void)feed(reader, stream, second, stream.size);
			assert_reply(reader, expected);
			reply_reader_destroy(reader);
		}
	}
}

START_TEST(a_stream_reads_the_same_wherever_it_is_torn)
{
	for_every_stream(check_torn);
}
END_TEST

static void check_byte_by_byte(struct slice stream, const struct reply_case *expected)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
	for (size_t at = 0; at < stream.size; at++)
		(void)feed(reader, stream, at, at + 1);
	assert_reply(reader, expected);
	reply_reader_destroy(reader);
}

START_TEST(a_stream_reads_the_same_byte_by_byte)
{
	for_every_stream(check_byte_by_byte);
}
END_TEST

/* Whether the line is `data: [DONE]`, or, when more of it may come, a beginning of it. */
static bool is_done_line(struct slice line, bool is_first, bool is_whole)
{
	static const char *const forms[] = {
		"data: [DONE]",
		"data:[DONE]",
		MARK "data: [DONE]",
		MARK "data:[DONE]",
	};
	for (size_t i = 0; i < (is_first ? 4 : 2); i++) {
		struct slice form = slice_of(forms[i]);
		if (!is_whole && line.size > 0 && slice_starts_with(form, line))
			return true;
		size_t end = line.size;
		while (end > 0 && line.data[end - 1] == ' ')
			end--;
		if (slice_equal(slice_part(line, 0, end), form))
			return true;
	}
	return false;
}

/* The hold-back rule told the long way: over all lines of what has come so far. */
static size_t expected_hold(struct slice seen)
{
	size_t begin = 0;
	bool is_first = true;
	for (;;) {
		size_t end = begin;
		while (end < seen.size && seen.data[end] != '\n' && seen.data[end] != '\r')
			end++;
		if (is_done_line(slice_part(seen, begin, end), is_first, end < seen.size))
			return seen.size - begin;
		if (end == seen.size)
			return 0;
		bool is_pair =
			seen.data[end] == '\r' && end + 1 < seen.size && seen.data[end + 1] == '\n';
		begin = end + (is_pair ? 2 : 1);
		is_first = false;
	}
}

static void check_hold(struct slice stream, const struct reply_case *expected)
{
	(void)expected;
	struct reply_reader *slow = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
	for (size_t seen = 0; seen <= stream.size; seen++) {
		size_t hold = expected_hold(slice_part(stream, 0, seen));
		struct reply_reader *fast = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
		size_t held = feed(slow, stream, seen > 0 ? seen - 1 : 0, seen);
		ck_assert_msg(held == hold, "%zu held, not %zu, of %.*s", held, hold, (int)seen,
			      stream.data);
		ck_assert_uint_eq(feed(fast, stream, 0, seen), hold);
		reply_reader_destroy(fast);
	}
	reply_reader_destroy(slow);
}

START_TEST(exactly_the_end_is_held_back)
{
	for_every_stream(check_hold);
}
END_TEST

START_TEST(a_body_is_read_when_it_is_over_and_holds_one_byte)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct slice body = slice_of(bodies[i].bytes);
		for (size_t at = 0; at <= body.size; at++) {
			struct reply_reader *reader =
				reply_reader_create(&dialect_chat, REPLY_JSON, LIMIT);
			ck_assert_uint_eq(feed(reader, body, 0, at), at > 0 ? 1 : 0);
			ck_assert_uint_eq(feed(reader, body, at, body.size), body.size > 0 ? 1 : 0);
			assert_reply(reader, &bodies[i]);
			reply_reader_destroy(reader);
		}
	}
}
END_TEST

START_TEST(text_beyond_the_limit_is_dropped_at_a_characters_end)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_EVENTS, 4);
	(void)reply_read(reader, SLICE(CONTENT("ab") CONTENT("c\xe4\xbd\xa0") CONTENT("d") STOP));
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, "abc");
	ck_assert(reply.truncated);
	ck_assert(reply.finished);
	reply_reader_destroy(reader);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_not_read)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_JSON, 10);
	ck_assert_uint_eq(reply_read(reader, SLICE("{\"choices\"")), 1);
	ck_assert_uint_eq(reply_read(reader, SLICE(":[{\"message\":{\"content\":\"a\"}}]}")), 1);
	struct reply reply = reply_result(reader);
	ck_assert(reply.truncated);
	ck_assert(!reply.unreadable); /* it may well have answered */
	ck_assert(!reply.finished);
	reply_reader_destroy(reader);
}
END_TEST

/* 5 MB of spaces behind `beginning`, in pieces or at once, and then a reply as always. */
static void read_after_flood(const char *beginning, const char *between, size_t piece)
{
	enum { FLOOD = 5 * 1024 * 1024 };
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
	struct buffer stream;
	buffer_init(&stream, 2 * FLOOD);
	(void)buffer_append(&stream, slice_of(beginning));
	while (stream.size < FLOOD)
		(void)buffer_append(&stream, slice_of(between));
	(void)buffer_append(&stream, SLICE("\n\n" CONTENT("a") STOP));
	for (size_t at = 0; at < stream.size; at += piece) {
		size_t end = at + piece < stream.size ? at + piece : stream.size;
		(void)reply_read(reader, slice_part(buffer_slice(&stream), at, end));
	}
	ck_assert_uint_eq(reply_read(reader, SLICE(DONE)), sizeof(DONE) - 1);
	struct reply reply = reply_result(reader);
	unit_assert_slice(reply.text, "a");
	ck_assert(reply.truncated && reply.finished && reply.done && !reply.unreadable);
	buffer_finish(&stream);
	reply_reader_destroy(reader);
}

START_TEST(an_event_that_is_too_large_is_dropped_from_reading_alone)
{
	static const size_t pieces[] = {SIZE_MAX / 2, 65536, 100003};
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		read_after_flood("data: [DONE]", " ", pieces[i]);
		read_after_flood("data: {\"choices\":[{\"delta\":{\"content\":\"no\"}}]}", " ",
				 pieces[i]);
		read_after_flood("data: {", "\ndata:                                  ", pieces[i]);
	}
}
END_TEST

START_TEST(a_line_that_grew_too_long_is_no_longer_held_back)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
	size_t held = reply_read(reader, SLICE("data: [DONE]"));
	for (size_t size = 12; size < 133; size++) {
		ck_assert_uint_eq(held, size);
		held = reply_read(reader, SLICE(" "));
	}
	ck_assert_uint_eq(held, 133);
	ck_assert_uint_eq(reply_read(reader, SLICE(" ")), 0);
	ck_assert_uint_eq(reply_read(reader, SLICE("\n\n")), 0);
	ck_assert(!reply_result(reader).done);
	reply_reader_destroy(reader);
}
END_TEST

START_TEST(tool_calls_beyond_all_measure_take_no_more_memory)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, REPLY_EVENTS, LIMIT);
	for (int i = 5000; i > 0; i--) {
		char event[200];
		int size = snprintf(event, sizeof(event),
				    CHUNK("{\"tool_calls\":[{\"index\":%d,\"id\":\"%d\"}]}"), i, i);
		(void)reply_read(reader, (struct slice){event, (size_t)size});
	}
	struct reply reply = reply_result(reader);
	ck_assert(reply.has_tool_calls);
	ck_assert_uint_ne(reply.tool_calls_hash, 0);
	reply_reader_destroy(reader);
}
END_TEST

START_TEST(no_reader_can_be_destroyed)
{
	reply_reader_destroy(NULL);
}
END_TEST

UNIT_MAIN("reply", a_stream_reads_the_same_wherever_it_is_torn,
	  a_stream_reads_the_same_byte_by_byte, exactly_the_end_is_held_back,
	  a_body_is_read_when_it_is_over_and_holds_one_byte,
	  text_beyond_the_limit_is_dropped_at_a_characters_end, a_body_beyond_the_limit_is_not_read,
	  an_event_that_is_too_large_is_dropped_from_reading_alone,
	  a_line_that_grew_too_long_is_no_longer_held_back,
	  tool_calls_beyond_all_measure_take_no_more_memory, no_reader_can_be_destroyed)
