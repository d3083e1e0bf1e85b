/* Terms: how the lexical index knows a text. A term stands for a word, case folded and in NFKC, and
 * another for its stem in the language of the text (Snowball); with both, a short text whose
 * language was misjudged is still found by its words. In scripts without spaces a term stands for
 * an overlapping pair of characters, and for an ideograph in it. Only its hash is kept. */
#ifndef RECALLD_CORE_TEXT_TERMS_H
#define RECALLD_CORE_TEXT_TERMS_H

#include "core/base/bytes.h"

/* Raise this whenever a text would give other terms, or a turn another recall_document: the store
 * then rebuilds its index. */
enum { TERMS_VERSION = 3 };

enum term_kind {
	TERM_WORD,     /* a word that is its own stem */
	TERM_FORM,     /* a word that is not its own stem */
	TERM_STEM,     /* that word's stem */
	TERM_PART,     /* an ideograph in a pair */
	TERM_LIGHT,    /* common in any conversation: "hello", "remind" */
	TERM_FUNCTION, /* an article, a pronoun, a question word or the like */
};

struct term {
	uint64_t hash;
	uint32_t count; /* how often it is in the text, at least 1 */
	uint32_t kind;  /* enum term_kind */
};

struct term_list {
	struct term *terms; /* by ascending hash, without duplicates; in the arena */
	size_t count;
	size_t words; /* number of words in the text */
	bool says_i;  /* the speaker mentions himself: "I", "my" */
};

/* The terms of a text; only the first TERMS_TEXT_LIMIT bytes of a very long one count. */
enum { TERMS_TEXT_LIMIT = 64 * 1024 };
void terms_read(struct slice text, struct term_list *list, struct arena *arena);

/* Which of the first 64 wanted terms occur in the texts taken together: one bit for each, by its
 * place. */
enum { TERMS_FIND_LIMIT = 64 };
uint64_t terms_find(const struct term_list *wanted, const struct slice *texts, size_t count,
		    struct arena *arena);

/* Whether the text says `what`: as in text_says(), or in other forms of the text's language that
 * begin with the same letters: "cats" says "cat", but "category" does not; "two cats" says "two
 * cat", "May 7, 1984" says "7 May 1984". */
bool terms_say(struct slice text, struct slice what);
/* The first letters of the longest word, which every text that says `what` in any form contains;
 * both as text_comparable() has them. */
struct slice terms_stub(struct slice comparable);

/* Whether two words, in the form text_words() gives, share a stem in a language (LEXICON_*). */
bool terms_share_stem(unsigned language, struct slice a, struct slice b);

#endif
