/* The plain form of a text, in which the rules look. */
#include "core/base/utf8.h"
#include "core/pii/parts.h"
#include "core/text/joint.h"
#include "core/text/text.h"

#include <unicase.h>
#include <unictype.h>

struct stretch {
	size_t at;   /* in the plain form */
	size_t from; /* in the original */
};

static bool is_dash(uint32_t character)
{
	return (character >= 0x2010 && character <= 0x2015) || character == 0x2212 ||
	       character == 0xFE63;
}

/* The ASCII character that another stands for; 0: none. */
static char ascii_of(uint32_t character)
{
	enum { FULL_WIDTH = 0xFEE0 }; /* U+FF01 to U+FF5E are ASCII's signs */
	int digit = uc_decimal_value((ucs4_t)character);
	if (digit >= 0)
		return (char)('0' + digit);
	if (character > FULL_WIDTH + ' ' && character < FULL_WIDTH + 0x7F)
		return (char)uc_tolower((ucs4_t)(character - FULL_WIDTH));
	if (is_dash(character))
		return '-';
	if (text_is_space(character))
		return ' ';
	if (character == 0x060C || character == 0x3001) /* commas */
		return ',';
	return '\0';
}

/* Signs that no rule knows are all alike. */
static uint32_t plain_of(uint32_t character)
{
	const uint32_t degree = 0xB0;
	const uint32_t post = 0x3012;
	char ascii = ascii_of(character);
	if (ascii != '\0')
		return (unsigned char)ascii;
	if (uc_is_general_category_withtable((ucs4_t)character, UC_CATEGORY_MASK_L |
									UC_CATEGORY_MASK_M |
									UC_CATEGORY_MASK_N))
		return uc_tolower((ucs4_t)character);
	return character == degree || character == post ? character : '"';
}

static void append_character(struct buffer *out, uint32_t character)
{
	if (character < 0x80) {
		buffer_append_byte(out, (char)character);
	} else if (character < 0x800) {
		buffer_append_byte(out, (char)(0xC0 | character >> 6));
		buffer_append_byte(out, (char)(0x80 | (character & 0x3F)));
	} else if (character < 0x10000) {
		buffer_append_byte(out, (char)(0xE0 | character >> 12));
		buffer_append_byte(out, (char)(0x80 | (character >> 6 & 0x3F)));
		buffer_append_byte(out, (char)(0x80 | (character & 0x3F)));
	} else {
		buffer_append_byte(out, (char)(0xF0 | character >> 18));
		buffer_append_byte(out, (char)(0x80 | (character >> 12 & 0x3F)));
		buffer_append_byte(out, (char)(0x80 | (character >> 6 & 0x3F)));
		buffer_append_byte(out, (char)(0x80 | (character & 0x3F)));
	}
}

/* The next stretch does not adjoin the one before it. */
static void note_place(struct pii_plain *plain, size_t from)
{
	struct stretch stretch = {plain->bytes.size, from};
	buffer_append(&plain->stretches, (struct slice){(const char *)&stretch, sizeof(stretch)});
}

/* A wide character, whose plain form may have another size, or none. */
static size_t append_wide(struct pii_plain *plain, struct slice text, size_t at)
{
	uint32_t character;
	size_t size = text_decode(text, at, &character);
	size_t before = plain->bytes.size;
	if (!text_is_invisible(character))
		append_character(&plain->bytes, plain_of(character));
	if (plain->bytes.size - before != size)
		note_place(plain, at + size);
	return size;
}

void pii_plain_init(struct pii_plain *plain, struct slice text)
{
	buffer_init(&plain->bytes, SIZE_MAX);
	buffer_init(&plain->stretches, SIZE_MAX);
	buffer_reserve(&plain->bytes, text.size);
	for (size_t at = 0; at < text.size;) {
		unsigned char c = (unsigned char)text.data[at];
		if (c >= 0x7F || (c < ' ' && !text_is_space(c))) {
			at += append_wide(plain, text, at);
			continue;
		}
		buffer_append_byte(&plain->bytes, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
		at++;
	}
	plain->text = buffer_slice(&plain->bytes);
}

void pii_plain_finish(struct pii_plain *plain)
{
	buffer_finish(&plain->bytes);
	buffer_finish(&plain->stretches);
}

size_t pii_place(const struct pii_plain *plain, size_t at)
{
	const struct stretch *stretches = (const void *)plain->stretches.data;
	size_t low = 0; /* stretches that begin at `at` or before */
	size_t high = plain->stretches.size / sizeof(*stretches);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (stretches[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? at : stretches[low - 1].from + (at - stretches[low - 1].at);
}

static bool is_of_word(uint32_t character)
{
	return uc_is_alpha((ucs4_t)character) && !text_is_unspaced(character);
}

bool pii_goes_on_before(struct slice text, size_t at)
{
	if (at == 0)
		return false;
	char before = text.data[at - 1];
	if ((unsigned char)before < 0x80)
		return pii_is_alnum(before) || before == '_';
	uint32_t character;
	(void)text_decode(text, utf8_boundary(text, at - 1), &character);
	return is_of_word(character);
}

bool pii_goes_on_behind(struct slice text, size_t at)
{
	char behind = pii_at(text, at);
	if ((unsigned char)behind < 0x80)
		return pii_is_alnum(behind) || behind == '_';
	uint32_t character;
	(void)text_decode(text, at, &character);
	return is_of_word(character);
}
