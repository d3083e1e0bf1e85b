/* Language: which one a text is in, by its script and its function words; and which words are
 * function words, which say nothing of what a text is about. */
#ifndef RECALLD_CORE_LANGUAGE_H
#define RECALLD_CORE_LANGUAGE_H

#include "core/bytes.h"

enum { LANGUAGE_COUNT = 16 };

struct language_votes {
	uint32_t of[LANGUAGE_COUNT];
};

/* Words as text_words() gives them. */
void language_vote(struct language_votes *votes, struct slice word, uint32_t count);
/* The name of Snowball's stemmer; English when nothing speaks for another. */
const char *language_elect(const struct language_votes *votes);
/* An article, a pronoun, a question word, a greeting, ... in any of the languages. */
bool language_is_function_word(struct slice word);

#endif
