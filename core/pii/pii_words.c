/* The words that say what a number beside them is. */
#include "core/base/word_map.h"
#include "core/pii/parts.h"
#include "pii_words_map.h"

/* Most words are told by their last letter. */
static bool is_compound(struct slice word)
{
	enum { SHORTEST = 6 };
	for (size_t i = 0;
	     word.size >= SHORTEST && i < sizeof(street_ends) / sizeof(street_ends[0]); i++) {
		const struct slice end = street_ends[i];
		if (word.data[word.size - 1] == end.data[end.size - 1] &&
		    word.size > end.size + 2 && slice_ends_with(word, end))
			return true;
	}
	return false;
}

unsigned pii_word_bits(struct slice word)
{
	enum { LONGEST = 64 };
	if (word.size > LONGEST)
		return 0;
	unsigned bits = word_map_find(&pii_words_maps[0], word_hash(word));
	return bits != 0 || !is_compound(word) ? bits : PII_WORD_STREET | PII_WORD_COMPOUND;
}

unsigned pii_sign_bits(struct slice text, size_t at, size_t *size)
{
	struct slice rest = slice_part(text, at, text.size);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		/* Signs begin alike and differ in their second byte. */
		if (rest.size >= 3 && rest.data[1] == signs[i].sign.data[1] &&
		    slice_starts_with(rest, signs[i].sign)) {
			*size = signs[i].sign.size;
			return signs[i].bits;
		}
	}
	return 0;
}
