/* UTF-8 as RFC 3629 defines it: shortest forms only, no surrogates, nothing above U+10FFFF. */
#ifndef RECALLD_CORE_BASE_UTF8_H
#define RECALLD_CORE_BASE_UTF8_H

#include "core/base/bytes.h"

static inline bool utf8_is_tail(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The start of the character that the byte at `at` belongs to; `at` at the text's end. */
static inline size_t utf8_boundary(struct slice text, size_t at)
{
	while (at > 0 && at < text.size && utf8_is_tail(text.data[at]))
		at--;
	return at;
}

/* At most `limit` bytes of the text, ending with a whole character. */
static inline struct slice utf8_cut(struct slice text, size_t limit)
{
	return slice_part(text, 0, limit < text.size ? utf8_boundary(text, limit) : text.size);
}

/* The length in bytes of the character at the start of `size` bytes; 0 if they do not begin with
 * one. The bounds of the second byte follow RFC 3629, section 4. */
static inline size_t utf8_length(const char *bytes, size_t size)
{
	unsigned char lead = size > 0 ? (unsigned char)bytes[0] : 0xff;
	unsigned char second = size > 1 ? (unsigned char)bytes[1] : 0;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xe1 && lead <= 0xef && lead != 0xed)
		return size > 2 && utf8_is_tail(bytes[1]) && utf8_is_tail(bytes[2]) ? 3 : 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return utf8_is_tail((char)second) ? 2 : 0;
	if (lead == 0xe0 || lead == 0xed) {
		bool fits = lead == 0xe0 ? second >= 0xa0 && second <= 0xbf
					 : second >= 0x80 && second <= 0x9f;
		return fits && size > 2 && utf8_is_tail(bytes[2]) ? 3 : 0;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		bool fits = second >= (lead == 0xf0 ? 0x90 : 0x80) &&
			    second <= (lead == 0xf4 ? 0x8f : 0xbf);
		return fits && size > 3 && utf8_is_tail(bytes[2]) && utf8_is_tail(bytes[3]) ? 4 : 0;
	}
	return 0;
}

#endif
