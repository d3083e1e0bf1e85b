/* Which event ends a stream, in dialects of named events and of lines. */
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { LIMIT = 1024 * 1024 };

/* A dialect of named events, and one of lines, which say their text and nothing else. */
static enum terminal match_named(const struct event_head *head)
{
	static const struct slice ends[] = {SLICE("end"), SLICE("error")};
	return event_is_named(head, ends, 2);
}

static enum terminal match_line(const struct event_head *head)
{
	if (slice_find(head->data, SLICE("\"done\":true"), 0) < head->data.size)
		return TERMINAL_YES;
	return head->data_may_go_on ? TERMINAL_MAYBE : TERMINAL_NO;
}

static void add_said(struct answer *answer, struct slice event, struct slice json)
{
	static const char *const names[] = {"text"};
	struct json_value object;
	struct json_value text[1];
	ck_assert(json_scan(json, &object));
	(void)JSON_PICK(json, object, names, text);
	answer_add_string(&answer->text, json, text[0]);
	answer->finished |= slice_equal(event, SLICE("end"));
	answer->sequence++;
}

static void end_said(struct answer *answer)
{
	answer_add_text(&answer->text, SLICE("."));
}

static const struct dialect named = {
	.match_terminal = match_named, .add = add_said, .end = end_said};
static const struct dialect lines = {
	.match_terminal = match_line, .add = add_said, .end = end_said};

/* However it is torn, the stream says `text`, and what follows `goes` of its bytes is held once it
 * has come. */
static void assert_ends(const struct dialect *dialect, enum reply_format format, const char *stream,
			size_t goes, const char *text)
{
	struct slice bytes = slice_of(stream);
	for (size_t piece = 1; piece <= bytes.size; piece++) {
		struct reply_reader *reader = reply_reader_create(dialect, format, LIMIT);
		size_t held = 0;
		for (size_t at = 0; at < bytes.size; at += piece) {
			size_t end = at + piece < bytes.size ? at + piece : bytes.size;
			held = reply_read(reader, slice_part(bytes, at, end));
			ck_assert_msg(end <= goes || end - held <= goes, "%zu of %s", end, stream);
		}
		ck_assert_msg(held == bytes.size - goes, "%zu held of %s", held, stream);
		ck_assert_int_eq(reply_is_done(reader), goes < bytes.size);
		ck_assert_int_eq(reply_next_sequence(reader), (int64_t)strlen(text));
		struct reply reply = reply_result(reader);
		ck_assert_msg(reply.text.size == strlen(text) + 1, "%.*s of %s",
			      SLICE_PRINT(reply.text), stream);
		ck_assert(slice_starts_with(reply.text, slice_of(text)));
		reply_reader_destroy(reader);
	}
}

#define SAYS(text) "data: {\"text\":\"" text "\"}\n\n"

START_TEST(a_stream_ends_in_the_event_that_its_name_says)
{
	static const struct {
		const char *before, *end, *text;
	} cases[] = {
		{"event: say\n" SAYS("a"), "event: end\n" SAYS("b"), "ab"},
		{"event: say\r\n" SAYS("a"), "event:end\r\ndata:{\"text\":\"b\"}\r\n\r\n", "ab"},
		{"event: ending\n" SAYS("a"), "event: error\n" SAYS("b"), "ab"},
		/* The empty line is left out, or the data is in several. */
		{SAYS("a"), "event: end\ndata: {\"text\":\"b\"}\n", "ab"},
		{SAYS("a"), "event: end\ndata: {\"text\":\ndata: \"b\"}\n\n", "ab"},
		{SAYS("a"), "event: end\n\n", "a"},
		/* More of it says nothing. */
		{SAYS("a"), "event: end\n" SAYS("b") "data: [DONE]\n\n", "ab"},
		/* Without names, the data's type is one. */
		{"data: {\"type\":\"ending\",\"text\":\"a\"}\n\n",
		 "data: {\"type\":\"end\",\"text\":\"b\"}\n\n", "ab"},
		{"data: {\"text\":\"a\",\"n\":{\"type\":\"end\"}}\n\n",
		 "data:{ \"n\\\"\" : \"}\" , \"n\":-1.5,\"type\":\"end\",\"text\":\"b\"}\n\n",
		 "ab"},
		/* An event of another name is none, whatever its data says. */
		{"event: say\ndata: {\"type\":\"end\",\"text\":\"a\"}\n\n",
		 "event: end\n" SAYS("b"), "ab"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		const struct slice parts[] = {slice_of(cases[i].before), slice_of(cases[i].end)};
		assert_ends(&named, REPLY_EVENTS, arena_join(&arena, parts, 2).data, parts[0].size,
			    cases[i].text);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(lines_of_json_are_events)
{
	assert_ends(&lines, REPLY_LINES,
		    "{\"text\":\"a\",\"done\":false}\n{\"text\":\"b\",\"done\":true}\n", 26, "ab");
	assert_ends(&lines, REPLY_LINES, "{\"text\":\"a\"}\n", 13, "a");
}
END_TEST

/* As images in it make it: what streamed before it stays, and it ends the stream. */
START_TEST(an_event_that_ends_the_stream_may_be_of_any_size)
{
	static const char *const begins[] = {"event: end\ndata: {\"text\":\"b",
					     "data: {\"type\":\"end\",\"text\":\"b"};
	for (size_t i = 0; i < 2; i++) {
		struct reply_reader *reader = reply_reader_create(&named, REPLY_EVENTS, LIMIT);
		(void)reply_read(reader, SLICE(SAYS("a")));
		size_t held = reply_read(reader, slice_of(begins[i]));
		ck_assert_uint_eq(held, strlen(begins[i]));
		static const char flood[64 * 1024] = {[0 ... 64 * 1024 - 1] = 'x'};
		for (int j = 0; j < 100; j++) {
			held = reply_read(reader, (struct slice){flood, sizeof(flood)});
			ck_assert(!reply_is_done(reader));
		}
		ck_assert_uint_eq(held, strlen(begins[i]) + 100 * sizeof(flood));
		(void)reply_read(reader, SLICE("\"}\n\n"));
		ck_assert(reply_is_done(reader));
		struct reply reply = reply_result(reader);
		unit_assert_slice(reply.text, "a.");
		ck_assert(reply.truncated);
		reply_reader_destroy(reader);
	}
}
END_TEST

UNIT_MAIN("reply_end", a_stream_ends_in_the_event_that_its_name_says, lines_of_json_are_events,
	  an_event_that_ends_the_stream_may_be_of_any_size)
