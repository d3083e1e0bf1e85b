#include "core/dialect/reply.h"

#include "core/base/find_either.h"
#include "core/dialect/dialect.h"
#include "core/dialect/skeleton.h"
#include "core/json/json.h"

#include <stdlib.h>
#include <string.h>

/* A longer line, or more data in one event, is skipped; of a line of JSON its skeleton is read. */
enum { EVENT_LIMIT = 4 * 1024 * 1024, SKELETON_LIMIT = 64 * 1024 };
/* No event has a longer name. */
enum { EVENT_NAME_LIMIT = 128 };

static const struct slice byte_order_mark = SLICE("\xef\xbb\xbf");

/* How deep in the objects and arrays of a JSON text its end lies so far. */
struct nesting {
	size_t depth;
	bool in_string;
	bool is_escaped; /* the next character of the string is */
};

struct reply_reader {
	const struct dialect *dialect;
	enum reply_format format;
	struct answer answer;
	bool is_over;   /* reply_result() has been called */
	bool truncated; /* the body, a line or an event was too large */
	size_t fed;     /* bytes, over all calls */

	struct buffer body; /* REPLY_JSON: all of it */

	/* REPLY_EVENTS and REPLY_LINES: */
	struct buffer line;       /* the part of an incomplete line that has arrived */
	struct skeleton skeleton; /* REPLY_LINES: of a line that is dropped */
	struct buffer name;       /* of the incomplete event, and its data */
	struct buffer data;
	size_t line_begin; /* where the line begins, in the count of `fed` */
	size_t end_begin;  /* if is_ending: where the event that ends the stream begins */
	bool line_dropped;
	bool event_dropped;
	bool has_data;
	bool past_first_line;
	bool past_cr;           /* a line feed now belongs to the line break before it */
	struct nesting nesting; /* if is_ending: of the event's data */
	bool is_ending;         /* the event that ends the stream has begun */
	bool done;              /* and is complete */
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
	skeleton_init(&reader->skeleton, SKELETON_LIMIT);
	buffer_init(&reader->name, EVENT_NAME_LIMIT);
	buffer_init(&reader->data, EVENT_LIMIT);
	return reader;
}

void reply_reader_destroy(struct reply_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->dialect->end != NULL && !reader->is_over)
		reader->dialect->end(&reader->answer);
	answer_finish(&reader->answer);
	buffer_finish(&reader->body);
	buffer_finish(&reader->line);
	skeleton_finish(&reader->skeleton);
	buffer_finish(&reader->name);
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

/* Takes the field's name off the front of the line, and a space after it. */
static bool take_field(struct slice *line, struct slice name)
{
	if (!slice_starts_with(*line, name))
		return false;
	size_t space = line->size > name.size && line->data[name.size] == ' ' ? 1 : 0;
	*line = slice_part(*line, name.size + space, line->size);
	return true;
}

/* Also accepts a line whose name may be incomplete: its value is then empty. */
static bool may_be_field(struct slice *line, struct slice name, bool may_go_on)
{
	if (!may_go_on || !slice_starts_with(name, *line))
		return take_field(line, name);
	*line = SLICE("");
	return true;
}

/* Handles a line that may be the first: half a byte order mark is nothing yet. */
static struct slice skip_mark(const struct reply_reader *reader, struct slice line)
{
	if (!reader->past_first_line && slice_starts_with(line, byte_order_mark))
		return slice_part(line, byte_order_mark.size, line.size);
	return line;
}

/* Whether a line, or the part that has arrived, ends the stream. */
static enum terminal match_terminal(const struct reply_reader *reader, struct slice line,
				    bool may_go_on)
{
	struct event_head head = {.name = buffer_slice(&reader->name)};
	bool is_empty = line.size == 0;
	line = skip_mark(reader, line);
	if (line.size == 0)
		return may_go_on && !is_empty ? TERMINAL_MAYBE : TERMINAL_NO;
	if (reader->format == REPLY_LINES || may_be_field(&line, SLICE("data:"), may_go_on)) {
		bool is_long = reader->format == REPLY_EVENTS && line.size > EVENT_HEAD;
		head.has_data = true;
		head.data = is_long ? slice_part(line, 0, EVENT_HEAD) : line;
		head.data_may_go_on = may_go_on || is_long;
	} else if (may_be_field(&line, SLICE("event:"), may_go_on)) {
		head.name = line;
		head.name_may_go_on = may_go_on;
	} else {
		bool is_mark = may_go_on && !reader->past_first_line &&
			       slice_starts_with(byte_order_mark, line);
		return is_mark ? TERMINAL_MAYBE : TERMINAL_NO;
	}
	return reader->dialect->match_terminal(&head);
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
		reader->dialect->add(&reader->answer, buffer_slice(&reader->name), data);
	buffer_clear(&reader->name);
	buffer_clear(&reader->data);
	reader->has_data = false;
	reader->event_dropped = false;
	reader->done = reader->is_ending;
}

static void add_data(struct reply_reader *reader, struct slice value)
{
	if (reader->has_data)
		(void)buffer_append_byte(&reader->data, '\n');
	(void)buffer_append(&reader->data, value);
	reader->has_data = true;
	if (reader->data.overflowed)
		drop_event(reader);
}

static void begin_end(struct reply_reader *reader)
{
	if (!reader->is_ending)
		reader->end_begin = reader->line_begin;
	reader->is_ending = true;
}

/* Whether the text is whole with these further bytes: each is looked at once, however many lines it
 * comes in. */
static bool nesting_closes(struct nesting *nesting, struct slice bytes)
{
	bool closes = false;
	for (size_t i = 0; i < bytes.size; i++) {
		char c = bytes.data[i];
		if (nesting->in_string) {
			nesting->in_string = nesting->is_escaped || c != '"';
			nesting->is_escaped = !nesting->is_escaped && c == '\\';
		} else if (c == '"') {
			nesting->in_string = true;
		} else if (c == '{' || c == '[') {
			nesting->depth++;
		} else if ((c == '}' || c == ']') && nesting->depth > 0) {
			closes = --nesting->depth == 0;
		}
	}
	return closes && nesting->depth == 0;
}

/* The data of the event that ends the stream; some servers omit the empty line after it. An ending
 * line that is not JSON only announces the end; an event before it may still be open. */
static void add_last_data(struct reply_reader *reader, struct slice value)
{
	bool is_word =
		reader->end_begin == reader->line_begin && !slice_starts_with(value, SLICE("{"));
	if (!is_word)
		add_data(reader, value);
	if (nesting_closes(&reader->nesting, value) || is_word)
		end_event(reader);
}

static void name_event(struct reply_reader *reader, struct slice name)
{
	buffer_clear(&reader->name);
	(void)buffer_append(&reader->name, name);
}

/* Only the fields `event` and `data` matter; without a colon, the value is empty. */
static void read_field(struct reply_reader *reader, struct slice line)
{
	if (take_field(&line, SLICE("event:")))
		name_event(reader, line);
	else if (take_field(&line, SLICE("data:")))
		(reader->is_ending ? add_last_data : add_data)(reader, line);
	else if (slice_equal(line, SLICE("data")))
		add_data(reader, SLICE(""));
}

static void read_line(struct reply_reader *reader, struct slice line)
{
	if (match_terminal(reader, line, false) == TERMINAL_YES)
		begin_end(reader);
	line = skip_mark(reader, line);
	if (reader->format == REPLY_LINES)
		add_data(reader, line);
	if (line.size == 0 || reader->format == REPLY_LINES)
		end_event(reader);
	else
		read_field(reader, line);
}

/* The line's members are lost, but not that it ends the stream. */
static void reduce_line(struct reply_reader *reader, struct slice piece)
{
	if (!reader->line_dropped)
		skeleton_feed(&reader->skeleton, buffer_slice(&reader->line));
	skeleton_feed(&reader->skeleton, piece);
	reader->line_dropped = true;
	reader->truncated = true;
	buffer_clear(&reader->line);
}

static void keep_line(struct reply_reader *reader, struct slice piece)
{
	if (!reader->line_dropped && buffer_append(&reader->line, piece))
		return;
	if (reader->format == REPLY_LINES) {
		reduce_line(reader, piece);
		return;
	}
	if (reader->line_dropped)
		return;
	struct slice begun = reader->line.size > 0 ? buffer_slice(&reader->line) : piece;
	if (match_terminal(reader, begun, true) == TERMINAL_YES)
		begin_end(reader);
	reader->line_dropped = true;
	drop_event(reader);
	buffer_clear(&reader->line);
}

/* `piece` completes the line; its earlier part is in the buffer. */
static void end_line(struct reply_reader *reader, struct slice piece)
{
	bool is_whole =
		reader->line.size == 0 && !reader->line_dropped && piece.size <= reader->line.limit;
	if (!is_whole) {
		keep_line(reader, piece);
		piece = buffer_slice(&reader->line);
	}
	if (reader->line_dropped && reader->format == REPLY_LINES)
		read_line(reader, buffer_slice(&reader->skeleton.out));
	else if (!reader->line_dropped)
		read_line(reader, piece);
	else if (reader->is_ending)
		end_event(reader);
	reader->past_first_line = true;
	reader->line_dropped = false;
	skeleton_clear(&reader->skeleton);
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

/* How many of the bytes fed so far belong, or may belong, to the end of the stream. */
static size_t held(struct reply_reader *reader)
{
	bool is_reduced = reader->format == REPLY_LINES && reader->line_dropped;
	if (!reader->is_ending && !is_reduced &&
	    match_terminal(reader, buffer_slice(&reader->line), true) == TERMINAL_NO)
		return 0;
	return reader->fed - (reader->is_ending ? reader->end_begin : reader->line_begin);
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
	return held(reader);
}

/* A stream without its last line break may still have said everything; one that broke off inside an
 * event left something that is not JSON. */
static void end_events(struct reply_reader *reader)
{
	struct json_value value;
	const struct buffer *line = reader->line_dropped ? &reader->skeleton.out : &reader->line;
	if (!reader->done && line->size > 0)
		read_line(reader, buffer_slice(line));
	if (json_scan(buffer_slice(&reader->data), &value))
		end_event(reader);
}

static void end_body(struct reply_reader *reader)
{
	struct answer *answer = &reader->answer;
	if (reader->truncated)
		return;
	reader->dialect->add(answer, SLICE(""), buffer_slice(&reader->body));
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
	if (!reader->is_over && reader->dialect->end != NULL)
		reader->dialect->end(answer);
	reader->is_over = true;
	const struct buffer *text = answer->text.size > 0 ? &answer->text : &answer->refusal;
	return (struct reply){
		.text = buffer_slice(text),
		.id = buffer_slice(&answer->id),
		.item_hash = answer->item_hash,
		.end = answer->end,
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

int64_t reply_next_sequence(const struct reply_reader *reader)
{
	return reader->answer.sequence;
}
