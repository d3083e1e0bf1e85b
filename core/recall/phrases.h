/* The phrases that tell what a question is for, in the languages of many users. */
#ifndef RECALLD_CORE_RECALL_PHRASES_H
#define RECALLD_CORE_RECALL_PHRASES_H

#include "core/base/bytes.h"

enum recall_phrase {
	RECALL_WANTS_WORDS = 1, /* "verbatim", "word for word" */
	RECALL_ABOUT_PAST = 2,  /* "used to", "no longer" */
};

/* Which kinds stand in the text, a bit each. It is case folded and in NFKC. */
unsigned recall_find_phrases(struct slice text);

#endif
