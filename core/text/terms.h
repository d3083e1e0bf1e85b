/* Terms: what the lexical index knows a text by. A term stands for a word, case folded and in NFKC,
 * or for its stem in the language of the text (Snowball): both, so that a short text whose language
 * was misjudged is still found by its words. For scripts without spaces it stands for an
 * overlapping pair of characters. Only its hash is kept. */
#ifndef RECALLD_CORE_TEXT_TERMS_H
#define RECALLD_CORE_TEXT_TERMS_H

#include "core/base/bytes.h"

/* Raised whenever a text would give other terms, or a turn another recall_document, than before:
 * the store then builds its index anew. */
enum { TERMS_VERSION = 1 };

enum term_kind {
	TERM_WORD,     /* a word that is its own stem */
	TERM_FORM,     /* a word that is not... */
	TERM_STEM,     /* ...and the stem of one */
	TERM_LIGHT,    /* said in any talk: "hello", "remind" */
	TERM_FUNCTION, /* an article, a pronoun, a question word, ... */
};

struct term {
	uint64_t hash;
	uint32_t count; /* how often it is in the text, at least 1 */
	uint32_t kind;  /* enum term_kind */
};

struct term_list {
	struct term *terms; /* by rising hash, each once; in the arena */
	size_t count;
	size_t words; /* how many words the text has */
	bool says_i;  /* who says it speaks of himself: "I", "my" */
};

/* The terms of a text; of a very long one those of its first TERMS_TEXT_LIMIT bytes. */
enum { TERMS_TEXT_LIMIT = 64 * 1024 };
void terms_read(struct slice text, struct term_list *list, struct arena *arena);

/* Which of the wanted terms, of the first 64, are among those of the texts taken as one: a bit for
 * each, by its place. */
enum { TERMS_FIND_LIMIT = 64 };
uint64_t terms_find(const struct term_list *wanted, const struct slice *texts, size_t count,
		    struct arena *arena);

/* Whether the text says `what`: as text_says() has it, or, when that is one word, another form of
 * it in the text's language that begins with the same letters: "cats" where it is "cat", but not
 * "category". */
bool terms_say(struct slice text, struct slice what);

/* Whether two words, as text_words() gives them, have one stem in a language (LEXICON_*). */
bool terms_share_stem(unsigned language, struct slice a, struct slice b);

#endif
