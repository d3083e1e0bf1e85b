/* A map from words to bits, made of a few literals before main() and then only read. */
#ifndef RECALLD_CORE_BASE_WORD_MAP_H
#define RECALLD_CORE_BASE_WORD_MAP_H

#include "core/base/bytes.h"

struct word_slot {
	uint64_t hash;
	uint32_t bits; /* 0: the slot is free */
};

/* The slots are the owner's, and at least twice as many as there are words. */
struct word_map {
	struct word_slot *slots;
	size_t capacity; /* a power of two */
};

/* The hash that stands for a word, which is given as text_words() does. */
uint64_t word_hash(struct slice word);
/* Adds the bits to those of each of the words, which stand between single spaces. */
void word_map_add(struct word_map *map, const char *words, uint32_t bits);
uint32_t word_map_find(const struct word_map *map, uint64_t hash);

#endif
