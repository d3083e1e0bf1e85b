#include "core/text/text.h"

/* Measured with o200k_base over chat, prose, code, JSON and tables, and over the Universal
 * Declaration of Human Rights and chat in thirty languages. Errs a little high, because older
 * vocabularies and those of other makers take more tokens for text that is not English. */
enum {
	TOKEN = 40, /* the unit: 1/40 of a token */
	INNER = 4,  /* each byte of a character after its first */
};

/* The cost of the first byte of a character of `bytes` bytes. */
#define LEAD(cost, bytes) ((cost) - ((bytes)-1) * INNER)

/* The first byte of a character tells its script. A byte that is not UTF-8 becomes U+FFFD before a
 * model reads it. The elements have the width of a sum, so that adding needs no conversion. */
static const size_t costs[256] = {
	[0x00 ... 0x08] = TOKEN,
	['\t' ... '\r'] = 10,
	[0x0E ... 0x1F] = TOKEN,
	[' '] = 9,
	['!' ... '/'] = 14,
	['0' ... '9'] = 18, /* up to three of them in a token; in a date, two */
	[':' ... '@'] = 14,
	['A' ... 'Z'] = 10,
	['[' ... '`'] = 14,
	['a' ... 'z'] = 9,
	['{' ... '~'] = 14,
	[0x7F] = TOKEN,
	[0x80 ... 0xBF] = INNER,
	[0xC0 ... 0xC1] = TOKEN,          /* none */
	[0xC2] = LEAD(28, 2),             /* Latin-1: signs */
	[0xC3] = LEAD(30, 2),             /* Latin-1: letters */
	[0xC4 ... 0xC9] = LEAD(48, 2),    /* other Latin */
	[0xCA ... 0xCD] = LEAD(30, 2),    /* phonetic, combining marks */
	[0xCE ... 0xCF] = LEAD(18, 2),    /* Greek */
	[0xD0 ... 0xD4] = LEAD(14, 2),    /* Cyrillic */
	[0xD5 ... 0xD7] = LEAD(18, 2),    /* Armenian, Hebrew */
	[0xD8 ... 0xDB] = LEAD(16, 2),    /* Arabic */
	[0xDC ... 0xDF] = LEAD(TOKEN, 2), /* Syriac, Thaana, N'Ko */
	[0xE0] = LEAD(19, 3),             /* the scripts of India, Thai, Lao, Tibetan */
	[0xE1] = LEAD(26, 3),             /* Georgian, Khmer, Burmese; Vietnamese letters */
	[0xE2] = LEAD(36, 3),             /* punctuation and signs */
	[0xE3] = LEAD(36, 3),             /* kana */
	[0xE4 ... 0xE9] = LEAD(37, 3),    /* ideographs */
	[0xEA ... 0xED] = LEAD(34, 3),    /* Hangul */
	[0xEE ... 0xEF] = LEAD(TOKEN, 3), /* private; full-width forms */
	[0xF0] = LEAD(76, 4),             /* emoji */
	[0xF1 ... 0xF4] = LEAD(3 * TOKEN, 4),
	[0xF5 ... 0xFF] = TOKEN, /* none */
};

size_t text_shares(struct slice text)
{
	const uint8_t *bytes = (const uint8_t *)text.data;
	/* Four sums, so that one addition need not wait for another. */
	size_t sums[4] = {0};
	size_t at = 0;
	for (; text.size - at >= 4; at += 4) {
		sums[0] += costs[bytes[at]];
		sums[1] += costs[bytes[at + 1]];
		sums[2] += costs[bytes[at + 2]];
		sums[3] += costs[bytes[at + 3]];
	}
	for (; at < text.size; at++)
		sums[0] += costs[bytes[at]];
	return sums[0] + sums[1] + sums[2] + sums[3];
}

size_t text_tokens_of(size_t shares)
{
	return (shares + TOKEN - 1) / TOKEN;
}

size_t text_tokens(struct slice text)
{
	return text_tokens_of(text_shares(text));
}
