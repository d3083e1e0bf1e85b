/* A map from words to bits. The maps of the fixed word lists are constants:
 * core/text/words_make.py makes them while the program is built. */
#ifndef RECALLD_CORE_BASE_WORD_MAP_H
#define RECALLD_CORE_BASE_WORD_MAP_H

#include "core/base/bytes.h"

struct word_slot {
	uint64_t hash;
	uint32_t bits; /* 0: the slot is free */
};

/* Open addressing: a word takes the first free slot from its hash on. At most half of the slots are
 * used. */
struct word_map {
	const struct word_slot *slots;
	size_t capacity; /* a power of two */
};

/* The hash of a word in the form that text_words() gives it. */
uint64_t word_hash(struct slice word);
/* The bits of the word with this hash; 0: it is not in the map. */
uint32_t word_map_find(const struct word_map *map, uint64_t hash);

#endif
