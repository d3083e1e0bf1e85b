#include "core/facts/receipt_text.h"

#include "core/base/utf8.h"
#include "core/json/json.h"

#include <inttypes.h>
#include <string.h>

enum {
	SHORTEST_QUOTE = 24, /* bytes; a shorter text is written out */
	AT_ONCE = 32,        /* bytes that are compared together */
	WHOLE_LIMIT = 16 << 20,
};

/* ---- quoting turns ---- */

/* How many bytes of the beginning of `said` stand in the text, and where. */
static size_t find_said(struct slice text, struct slice said, size_t *at)
{
	size_t size = SHORTEST_QUOTE;
	if (said.size < size)
		return 0;
	*at = slice_find(text, slice_part(said, 0, size), 0);
	if (*at == text.size)
		return 0;
	struct slice rest = slice_part(text, *at, text.size);
	size_t most = said.size < rest.size ? said.size : rest.size;
	while (size + AT_ONCE <= most && memcmp(said.data + size, rest.data + size, AT_ONCE) == 0)
		size += AT_ONCE;
	while (size < most && said.data[size] == rest.data[size])
		size++;
	return utf8_boundary(said, size);
}

void receipt_put_text(struct buffer *out, struct slice text, struct slice said)
{
	size_t at;
	size_t size = find_said(text, said, &at);
	if (size == 0) {
		json_quote(out, text);
		return;
	}
	buffer_append_byte(out, '[');
	json_quote(out, slice_part(text, 0, at));
	buffer_append_byte(out, ',');
	buffer_append_number(out, size);
	buffer_append_byte(out, ',');
	json_quote(out, slice_part(text, at + size, text.size));
	buffer_append_byte(out, ']');
}

/* The offset behind a JSON string whose first character, after the quote, is at `at`. */
static size_t behind_string(struct slice text, size_t at)
{
	while (at < text.size && text.data[at] != '"')
		at += text.data[at] == '\\' ? 2 : 1;
	return at < text.size ? at + 1 : text.size;
}

/* ---- reading them ---- */

struct reading {
	struct slice text;
	size_t at;
	bool failed;
};

static void pass(struct reading *reading, struct slice word)
{
	struct slice rest = slice_part(reading->text, reading->at, reading->text.size);
	reading->failed |= !slice_starts_with(rest, word);
	reading->at += reading->failed ? 0 : word.size;
}

static uint64_t pass_number(struct reading *reading)
{
	const size_t begin = reading->at;
	uint64_t number = 0;
	for (; reading->at < reading->text.size; reading->at++) {
		const char digit = reading->text.data[reading->at];
		if (digit < '0' || digit > '9')
			break;
		reading->failed |= number > (UINT64_MAX - 9) / 10;
		number = number * 10 + (uint64_t)(digit - '0');
	}
	reading->failed |= reading->at == begin;
	return number;
}

/* The inside of a string, as it is written. */
static struct slice pass_string(struct reading *reading)
{
	pass(reading, SLICE("\""));
	const size_t begin = reading->at;
	const size_t behind = behind_string(reading->text, begin);
	reading->failed |= behind == begin || reading->text.data[behind - 1] != '"';
	if (reading->failed)
		return (struct slice){0};
	reading->at = behind;
	return slice_part(reading->text, begin, behind - 1);
}

struct quote {
	uint64_t turn;
	size_t text_at; /* offsets of what stands for the text, and of its end */
	size_t end;
	uint64_t size;
	struct slice before, behind;
};

/* Reads the quote of an item, from its id on. False: it has none. */
static bool read_quote(struct slice text, size_t at, struct quote *quote)
{
	struct reading reading = {text, at, false};
	quote->turn = pass_number(&reading);
	pass(&reading, SLICE("\",\"text\":"));
	quote->text_at = reading.at;
	pass(&reading, SLICE("["));
	quote->before = pass_string(&reading);
	pass(&reading, SLICE(","));
	quote->size = pass_number(&reading);
	pass(&reading, SLICE(","));
	quote->behind = pass_string(&reading);
	pass(&reading, SLICE("]"));
	quote->end = reading.at;
	return !reading.failed;
}

static void put_whole(struct buffer *out, const struct quote *quote, receipt_turn *turn,
		      void *cookie)
{
	struct slice said;
	if (out->size > WHOLE_LIMIT || !turn(cookie, quote->turn, &said) ||
	    said.size < quote->size) {
		buffer_append(out, SLICE("null"));
		return;
	}
	buffer_append_byte(out, '"');
	buffer_append(out, quote->before);
	json_escape(out, slice_part(said, 0, (size_t)quote->size));
	buffer_append(out, quote->behind);
	buffer_append_byte(out, '"');
}

struct slice receipt_with_turns(struct slice text, receipt_turn *turn, void *cookie,
				struct arena *arena)
{
	/* As receipts are written. No text holds an unescaped quote, so that nothing but an item
	 * reads like this. */
	const struct slice begin = SLICE("{\"kind\":\"turn\",\"id\":\"");
	struct quote quote;
	struct buffer out;
	size_t at = 0;
	buffer_init(&out, SIZE_MAX); /* a turn's text is bounded */
	for (size_t found = slice_find(text, begin, 0); found < text.size;
	     found = slice_find(text, begin, found + begin.size)) {
		if (!read_quote(text, found + begin.size, &quote))
			continue;
		buffer_append(&out, slice_part(text, at, quote.text_at));
		put_whole(&out, &quote, turn, cookie);
		at = quote.end;
	}
	if (at == 0)
		return text;
	buffer_append(&out, slice_part(text, at, text.size));
	return arena_take(arena, &out);
}

/* ---- forgetting ---- */

struct slice receipt_without(struct slice text, const char *kind, uint64_t id, struct arena *arena)
{
	/* As receipts are written. No text holds an unescaped quote, so that nothing but an item
	 * reads like this. */
	const struct slice begin = arena_printf(
		arena, "{\"kind\":\"%s\",\"id\":\"%" PRIu64 "\",\"text\":\"", kind, id);
	size_t found = slice_find(text, begin, 0);
	struct buffer out;
	if (found == text.size)
		return text;
	buffer_init(&out, SIZE_MAX);
	size_t at = 0;
	for (; found < text.size; found = slice_find(text, begin, at)) {
		size_t value = found + begin.size;
		buffer_append(&out, slice_part(text, at, value - 1));
		buffer_append(&out, SLICE("null"));
		at = behind_string(text, value);
	}
	buffer_append(&out, slice_part(text, at, text.size));
	return arena_take(arena, &out);
}
