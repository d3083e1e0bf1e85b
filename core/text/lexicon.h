/* Lexicon: what a single word tells: the languages in which it is a function word, which identify a
 * text's language, and whether it is common in any conversation. */
#ifndef RECALLD_CORE_TEXT_LEXICON_H
#define RECALLD_CORE_TEXT_LEXICON_H

#include "core/base/bytes.h"
#include "core/base/word_map.h"
#include <string.h>

/* Each language is a bit. Those in Latin script come first; script identifies the others, whose
 * function words count in every text. */
enum {
#include "language_numbers.h" /* LEXICON_ENGLISH to LEXICON_LATIN_COUNT */
	LEXICON_OTHER = LEXICON_LATIN_COUNT,
	LEXICON_LIGHT, /* no language: "hello", "thanks", "remind", "said" */
	LEXICON_SELF,  /* no language: "I", "my" */
};

/* For the word with this word_hash(): one bit for each language in which it is a function word, and
 * the bits of its other properties. */
uint32_t lexicon_find(uint64_t hash);

/* How many words of a text indicate each language. */
struct lexicon_votes {
	uint32_t of[LEXICON_LATIN_COUNT];
};

void lexicon_vote(struct lexicon_votes *votes, uint32_t languages, uint32_t count);
/* The language with the most votes; English if there are none. */
unsigned lexicon_elect(const struct lexicon_votes *votes);
/* The name of Snowball's stemmer for a word of a text in this language, or one that
 * lexicon_is_unstemmed() knows; a word in another script identifies its own language. NULL: each
 * word is its own stem. */
const char *lexicon_stemmer(unsigned language, struct slice word);

/* Forms: words that belong together although their stems differ, such as "fly", "flew" and
 * "flight". */

/* The hash of the stem that stands for this one and its kin, often its own. `stemmer` is the name
 * that lexicon_stemmer() gave. */
uint64_t forms_stem(const char *stemmer, struct slice stem);

/* Whether this is the name of a language whose words Snowball does not stem: they have their
 * families of [forms] only. */
static inline bool lexicon_is_unstemmed(const char *stemmer)
{
	return strncmp(stemmer, "no ", 3) == 0;
}

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
