/* Shared by the scanner, the walks and the strings of json.h. */
#ifndef RECALLD_CORE_JSON_PARTS_H
#define RECALLD_CORE_JSON_PARTS_H

#include "core/json/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline enum json_type json_type_of(char first)
{
	switch (first) {
	case '{':
		return JSON_TYPE_OBJECT;
	case '[':
		return JSON_TYPE_ARRAY;
	case '"':
		return JSON_TYPE_STRING;
	case 't':
		return JSON_TYPE_TRUE;
	case 'f':
		return JSON_TYPE_FALSE;
	case 'n':
		return JSON_TYPE_NULL;
	default:
		return JSON_TYPE_NUMBER;
	}
}

/* A value of a document that json_scan() accepted, which bounds its offsets; other documents are
 * never walked. */
static inline struct json_value json_value_of(struct slice document, size_t begin, size_t end)
{
	enum json_type type = json_type_of(document.data[begin]);
	return (struct json_value){type, (uint32_t)begin, (uint32_t)end};
}

/* Whether the key equals the name; up to the first escape, a byte comparison tells. */
static inline bool json_key_is(struct slice document, struct json_value key, const char *name)
{
	const char *text = document.data + key.begin + 1;
	size_t same = 0;
	/* This stops at the name's NUL, since a string contains none. */
	while (text[same] == name[same])
		same++;
	if (text[same] == '\\')
		return json_string_is(document, key, slice_of(name));
	return text[same] == '"' && name[same] == '\0';
}

/* The members to pick, as they arrive. */
struct picking {
	const char *const *names;
	size_t count;
	struct json_value *values;
	size_t likely; /* the name to try first, since members usually keep their order */
	unsigned seen;
	unsigned repeated;
	const struct json_list *list; /* or NULL */
};

static inline struct picking json_picking_begin(const char *const *names, size_t count,
						struct json_value *values)
{
	memset(values, 0, count * sizeof(*values));
	return (struct picking){.names = names, .count = count, .values = values};
}

/* For a repeated name, keeps the last value and sets its bit in `repeated`. */
static inline void json_picking_take(struct picking *picking, struct slice document,
				     struct json_value key, struct json_value value)
{
	/* Most names differ from the key in the first byte; every key has a byte after its
	 * quote. */
	char first = document.data[key.begin + 1];
	size_t i = picking->likely;
	for (size_t tried = 0; tried < picking->count; tried++, i++) {
		if (i >= picking->count)
			i = 0;
		const char *name = picking->names[i];
		if ((first != name[0] && first != '\\') || !json_key_is(document, key, name))
			continue;
		unsigned bit = 1U << i;
		picking->repeated |= picking->seen & bit;
		picking->seen |= bit;
		picking->values[i] = value;
		picking->likely = i + 1;
		return;
	}
}

/* ---- the bytes of a string that represent themselves ---- */

#ifdef __SSE2__
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
