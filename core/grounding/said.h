/* What a user said, taken apart into its clauses, so that a quote can be read in its place. Only
 * the learn_* files include this. */
#ifndef RECALLD_CORE_GROUNDING_SAID_H
#define RECALLD_CORE_GROUNDING_SAID_H

#include "core/base/bytes.h"

struct said_word {
	struct slice text; /* as text_words() gives it, parted at apostrophes and "_" */
	unsigned bits;     /* WORD_* */
	bool is_function;  /* an article, a pronoun, ... of the text's language */
};

/* A clause; "but" and its like begin one. */
struct said_clause {
	struct slice text;
	struct said_word *words;
	size_t count;
	unsigned bits;     /* WORD_* of all of its words and signs */
	unsigned signs;    /* of its signs alone: those of scripts without spaces */
	unsigned sentence; /* the how-manieth it is in */
	bool is_asked;     /* its sentence ends with a question mark */
};

struct said {
	struct slice text;
	struct said_clause *clauses;
	size_t count;
	uint32_t languages; /* LEXICON_*, one bit each: those that most of its words speak for */
	unsigned language;  /* one of them */
};

/* In a text of several languages, and in one too short to tell, `like` (may be NULL) says what they
 * are. */
struct said said_read(struct slice text, const struct said *like, struct arena *arena);

/* Its words alone, without its clauses. `*count` receives how many there are. */
struct said_word *said_words(struct slice text, const struct said *like, size_t *count,
			     struct arena *arena);

#endif
