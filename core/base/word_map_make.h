/* Prints word maps as C, for the programs *_make.c that run while the program is built. They turn
 * the word lists, which people read, into constants, which need no work at the start. */
#ifndef RECALLD_CORE_BASE_WORD_MAP_MAKE_H
#define RECALLD_CORE_BASE_WORD_MAP_MAKE_H

#include "core/base/word_map.h"

struct word_row {
	unsigned map; /* the index of the map that its words go into */
	uint32_t bits;
	const char *words; /* with single spaces between them; NULL: none */
};

/* Prints to stdout an array NAME_maps[] of `maps` word maps. A word in several rows of a map has
 * the bits of all of them. Returns main()'s status. */
int word_maps_print(const char *name, unsigned maps, const struct word_row *rows, size_t count);

#endif
