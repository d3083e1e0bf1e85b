/* Lexicon: what is known of a word by itself: the languages in which it is a function word, by
 * which a text's language is told, and whether it is one of those that are said in any talk. */
#ifndef RECALLD_CORE_TEXT_LEXICON_H
#define RECALLD_CORE_TEXT_LEXICON_H

#include "core/base/bytes.h"

/* A language is a bit. Those of the Latin script come first; the others are told by their script,
 * and their function words are so in every text. */
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

/* Of the word with this word_hash() the languages in which it is a function word, one bit each, and
 * the bits of what it is else. */
uint32_t lexicon_find(uint64_t hash);

/* How many words of a text speak for each language. */
struct lexicon_votes {
	uint32_t of[LEXICON_LATIN_COUNT];
};

void lexicon_vote(struct lexicon_votes *votes, uint32_t languages, uint32_t count);
/* The language that most votes are for; English when there are none. */
unsigned lexicon_elect(const struct lexicon_votes *votes);
/* The name of Snowball's stemmer for a word of a text in this language: a word of another script
 * tells its language itself. NULL: there is none. */
const char *lexicon_stemmer(unsigned language, struct slice word);

#endif
