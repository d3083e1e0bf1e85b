/* Finds the first of two bytes in stretches too short for memchr(). */
#ifndef RECALLD_CORE_BASE_FIND_EITHER_H
#define RECALLD_CORE_BASE_FIND_EITHER_H

#include <stddef.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Searches from `at` on; returns `size` if there is none. */
static inline size_t find_either(const char *data, size_t at, size_t size, char one, char other)
{
#ifdef __SSE2__
	for (; size - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + at));
		__m128i is_one = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(one));
		__m128i is_other = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(other));
		int found = _mm_movemask_epi8(_mm_or_si128(is_one, is_other));
		if (found != 0)
			return at + (size_t)__builtin_ctz((unsigned)found);
	}
#endif
	while (at < size && data[at] != one && data[at] != other)
		at++;
	return at;
}

#endif
