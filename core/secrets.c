#include "core/secrets.h"

#include "core/secrets_rules.h"

static const struct slice PEM_BEGIN = SLICE("-----BEGIN ");
static const struct slice PEM_END = SLICE("-----END ");
static const struct slice DASHES = SLICE("-----");
static const char FULL_WIDTH_DIGIT = '\xEF'; /* the first byte of one, among others */

const uint8_t secret_classes[256] = {
	['0' ... '9'] = SECRET_DIGIT, ['A' ... 'Z'] = SECRET_LETTER, ['a' ... 'z'] = SECRET_LETTER,
	['_'] = SECRET_JOINER,        ['-'] = SECRET_JOINER,
};

struct scan {
	struct slice text;
	bool no_pem_end; /* no further one is in the text */
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

/* The end of the long words of Base64 that begin at `at`. */
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

/* The whole block, and of one that was cut off the lines that a key's bytes are written in. */
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

/* Whether no word or number can go on over the place from before it, where `from` is behind the
 * last secret. */
static bool is_boundary(struct slice text, size_t from, size_t at)
{
	if (at == from)
		return true;
	char before = text.data[at - 1];
	if (before == '-')
		return at - 1 == from || !secret_is_word(text.data[at - 2]);
	return !secret_is_word(before);
}

static bool secret_at(struct scan *scan, size_t from, size_t at, struct secret *secret)
{
	struct slice text = scan->text;
	char c = text.data[at];
	if (c == ':')
		return secret_in_url(text, at, secret);
	if (c == '-')
		return secret_key_block(scan, at, secret);
	bool is_wide = c == FULL_WIDTH_DIGIT;
	if (!(secret_is_alnum(c) || is_wide) || !is_boundary(text, from, at))
		return false;
	if (secret_is_digit(c) || is_wide)
		return secret_card(text, at, secret);
	return secret_token(text, at, secret) || secret_assigned(text, at, secret);
}

/* Most bytes are letters behind others, where nothing begins. */
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

struct slice secrets_mask(struct slice text, struct arena *arena, size_t *count)
{
	struct scan scan = {.text = text};
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	struct secret secret;
	size_t from = 0;
	size_t found = 0;
	for (; next_secret(&scan, from, &secret); found++) {
		buffer_append(&out, slice_part(text, from, secret.begin));
		buffer_printf(&out, "[redacted: %s]", secret.kind);
		from = secret.end;
	}
	if (count != NULL)
		*count = found;
	if (found > 0) {
		buffer_append(&out, slice_part(text, from, text.size));
		text = arena_copy(arena, buffer_slice(&out));
	}
	buffer_finish(&out);
	return text;
}
