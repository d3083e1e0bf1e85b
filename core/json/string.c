/* Reading and writing the contents of JSON strings. */
#include "core/json/json.h"

#include "core/base/utf8.h"
#include "core/json/parts.h"

#include <inttypes.h>
#include <string.h>

enum { REPLACEMENT_CHARACTER = 0xfffd };

/* The inside of a string, piece by piece: runs without escapes as they are in the document, and
 * each escape resolved. */
struct pieces {
	struct slice rest;
	char resolved[4];
};

static struct slice inside(struct slice document, struct json_value string)
{
	return slice_part(document, string.begin + 1, string.end - 1);
}

static uint32_t read_hex4(const char *digits)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		uint32_t low = (unsigned char)digits[i] & 0xf;
		unit = unit << 4 | (digits[i] > '9' ? low + 9 : low);
	}
	return unit;
}

/* Takes the \u escape at the start of `rest`, and its second half if it is a surrogate pair. */
static uint32_t take_code_point(struct slice *rest)
{
	uint32_t unit = read_hex4(rest->data + 2);
	*rest = slice_part(*rest, 6, rest->size);
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit <= 0xdbff && rest->size >= 6 && slice_starts_with(*rest, SLICE("\\u"))) {
		uint32_t low = read_hex4(rest->data + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*rest = slice_part(*rest, 6, rest->size);
			return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return REPLACEMENT_CHARACTER;
}

void json_mend_surrogates(char *text, size_t size)
{
	static const char replacement[] = {'f', 'f', 'f', 'd'};
	size_t step;
	for (size_t at = 0; at + 6 <= size; at += step) {
		struct slice rest = {text + at, size - at};
		step = text[at] == '\\' ? 2 : 1;
		if (step == 1 || text[at + 1] != 'u')
			continue;
		if (take_code_point(&rest) == REPLACEMENT_CHARACTER)
			memcpy(text + at + 2, replacement, sizeof(replacement));
		step = size - at - rest.size;
	}
}

static size_t write_utf8(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t tails = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	out[0] = (char)(leads[tails] | code >> 6 * tails);
	for (size_t i = 1; i <= tails; i++)
		out[i] = (char)(0x80 | (code >> 6 * (tails - i) & 0x3f));
	return tails + 1;
}

static char simple_escape(char letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return letter;
	}
}

/* The next piece; empty at the end. Valid until the next call. */
static struct slice next_piece(struct pieces *pieces)
{
	struct slice *rest = &pieces->rest;
	if (rest->size == 0)
		return *rest;
	if (rest->data[0] != '\\') {
		const char *escape = memchr(rest->data, '\\', rest->size);
		struct slice run = {rest->data,
				    escape == NULL ? rest->size : (size_t)(escape - rest->data)};
		*rest = slice_part(*rest, run.size, rest->size);
		return run;
	}
	size_t size = 1;
	if (rest->data[1] == 'u') {
		size = write_utf8(take_code_point(rest), pieces->resolved);
	} else {
		pieces->resolved[0] = simple_escape(rest->data[1]);
		*rest = slice_part(*rest, 2, rest->size);
	}
	return (struct slice){pieces->resolved, size};
}

bool json_string_is(struct slice document, struct json_value string, struct slice text)
{
	if (string.type != JSON_TYPE_STRING)
		return false;
	/* Most strings differ from the one sought in the first byte; there is always a byte after
	 * the quote. */
	char first = document.data[string.begin + 1];
	if (text.size > 0 && first != text.data[0] && first != '\\')
		return false;
	struct pieces pieces = {.rest = inside(document, string)};
	if (text.size > 0 && slice_equal(pieces.rest, text) &&
	    memchr(text.data, '\\', text.size) == NULL)
		return true;
	/* No escape makes a character more than six times as long. */
	if (pieces.rest.size < text.size || pieces.rest.size / 6 > text.size)
		return false;
	for (;;) {
		struct slice piece = next_piece(&pieces);
		if (piece.size == 0)
			return text.size == 0;
		if (!slice_starts_with(text, piece))
			return false;
		text = slice_part(text, piece.size, text.size);
	}
}

/* The rest of a string, with its escapes resolved. */
static struct slice resolve(struct pieces pieces, struct arena *arena)
{
	if (pieces.rest.size == 0 || memchr(pieces.rest.data, '\\', pieces.rest.size) == NULL)
		return pieces.rest;
	/* An escape is never shorter than what it stands for. */
	char *text = arena_alloc(arena, pieces.rest.size);
	size_t size = 0;
	for (;;) {
		struct slice piece = next_piece(&pieces);
		if (piece.size == 0)
			return (struct slice){text, size};
		memcpy(text + size, piece.data, piece.size);
		size += piece.size;
	}
}

struct slice json_string_text(struct slice document, struct json_value string, struct arena *arena)
{
	if (string.type != JSON_TYPE_STRING)
		return SLICE("");
	return resolve((struct pieces){.rest = inside(document, string)}, arena);
}

/* Whether the backslash at `at` begins an escape: an even number of backslashes precedes it. */
static bool begins_escape(struct slice text, size_t at)
{
	size_t first = at;
	while (first > 0 && text.data[first - 1] == '\\')
		first--;
	return text.data[at] == '\\' && (at - first) % 2 == 0;
}

/* Where the escape that contains `at` begins; `at`: no escape contains it. */
static size_t begin_of_escape(struct slice text, size_t at)
{
	enum { LONGEST = 6 };
	for (size_t before = 1; before < LONGEST && before <= at && at < text.size; before++) {
		if (text.data[at - before] != '\\' || !begins_escape(text, at - before))
			continue;
		bool is_long = text.data[at - before + 1] == 'u';
		return before < (is_long ? (size_t)LONGEST : 2) ? at - before : at;
	}
	return at;
}

struct slice json_string_part(struct slice document, struct json_value string, size_t begin,
			      size_t end, struct arena *arena)
{
	struct slice text = inside(document, string);
	size_t from = begin - string.begin - 1;
	size_t first = begin_of_escape(text, from);
	if (first < from)
		from = first + (text.data[first + 1] == 'u' ? 6 : 2);
	size_t to = begin_of_escape(text, end - string.begin - 1);
	while (from < to && utf8_is_tail(text.data[from]))
		from++;
	to = utf8_boundary(text, to);
	return from < to ? resolve((struct pieces){.rest = slice_part(text, from, to)}, arena)
			 : SLICE("");
}

bool json_read_integer(struct slice document, struct json_value number, int64_t *result)
{
	if (number.type != JSON_TYPE_NUMBER)
		return false;
	struct slice digits = slice_part(document, number.begin, number.end);
	bool negative = digits.data[0] == '-';
	if (negative)
		digits = slice_part(digits, 1, digits.size);
	if (digits.size > 18)
		return false;
	int64_t value = 0;
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		value = value * 10 + (digits.data[i] - '0');
	}
	*result = negative ? -value : value;
	return true;
}

/* How many bytes of the text can stand unescaped in a string. */
static size_t unescaped_run(struct slice text)
{
	size_t at = json_plain_end(text.data, 0, text.size);
	while (at < text.size && (signed char)text.data[at] < 0) {
		size_t length = utf8_length(text.data + at, text.size - at);
		if (length == 0)
			break;
		at = json_plain_end(text.data, at + length, text.size);
	}
	return at;
}

static void append_escaped(struct buffer *out, char c)
{
	switch (c) {
	case '"':
		(void)buffer_append(out, SLICE("\\\""));
		break;
	case '\\':
		(void)buffer_append(out, SLICE("\\\\"));
		break;
	case '\n':
		(void)buffer_append(out, SLICE("\\n"));
		break;
	case '\r':
		(void)buffer_append(out, SLICE("\\r"));
		break;
	case '\t':
		(void)buffer_append(out, SLICE("\\t"));
		break;
	default:
		if ((unsigned char)c < 0x20)
			(void)buffer_printf(out, "\\u%04x", (unsigned)c);
		else
			(void)buffer_append(out, SLICE("\xef\xbf\xbd"));
		break;
	}
}

void json_escape(struct buffer *out, struct slice text)
{
	while (text.size > 0) {
		size_t run = unescaped_run(text);
		(void)buffer_append(out, slice_part(text, 0, run));
		text = slice_part(text, run, text.size);
		if (text.size > 0) {
			append_escaped(out, text.data[0]);
			text = slice_part(text, 1, text.size);
		}
	}
}

void json_quote(struct buffer *out, struct slice text)
{
	(void)buffer_append_byte(out, '"');
	json_escape(out, text);
	(void)buffer_append_byte(out, '"');
}

void json_put_text(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, ",\"%s\":", name);
	json_quote(out, text);
}

void json_put_flag(struct buffer *out, const char *name, bool flag)
{
	buffer_printf(out, ",\"%s\":%s", name, flag ? "true" : "false");
}

void json_put_id(struct buffer *out, const char *name, uint64_t id)
{
	if (id == 0)
		buffer_printf(out, ",\"%s\":null", name);
	else
		buffer_printf(out, ",\"%s\":\"%" PRIu64 "\"", name, id);
}
