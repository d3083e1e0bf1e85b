/* Forms: words that belong together although their stems differ, such as "fly", "flew" and
 * "flight". */
#ifndef RECALLD_CORE_TEXT_FORMS_H
#define RECALLD_CORE_TEXT_FORMS_H

#include "core/base/word_map.h"

#include <string.h>

/* The hash of the stem that stands for this one and its kin, often its own. `stemmer` is the name
 * of Snowball's stemmer that made it. */
uint64_t forms_stem(const char *stemmer, struct slice stem);

/* The layout of the map that forms_make.c makes while the program is built. */
struct form_slot {
	uint64_t key;  /* 0: the slot is free */
	uint64_t head; /* word_hash() of the stem that stands for it */
};

static inline uint64_t form_key(const char *stemmer, struct slice stem)
{
	return word_hash(stem) ^ (word_hash((struct slice){stemmer, strlen(stemmer)}) | 1);
}

#endif
