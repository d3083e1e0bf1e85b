/* Phrases, in many languages, that show what a question wants. */
#ifndef RECALLD_CORE_RECALL_PHRASES_H
#define RECALLD_CORE_RECALL_PHRASES_H

#include "core/base/bytes.h"

enum recall_phrase {
	RECALL_WANTS_WORDS = 1, /* "verbatim", "word for word" */
	RECALL_ABOUT_PAST = 2,  /* "used to", "no longer" */
	RECALL_ABOUT_ALL = 4,   /* "about me", "who am I", "last time" */
	RECALL_SAYS_I = 8,      /* where no word of its own says it: "j\'ai", "tengo", "我" */
};

/* Which kinds of phrases the text contains, one bit each. The text must be case folded and in
 * NFKC. */
unsigned recall_find_phrases(struct slice text);

#endif
