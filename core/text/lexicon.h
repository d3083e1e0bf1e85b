/* Lexicon: what a single word tells: the languages in which it is a function word, which identify a
 * text's language, and whether it is common in any conversation. */
#ifndef RECALLD_CORE_TEXT_LEXICON_H
#define RECALLD_CORE_TEXT_LEXICON_H

#include "core/base/bytes.h"

/* Each language is a bit. Those in Latin script come first; script identifies the others, whose
 * function words count in every text. */
enum {
	LEXICON_ENGLISH,
	LEXICON_GERMAN,
	LEXICON_FRENCH,
	LEXICON_SPANISH,
	LEXICON_PORTUGUESE,
	LEXICON_ITALIAN,
	LEXICON_DUTCH,
	LEXICON_SWEDISH,
	LEXICON_DANISH,
	LEXICON_NORWEGIAN,
	LEXICON_FINNISH,
	LEXICON_HUNGARIAN,
	LEXICON_ROMANIAN,
	LEXICON_TURKISH,
	LEXICON_INDONESIAN,
	LEXICON_CATALAN,
	LEXICON_POLISH,
	LEXICON_CZECH,
	LEXICON_VIETNAMESE,
	LEXICON_LATIN_COUNT,
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
/* The name of Snowball's stemmer for a word of a text in this language; a word in another script
 * identifies its own language. NULL: there is none. */
const char *lexicon_stemmer(unsigned language, struct slice word);

#endif
