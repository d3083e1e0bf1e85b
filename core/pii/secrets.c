#include "core/pii/pii.h"

#include "core/base/utf8.h"
#include "core/pii/parts.h"
#include "core/text/joint.h"
#include "core/text/text.h"

#include <unictype.h>

static const struct slice PEM_BEGIN = SLICE("-----BEGIN ");
static const struct slice PEM_END = SLICE("-----END ");
static const struct slice DASHES = SLICE("-----");

const uint8_t secret_classes[256] = {
	['0' ... '9'] = SECRET_DIGIT, ['A' ... 'Z'] = SECRET_LETTER, ['a' ... 'z'] = SECRET_LETTER,
	['_'] = SECRET_JOINER,        ['-'] = SECRET_JOINER,
};

struct scan {
	struct slice text;
	bool no_pem_end; /* the rest of the text contains no further one */
};

/* The end of the line of dashes and words whose words begin at `words`, or 0. */
static size_t end_of_pem_line(struct slice text, size_t words)
{
	enum { LONGEST_LINE = 80 };
	size_t limit = text.size - words > LONGEST_LINE ? words + LONGEST_LINE : text.size;
	struct slice line = slice_part(text, 0, limit);
	size_t dashes = slice_find(line, DASHES, words);
	return dashes == line.size ? 0 : dashes + DASHES.size;
}

static bool is_base64(char c)
{
	return secret_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* The end of the long Base64 words that begin at `at`. */
static size_t end_of_base64(struct slice text, size_t at)
{
	enum { SHORTEST_LINE = 16 };
	size_t end = at;
	for (;;) {
		while (at < text.size && (text.data[at] == '\n' || text.data[at] == '\r'))
			at++;
		size_t begin = at;
		while (at < text.size && is_base64(text.data[at]))
			at++;
		if (at - begin < SHORTEST_LINE)
			return end;
		end = at;
	}
}

/* The whole block; if it was cut off, the lines in which a key's bytes are written. */
static bool secret_key_block(struct scan *scan, size_t at, struct secret *secret)
{
	struct slice text = scan->text;
	if (!slice_starts_with(slice_part(text, at, text.size), PEM_BEGIN))
		return false;
	size_t end = end_of_pem_line(text, at + PEM_BEGIN.size);
	if (end == 0 || slice_find(slice_part(text, 0, end), SLICE("PRIVATE KEY"), at) == end)
		return false;
	size_t close = scan->no_pem_end ? text.size : slice_find(text, PEM_END, end);
	scan->no_pem_end = close == text.size;
	if (close < text.size) {
		size_t after = end_of_pem_line(text, close + PEM_END.size);
		end = after == 0 ? close + PEM_END.size : after;
	} else {
		end = end_of_base64(text, end);
	}
	*secret = (struct secret){at, end, "private key"};
	return true;
}

/* Whether no word or number continues across the place; `from` is the end of the last secret. */
static bool is_boundary(struct slice text, size_t from, size_t at)
{
	if (at == from)
		return true;
	char before = text.data[at - 1];
	if (before == '-')
		return at - 1 == from || !secret_is_word(text.data[at - 2]);
	return !secret_is_word(before);
}

/* A digit of another script, or a full-width one. */
static bool is_wide_digit(struct slice text, size_t at)
{
	uint32_t character;
	if ((unsigned char)text.data[at] < 0x80 || utf8_is_tail(text.data[at]))
		return false;
	(void)text_decode(text, at, &character);
	return uc_decimal_value(character) >= 0;
}

static bool secret_at(struct scan *scan, size_t from, size_t at, struct secret *secret)
{
	struct slice text = scan->text;
	char c = text.data[at];
	if (c == ':')
		return secret_in_url(text, at, secret);
	if (c == '-')
		return secret_key_block(scan, at, secret) || secret_option(text, at, secret);
	bool is_wide = (unsigned char)c >= 0x80;
	if (!(secret_is_alnum(c) || is_wide) || !is_boundary(text, from, at))
		return false;
	if (secret_is_digit(c) || is_wide_digit(text, at))
		return secret_card(text, at, secret) || secret_numbered_token(text, at, secret);
	if (secret_said(text, at, secret))
		return true;
	return !is_wide && (secret_token(text, at, secret) || secret_assigned(text, at, secret));
}

/* Most bytes are letters inside a word, where nothing begins. */
static bool next_secret(struct scan *scan, size_t from, struct secret *secret)
{
	bool goes_on = false;
	for (size_t at = from; at < scan->text.size; at++) {
		bool is_letter = secret_is_letter(scan->text.data[at]);
		if (!(is_letter && goes_on) && secret_at(scan, from, at, secret))
			return true;
		goes_on = is_letter;
	}
	return false;
}

/* A text without its invisible characters, and where in the original each stretch was. */
struct visible {
	struct slice text;
	struct buffer bytes;
	struct buffer stretches; /* of struct stretch */
};

struct stretch {
	size_t at;   /* in the visible text */
	size_t from; /* in the original */
};

static void add_stretch(struct visible *visible, size_t from)
{
	struct stretch stretch = {visible->bytes.size, from};
	buffer_append(&visible->stretches, (struct slice){(const char *)&stretch, sizeof(stretch)});
}

/* The next character at or after `at` that invisibly splits a secret; the text's size if there is
 * none. */
static size_t next_hidden(struct slice text, size_t at, size_t *behind)
{
	while (at < text.size) {
		uint32_t character;
		if (text.data[at] >= ' ' && text.data[at] < 0x7F) {
			at++;
			continue;
		}
		*behind = at + text_decode(text, at, &character);
		if (text_is_invisible(character) && !text_is_space(character))
			return at;
		at = *behind;
	}
	*behind = text.size;
	return text.size;
}

static void find_visible(struct visible *visible, struct slice text)
{
	size_t from = 0;
	size_t behind;
	buffer_init(&visible->bytes, SIZE_MAX);
	buffer_init(&visible->stretches, SIZE_MAX);
	visible->text = text;
	size_t hidden = next_hidden(text, 0, &behind);
	for (; hidden < text.size; hidden = next_hidden(text, from, &behind)) {
		if (hidden > from) {
			add_stretch(visible, from);
			buffer_append(&visible->bytes, slice_part(text, from, hidden));
		}
		from = behind;
	}
	if (from == 0)
		return;
	add_stretch(visible, from);
	buffer_append(&visible->bytes, slice_part(text, from, text.size));
	visible->text = buffer_slice(&visible->bytes);
}

/* The place in the original of the byte at `at` in the visible text. */
static size_t place_in_text(const struct visible *visible, size_t at)
{
	const struct stretch *stretches = (const void *)visible->stretches.data;
	size_t low = 0;
	size_t high = visible->stretches.size / sizeof(*stretches);
	if (high == 0)
		return at;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (stretches[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return stretches[low].from + (at - stretches[low].at);
}

struct slice secrets_mask(struct slice text, struct arena *arena, size_t *count)
{
	struct visible visible;
	find_visible(&visible, text);
	struct scan scan = {.text = visible.text};
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	struct secret secret;
	size_t from = 0;    /* in the visible text */
	size_t written = 0; /* of the original */
	size_t found = 0;
	for (; next_secret(&scan, from, &secret); found++) {
		buffer_append(&out,
			      slice_part(text, written, place_in_text(&visible, secret.begin)));
		buffer_printf(&out, "[redacted: %s]", secret.kind);
		from = secret.end;
		written = place_in_text(&visible, from - 1) + 1;
	}
	if (count != NULL)
		*count = found;
	if (found > 0) {
		buffer_append(&out, slice_part(text, written, text.size));
		text = arena_copy(arena, buffer_slice(&out));
	}
	buffer_finish(&out);
	buffer_finish(&visible.bytes);
	buffer_finish(&visible.stretches);
	return text;
}
