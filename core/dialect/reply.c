#include "core/dialect/reply.h"

#include "core/base/find_either.h"
#include "core/dialect/answer.h"
#include "core/dialect/dialect.h"
#include "core/json/json.h"

#include <stdlib.h>
#include <string.h>

/* A longer line, or more data in one event, is dropped from reading. */
enum { EVENT_LIMIT = 4 * 1024 * 1024 };
/* A longer line does not end a stream. */
enum { TERMINAL_LINE_LIMIT = 256 };

static const struct slice byte_order_mark = SLICE("\xef\xbb\xbf");

struct reply_reader {
	const struct dialect *dialect;
	enum reply_format format;
	struct answer answer;
	bool is_over;   /* reply_result() has been called */
	bool truncated; /* the body, a line or an event was too large */
	size_t fed;     /* bytes, over all calls */

	struct buffer body; /* REPLY_JSON: all of it */

	/* REPLY_EVENTS. */
	struct buffer line; /* what has come of a line whose end has not */
	struct buffer data; /* of the event whose end has not come */
	size_t line_begin;  /* where the line begins, counted as `fed` is */
	bool line_dropped;
	bool event_dropped;
	bool has_data;
	bool past_first_line;
	bool past_cr; /* a line feed now belongs to the line break before it */
	bool done;    /* `line_begin` stays at the line that ended the stream */
};

struct reply_reader *reply_reader_create(const struct dialect *dialect, enum reply_format format,
					 size_t limit)
{
	struct reply_reader *reader = xcalloc(1, sizeof(*reader));
	reader->dialect = dialect;
	reader->format = format;
	answer_init(&reader->answer, limit);
	buffer_init(&reader->body, limit);
	buffer_init(&reader->line, EVENT_LIMIT);
	buffer_init(&reader->data, EVENT_LIMIT);
	return reader;
}

void reply_reader_destroy(struct reply_reader *reader)
{
	if (reader == NULL)
		return;
	answer_finish(&reader->answer);
	buffer_finish(&reader->body);
	buffer_finish(&reader->line);
	buffer_finish(&reader->data);
	free(reader);
}

static void read_body(struct reply_reader *reader, struct slice bytes)
{
	if (reader->truncated || buffer_append(&reader->body, bytes))
		return;
	reader->truncated = true;
	buffer_finish(&reader->body);
}

/* Takes `part` off the front of the line, or as much of it as the line has. */
static enum terminal take_part(struct slice *line, struct slice part)
{
	size_t size = line->size < part.size ? line->size : part.size;
	if (!slice_starts_with(part, slice_part(*line, 0, size)))
		return TERMINAL_NO;
	*line = slice_part(*line, size, line->size);
	return size == part.size ? TERMINAL_YES : TERMINAL_MAYBE;
}

/* Whether a line, or what has come of it, is the data that ends the stream. */
static enum terminal match_terminal(const struct reply_reader *reader, struct slice line)
{
	bool is_first = !reader->past_first_line;
	if (line.size == 0 || line.size > TERMINAL_LINE_LIMIT)
		return TERMINAL_NO;
	if (is_first && line.data[0] == byte_order_mark.data[0]) {
		enum terminal match = take_part(&line, byte_order_mark);
		if (match != TERMINAL_YES)
			return match;
	}
	enum terminal match = take_part(&line, SLICE("data:"));
	if (match != TERMINAL_YES)
		return match;
	if (line.size > 0 && line.data[0] == ' ')
		line = slice_part(line, 1, line.size);
	return reader->dialect->match_terminal(line);
}

static void drop_event(struct reply_reader *reader)
{
	reader->event_dropped = true;
	reader->truncated = true;
}

static void end_event(struct reply_reader *reader)
{
	struct slice data = slice_trim(buffer_slice(&reader->data));
	if (!reader->event_dropped && data.size > 0)
		reader->dialect->add(&reader->answer, data);
	buffer_clear(&reader->data);
	reader->has_data = false;
	reader->event_dropped = false;
}

static void add_data(struct reply_reader *reader, struct slice value)
{
	if (value.size > 0 && value.data[0] == ' ')
		value = slice_part(value, 1, value.size);
	if (reader->has_data)
		(void)buffer_append_byte(&reader->data, '\n');
	(void)buffer_append(&reader->data, value);
	reader->has_data = true;
	if (reader->data.overflowed)
		drop_event(reader);
}

/* Of the fields only `data` matters; without a colon its value is empty. */
static void read_line(struct reply_reader *reader, struct slice line)
{
	bool is_first = !reader->past_first_line;
	if (match_terminal(reader, line) == TERMINAL_YES) {
		end_event(reader);
		reader->done = true;
		return;
	}
	if (is_first && slice_starts_with(line, byte_order_mark))
		line = slice_part(line, byte_order_mark.size, line.size);
	if (line.size == 0)
		end_event(reader);
	else if (slice_starts_with(line, SLICE("data:")))
		add_data(reader, slice_part(line, sizeof("data:") - 1, line.size));
	else if (slice_equal(line, SLICE("data")))
		add_data(reader, SLICE(""));
}

static void keep_line(struct reply_reader *reader, struct slice piece)
{
	if (reader->line_dropped || buffer_append(&reader->line, piece))
		return;
	reader->line_dropped = true;
	drop_event(reader);
	buffer_clear(&reader->line);
}

/* `piece` ends the line; what came of it before is kept. */
static void end_line(struct reply_reader *reader, struct slice piece)
{
	bool is_whole =
		reader->line.size == 0 && !reader->line_dropped && piece.size <= reader->line.limit;
	if (!is_whole) {
		keep_line(reader, piece);
		piece = buffer_slice(&reader->line);
	}
	if (!reader->line_dropped)
		read_line(reader, piece);
	reader->past_first_line = true;
	reader->line_dropped = false;
	buffer_clear(&reader->line);
}

static void read_events(struct reply_reader *reader, struct slice bytes)
{
	size_t at = 0;
	while (at < bytes.size && !reader->done) {
		bool is_rest_of_break = reader->past_cr && bytes.data[at] == '\n';
		reader->past_cr = false;
		if (is_rest_of_break) {
			at++;
			reader->line_begin++;
			continue;
		}
		size_t end = find_either(bytes.data, at, bytes.size, '\n', '\r');
		if (end == bytes.size) {
			keep_line(reader, slice_part(bytes, at, end));
			return;
		}
		end_line(reader, slice_part(bytes, at, end));
		reader->past_cr = bytes.data[end] == '\r';
		at = end + 1;
		if (!reader->done)
			reader->line_begin = reader->fed + at;
	}
}

size_t reply_read(struct reply_reader *reader, struct slice bytes)
{
	if (reader->format == REPLY_JSON)
		read_body(reader, bytes);
	else
		read_events(reader, bytes);
	reader->fed += bytes.size;
	if (reader->format == REPLY_JSON)
		return reader->fed > 0 ? 1 : 0;
	bool is_held =
		reader->done || match_terminal(reader, buffer_slice(&reader->line)) != TERMINAL_NO;
	return is_held ? reader->fed - reader->line_begin : 0;
}

/* A stream that ends without its last line break may still have said all that it had to say; one
 * that broke off in the middle of an event left something that is not JSON. */
static void end_events(struct reply_reader *reader)
{
	struct json_value value;
	if (!reader->done && !reader->line_dropped && reader->line.size > 0)
		read_line(reader, buffer_slice(&reader->line));
	if (json_scan(buffer_slice(&reader->data), &value))
		end_event(reader);
}

static void end_body(struct reply_reader *reader)
{
	struct answer *answer = &reader->answer;
	if (reader->truncated)
		return;
	reader->dialect->add(answer, buffer_slice(&reader->body));
	answer->finished = answer->has_answer;
	if (!answer->has_answer && !answer->failed)
		answer->unreadable = true;
}

struct reply reply_result(struct reply_reader *reader)
{
	struct answer *answer = &reader->answer;
	if (!reader->is_over && reader->format == REPLY_JSON)
		end_body(reader);
	else if (!reader->is_over)
		end_events(reader);
	reader->is_over = true;
	const struct buffer *text = answer->text.size > 0 ? &answer->text : &answer->refusal;
	return (struct reply){
		.text = buffer_slice(text),
		.finished = answer->finished,
		.done = reader->done,
		.failed = answer->failed,
		.unreadable = answer->unreadable,
		.truncated = reader->truncated || text->overflowed,
		.has_tool_calls = answer->has_tool_calls,
		.tool_calls_hash = answer_tool_calls_hash(answer),
		.prompt_tokens = answer->prompt_tokens,
		.cached_tokens = answer->cached_tokens,
	};
}

bool reply_is_done(const struct reply_reader *reader)
{
	return reader->done;
}
