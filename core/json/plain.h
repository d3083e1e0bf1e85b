/* The bytes of a JSON string that represent themselves. */
#ifndef RECALLD_CORE_JSON_PLAIN_H
#define RECALLD_CORE_JSON_PLAIN_H

#include <stddef.h>
#ifdef __SSE2__
#include <emmintrin.h>

/* Which of 16 bytes need a closer look, one bit each. Flipping the bit in which a quote and a space
 * differ swaps the two, so that one signed comparison finds quotes, control characters and, since
 * they are negative, all non-ASCII bytes. */
static inline unsigned json_special_of_16(const char *data)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
	__m128i turned = _mm_xor_si128(bytes, _mm_set1_epi8('"' ^ ' '));
	__m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	__m128i other = _mm_cmplt_epi8(turned, _mm_set1_epi8(' ' + 1));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(backslash, other));
}
#endif

/* The end of the run of bytes that need no closer look: ASCII except controls, quotes and
 * backslashes. As signed bytes, controls and non-ASCII bytes are both less than a space. */
static inline size_t json_plain_end(const char *data, size_t at, size_t size)
{
#ifdef __SSE2__
	for (; size - at >= 16; at += 16) {
		unsigned found = json_special_of_16(data + at);
		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	/* The rest, together with bytes before it that are then masked out. */
	if (at < size && size >= 16) {
		unsigned found = json_special_of_16(data + size - 16) >> (16 - (size - at));
		return found == 0 ? size : at + (size_t)__builtin_ctz(found);
	}
#endif
	while (at < size && (signed char)data[at] >= ' ' && data[at] != '"' && data[at] != '\\')
		at++;
	return at;
}

#endif
