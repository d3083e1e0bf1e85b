#include "core/base/utf8.h"
#include "core/text/joint.h"
#include "core/text/label.h"
#include "core/text/text.h"

#include <string.h>
#include <unistr.h>

/* Three steps, each working on the result of the one before: characters; tokens, which only removed
 * characters may have kept apart; the line breaks of a single line. */

enum { DEEPEST_INDENT = 32, TAB_WIDTH = 4 };

static bool is_line_break(uint32_t character)
{
	return (character >= '\n' && character <= '\r') || character == 0x85 ||
	       character == 0x2028 || character == 0x2029;
}

/* White space that has been read but not written. */
struct gap {
	size_t lines;
	size_t width;         /* of what follows the last line break */
	bool carriage_return; /* the next "\n" ends the same line */
};

static void gap_add(struct gap *gap, uint32_t character)
{
	if (!is_line_break(character)) {
		gap->width += character == '\t' ? TAB_WIDTH : 1;
	} else {
		gap->lines += character == '\n' && gap->carriage_return ? 0 : 1;
		gap->width = 0;
	}
	gap->carriage_return = character == '\r';
}

static void append_times(struct buffer *out, char byte, size_t count)
{
	while (count-- > 0)
		buffer_append_byte(out, byte);
}

/* Writes a line break even for a single line, since a label may follow it. */
static void gap_write(struct gap *gap, bool one_line, struct buffer *out)
{
	if (out->size > 0 && gap->lines > 0) {
		size_t indent = gap->width > DEEPEST_INDENT ? DEEPEST_INDENT : gap->width;
		append_times(out, '\n', gap->lines > 1 && !one_line ? 2 : 1);
		append_times(out, ' ', one_line ? 0 : indent);
	} else if (out->size > 0 && gap->width > 0) {
		append_times(out, ' ', 1);
	}
	*gap = (struct gap){0};
}

/* All widths, and triangles: some models' templates use them. */
enum { ANGLES = 6 };
static const uint32_t opening_angles[ANGLES] = {'<', 0xFF1C, 0xFE64, 0x27E8, 0x2329, 0x25C1};
static const uint32_t closing_angles[ANGLES] = {'>', 0xFF1E, 0xFE65, 0x27E9, 0x232A, 0x25B7};

static bool is_angle(const uint32_t angles[ANGLES], uint32_t character)
{
	for (size_t i = 0; i < ANGLES; i++) {
		if (angles[i] == character)
			return true;
	}
	return false;
}

static void append_visible(struct buffer *out, uint32_t character)
{
	if (is_angle(opening_angles, character))
		character = 0x2039;
	else if (is_angle(closing_angles, character))
		character = 0x203A;
	uint8_t bytes[4];
	int size = u8_uctomb(bytes, character, sizeof(bytes));
	buffer_append(out, (struct slice){(const char *)bytes, (size_t)size});
}

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7F && c != '<' && c != '>';
}

/* The end of the ASCII words, separated by single spaces, at `at`. Most texts are little else, and
 * these words stay unchanged. */
static size_t end_of_plain(struct slice text, size_t at)
{
	size_t end = at;
	while (end < text.size &&
	       (is_plain(text.data[end]) || (text.data[end] == ' ' && end > at &&
					     end + 1 < text.size && is_plain(text.data[end + 1]))))
		end++;
	return end;
}

static void append_plain(struct buffer *out, struct slice plain)
{
	size_t room = out->limit - out->size;
	buffer_append(out, slice_part(plain, 0, plain.size < room ? plain.size : room));
}

/* The first step. Stops when `out` is full, since no later step shortens the text. */
static void keep_visible(struct slice text, bool one_line, struct buffer *out)
{
	struct gap gap = {0};
	struct text_joint joint = {0};
	uint32_t character;
	for (size_t at = 0; at < text.size && !out->overflowed;) {
		size_t plain_end = end_of_plain(text, at);
		if (plain_end > at) {
			joint = (struct text_joint){0};
			gap_write(&gap, one_line, out);
			append_plain(out, slice_part(text, at, plain_end));
			at = plain_end;
			continue;
		}
		at += text_decode(text, at, &character);
		if (text_is_space(character)) {
			joint = (struct text_joint){0};
			gap_add(&gap, character);
		} else if (!text_is_invisible(character) ||
			   text_joint_works(&joint, character, text, at)) {
			text_joint_pass(&joint, character);
			gap_write(&gap, one_line, out);
			if (!out->overflowed)
				append_visible(out, character);
		}
	}
}

/* Rounds the brackets of a token that opens at `at`, keeping their width. */
static void round_brackets(struct buffer *text, size_t at)
{
	static const struct slice round[] = {SLICE("("), SLICE(")"), SLICE("\uFF08"),
					     SLICE("\uFF09")};
	struct slice whole = buffer_slice(text);
	size_t end = label_closing_bracket(whole, at);
	if (end == at)
		return;
	struct slice open = round[label_bracket_size(whole, at) == 1 ? 0 : 2];
	struct slice close = round[label_bracket_size(whole, end) == 1 ? 1 : 3];
	memcpy(text->data + at, open.data, open.size);
	memcpy(text->data + end, close.data, close.size);
}

/* The first byte of a full-width "[", and of other characters. */
static bool may_be_bracket(char c)
{
	return c == '[' || c == '\xEF';
}

/* Whether a label may begin here: at the start of a line, or after the marks of a heading. */
static bool label_may_follow(struct slice text, size_t at)
{
	return at == 0 || text.data[at - 1] == '\n' ||
	       (at > 1 && text.data[at - 1] == '#' && text.data[at - 2] == '#');
}

/* The first byte of a bracket, or one behind which a label may follow. */
enum { BRACKET = 1, LEAD };
static const uint8_t marks[256] = {['['] = BRACKET, [0xEF] = BRACKET, ['\n'] = LEAD, ['#'] = LEAD};

/* The next offset, from `at` on, which is above 0, where a bracket or a label may stand. */
static size_t next_place(struct slice text, size_t at)
{
	if (marks[(uint8_t)text.data[at - 1]] == LEAD)
		return at;
	while (at < text.size && marks[(uint8_t)text.data[at]] == 0)
		at++;
	return at < text.size && marks[(uint8_t)text.data[at]] == LEAD ? at + 1 : at;
}

/* The second step: from `text`, whose brackets it changes in place, to `out`. */
static void break_tokens(struct buffer *text, bool one_line, struct buffer *out)
{
	const struct slice whole = buffer_slice(text);
	size_t written = 0;
	for (size_t at = 0; at < whole.size; at = next_place(whole, at + 1)) {
		if (may_be_bracket(whole.data[at]) && label_bracket_size(whole, at) > 0)
			round_brackets(text, at);
		if (!label_may_follow(whole, at))
			continue;
		/* The line breaks of a single line become spaces later. */
		size_t behind;
		size_t colon = label_colon(whole, at, one_line, &behind);
		if (colon < written || colon == whole.size)
			continue;
		buffer_append(out, slice_part(whole, written, colon));
		buffer_append(out, whole.data[colon - 1] == ' ' || whole.data[colon - 1] == '\n'
					   ? SLICE("-")
					   : SLICE(" -"));
		written = behind;
	}
	buffer_append(out, slice_part(whole, written, whole.size));
}

static void join_lines(struct buffer *text)
{
	for (size_t at = 0; at < text->size; at++) {
		if (text->data[at] == '\n')
			text->data[at] = ' ';
	}
}

/* Cuts to at most `limit` bytes at a character boundary. Removes white space at the end, and a
 * joiner whose right side was cut off. */
static struct slice cut(struct slice text, size_t limit)
{
	static const struct slice zwj = SLICE("\xE2\x80\x8D");
	static const struct slice zwnj = SLICE("\xE2\x80\x8C");
	text = slice_trim(utf8_cut(text, limit));
	if (slice_ends_with(text, zwj) || slice_ends_with(text, zwnj))
		text.size -= zwj.size;
	return text;
}

static inline uint8_t is_unsafe(uint8_t byte)
{
	return (byte < ' ') | (byte >= 0x7F) | ((byte | 2) == '>') | (byte == '[');
}

/* Most texts are one line of ASCII words separated by single spaces, in which nothing opens or
 * closes anything. The loop has no branches, so that compilers can vectorize it. */
static bool is_inert(struct slice text)
{
	const uint8_t *bytes = (const uint8_t *)text.data;
	if (text.size == 0)
		return true;
	uint8_t unsafe = is_unsafe(bytes[0]);
	uint8_t colon = 0;
	for (size_t i = 1; i < text.size; i++) {
		unsafe |= is_unsafe(bytes[i]);
		unsafe |= (bytes[i] == bytes[i - 1]) & ((bytes[i] == ' ') | (bytes[i] == '#'));
		colon |= bytes[i] == ':';
	}
	if (unsafe || bytes[0] == ' ' || bytes[text.size - 1] == ' ')
		return false;
	size_t behind;
	return !colon || label_colon(text, 0, false, &behind) == text.size;
}

static struct slice make_inert(struct slice text, size_t limit, bool one_line, struct arena *arena)
{
	struct buffer visible;
	struct buffer inert;
	if (text.size <= limit && is_inert(text))
		return text;
	buffer_init(&visible, limit);
	buffer_init(&inert, SIZE_MAX);
	keep_visible(text, one_line, &visible);
	break_tokens(&visible, one_line, &inert);
	if (one_line)
		join_lines(&inert);
	struct slice result = arena_copy(arena, cut(buffer_slice(&inert), limit));
	buffer_finish(&visible);
	buffer_finish(&inert);
	return result;
}

/* ---- a turn given as a turn ---- */

enum { LONGEST_TOKEN = 64 };

/* Names that stand alone between "<" and ">" in chat templates; names with "|" need no list. */
static const char *const angled[] = {"s",           "bos",       "eos",           "pad",
				     "unk",         "sop",       "eop",           "start_of_turn",
				     "end_of_turn", "tool_call", "tool_response", "user_memory",
				     "SYS",         NULL};

static bool is_bar(struct slice text, size_t at)
{
	struct slice rest = slice_part(text, at, text.size);
	return slice_starts_with(rest, SLICE("|")) || slice_starts_with(rest, SLICE("\uff5c"));
}

/* The offset of the ">" that ends the token whose "<" is at `at`; `at` if there is none. */
static size_t end_of_token(struct slice text, size_t at)
{
	size_t begin = label_skip(text, at, "</");
	size_t limit = text.size - at > LONGEST_TOKEN ? at + LONGEST_TOKEN : text.size;
	size_t end = begin;
	while (end < limit && strchr("> \n", text.data[end]) == NULL)
		end++;
	if (end == limit || text.data[end] != '>')
		return at;
	struct slice name = slice_part(text, begin, end);
	bool is_barred = is_bar(text, begin) && name.size > 2 &&
			 (name.data[name.size - 1] == '|' || is_bar(text, end - 3));
	return is_barred || slice_is_any_nocase(name, angled) ? end : at;
}

static void disarm(struct buffer *text, struct buffer *out)
{
	struct slice whole = buffer_slice(text);
	size_t closing = 0; /* of the open token */
	for (size_t at = 0; at < whole.size; at++) {
		if (may_be_bracket(whole.data[at]) && label_bracket_size(whole, at) > 0)
			round_brackets(text, at);
		if (whole.data[at] == '<' && closing <= at)
			closing = end_of_token(whole, at);
		bool is_open = closing > at;
		if (is_open && whole.data[at] == '<')
			buffer_append(out, SLICE("\u2039"));
		else if (closing > 0 && at == closing && whole.data[at] == '>')
			buffer_append(out, SLICE("\u203a"));
		else
			buffer_append_byte(out, whole.data[at]);
	}
}

/* Keeps white space as it is. */
static void drop_invisible(struct slice text, struct buffer *out)
{
	struct text_joint joint = {0};
	uint32_t character;
	for (size_t at = 0, next; at < text.size; at = next) {
		next = at + text_decode(text, at, &character);
		bool stays = text_is_space(character) || !text_is_invisible(character) ||
			     text_joint_works(&joint, character, text, next);
		if (!stays)
			continue;
		text_joint_pass(&joint, character);
		buffer_append(out, slice_part(text, at, next));
	}
}

struct slice text_visible(struct slice text, struct arena *arena)
{
	struct buffer visible;
	buffer_init(&visible, SIZE_MAX);
	drop_invisible(text, &visible);
	struct slice result =
		visible.size == text.size ? text : arena_copy(arena, buffer_slice(&visible));
	buffer_finish(&visible);
	return result;
}

static bool needs_no_disarming(struct slice text)
{
	for (size_t at = 0; at < text.size; at++) {
		unsigned char c = (unsigned char)text.data[at];
		if (c == '<' || c == '[' || (c < ' ' && c != '\n') || c >= 0x7F)
			return false;
	}
	return true;
}

struct slice text_disarmed(struct slice text, struct arena *arena)
{
	struct buffer visible;
	struct buffer out;
	if (needs_no_disarming(text))
		return text;
	buffer_init(&visible, SIZE_MAX);
	buffer_init(&out, SIZE_MAX);
	drop_invisible(text, &visible);
	disarm(&visible, &out);
	struct slice result = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&visible);
	buffer_finish(&out);
	return result;
}

struct slice text_one_line(struct slice text, size_t limit, struct arena *arena)
{
	return make_inert(text, limit, true, arena);
}

struct slice text_inert(struct slice text, size_t limit, struct arena *arena)
{
	return make_inert(text, limit, false, arena);
}
