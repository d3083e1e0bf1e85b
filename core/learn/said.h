/* A user's text split into clauses, so that a quote can be read in context. */
#ifndef RECALLD_CORE_LEARN_SAID_H
#define RECALLD_CORE_LEARN_SAID_H

#include "core/base/bytes.h"

struct said_word {
	struct slice text; /* in the form text_words() gives, split at apostrophes and "_" */
	unsigned bits;     /* WORD_* */
	bool is_function;  /* an article, a pronoun, ... in the text's language */
};

/* A clause; words like "but" begin one. */
struct said_clause {
	struct slice text;
	struct said_word *words;
	size_t count;
	unsigned bits;     /* WORD_* of all its words and signs */
	unsigned signs;    /* WORD_* of its signs in scripts without spaces */
	unsigned sentence; /* the index of its sentence */
	bool is_asked;     /* its sentence ends with a question mark */
};

/* The WORD_* of one of its words; 0 behind the last. */
static inline unsigned said_bits(const struct said_clause *clause, size_t at)
{
	return at < clause->count ? clause->words[at].bits : 0;
}

struct said {
	struct slice text;
	struct said_clause *clauses;
	size_t count;
	uint32_t languages; /* LEXICON_*, one bit each, that most of its words indicate */
	unsigned language;  /* one of them */
};

/* For a text in several languages, or one too short to tell, `like` (may be NULL) supplies the
 * languages. */
struct said said_read(struct slice text, const struct said *like, struct arena *arena);

/* The next run of the text between white space and marks, from `*at` on, which moves behind it;
 * empty at the end. */
struct slice said_run(struct slice text, size_t *at);
/* The text without the white space and marks around it. */
struct slice said_bare(struct slice text);

/* The words alone, without clauses. `*count` receives their number. */
struct said_word *said_words(struct slice text, const struct said *like, size_t *count,
			     struct arena *arena);

#endif
