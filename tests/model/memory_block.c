#include "tests/model/memory_block.h"

#include <ctype.h>

enum { WEEKDAY_SIZE = 3, DATE_SIZE = 10 };

void memory_split(struct slice *rest, struct slice *own, struct slice *block)
{
	const struct slice open = SLICE("<user_memory>"), close = SLICE("</user_memory>");
	size_t begin = slice_find(*rest, open, 0);
	size_t inside = begin < rest->size ? begin + open.size : begin;
	size_t end = slice_find(*rest, close, inside);
	*own = slice_part(*rest, 0, begin);
	*block = slice_part(*rest, inside, end);
	end += end < rest->size ? close.size : 0;
	while (end < rest->size && rest->data[end] == '\n')
		end++;
	*rest = slice_part(*rest, end, rest->size);
}

struct slice without_memory(struct slice text, struct arena *arena)
{
	struct slice own, block;
	struct buffer kept;
	buffer_init(&kept, SIZE_MAX);
	while (text.size > 0) {
		memory_split(&text, &own, &block);
		(void)buffer_append(&kept, own);
	}
	struct slice copy = slice_trim(arena_copy(arena, buffer_slice(&kept)));
	buffer_finish(&kept);
	return copy;
}

static struct slice next_line(struct slice *rest)
{
	size_t end = slice_find(*rest, SLICE("\n"), 0);
	struct slice line = slice_trim(slice_part(*rest, 0, end));
	*rest = slice_part(*rest, end < rest->size ? end + 1 : end, rest->size);
	return line;
}

static bool is_date(struct slice text)
{
	static const char form[] = "dddd-dd-dd";
	for (size_t i = 0; i < DATE_SIZE; i++) {
		if (i >= text.size)
			return false;
		bool fits = form[i] == 'd' ? isdigit((unsigned char)text.data[i]) != 0
					   : text.data[i] == form[i];
		if (!fits)
			return false;
	}
	return true;
}

/* Takes "2023-05-08:", "Mon 2023-05-08" or "[2023-05-08]" off the front of the line. */
static bool take_date(struct slice *line, struct slice *date)
{
	size_t begin = slice_starts_with(*line, SLICE("[")) ? 1 : 0;
	size_t end = begin;
	if (line->size > begin + WEEKDAY_SIZE && line->data[begin + WEEKDAY_SIZE] == ' ')
		end += WEEKDAY_SIZE + 1;
	if (!is_date(slice_part(*line, end, line->size)))
		return false;
	end += DATE_SIZE;
	*date = slice_part(*line, begin, end);
	while (end < line->size && (line->data[end] == ']' || line->data[end] == ':'))
		end++;
	*line = slice_trim(slice_part(*line, end, line->size));
	return true;
}

/* Takes "user: " off the front of the line. */
static bool take_speaker(struct slice *line, bool *is_user)
{
	static const char *const speakers[] = {"assistant: ", "user: "};
	for (size_t i = 0; i < sizeof(speakers) / sizeof(speakers[0]); i++) {
		struct slice speaker = slice_of(speakers[i]);
		if (!slice_equal_nocase(slice_part(*line, 0, speaker.size), speaker))
			continue;
		*is_user = i == 1;
		*line = slice_part(*line, speaker.size, line->size);
		return true;
	}
	return false;
}

/* "[2026-11-20] user: I moved", or "2026-11-20:" and below it "user: I moved": whose turn begins
 * here, and the rest of the line. */
static bool begin_turn(struct memory_reader *reader, struct slice *line)
{
	struct slice rest = *line, date = reader->date;
	bool is_user = false, dated = take_date(&rest, &date);
	bool may_speak = dated || reader->section == IN_TURNS || reader->section == IN_PREFACE;
	bool speaks = may_speak && take_speaker(&rest, &is_user);
	if (!speaks && (!dated || rest.size > 0))
		return false;
	reader->section = IN_TURNS;
	reader->quoting = is_user;
	reader->date = date;
	*line = rest;
	return true;
}

/* A heading, whose text may go on in its line; that rest is left in `line`. */
static bool begin_section(struct memory_reader *reader, struct slice *line)
{
	static const struct {
		const char *word;
		int section;
	} headings[] = {
		{"Summary", IN_SUMMARY}, {"Facts", IN_FACTS}, {"Earlier messages", IN_TURNS}};
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		size_t colon = slice_find(*line, SLICE(":"), 0);
		if (!slice_starts_with(*line, slice_of(headings[i].word)) || colon == line->size)
			continue;
		*reader = (struct memory_reader){reader->rest, headings[i].section};
		*line = slice_trim(slice_part(*line, colon + 1, line->size));
		return true;
	}
	return false;
}

static bool read_line(const struct memory_reader *reader, struct slice text,
		      struct memory_line *line)
{
	bool listed = slice_starts_with(text, SLICE("- "));
	if (reader->section == IN_TURNS && reader->quoting)
		*line = (struct memory_line){MEMORY_TURN, text, reader->date};
	else if (reader->section == IN_SUMMARY)
		*line = (struct memory_line){MEMORY_SUMMARY, text, {"", 0}};
	else if (listed && reader->section != IN_TURNS)
		*line = (struct memory_line){MEMORY_FACT, slice_part(text, 2, text.size), {"", 0}};
	else
		return false;
	return line->text.size > 0;
}

bool memory_next(struct memory_reader *reader, struct memory_line *line)
{
	while (reader->rest.size > 0) {
		struct slice text = next_line(&reader->rest);
		if (!begin_turn(reader, &text))
			(void)begin_section(reader, &text);
		if (read_line(reader, text, line))
			return true;
	}
	return false;
}
