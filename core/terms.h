/* Terms: what the lexical index knows a text by. A term stands for a word in whatever form it is
 * written: case folded, in NFKC, stemmed in the language of the text (Snowball); for scripts
 * without spaces it stands for an overlapping pair of characters. Only its hash is kept. */
#ifndef RECALLD_CORE_TERMS_H
#define RECALLD_CORE_TERMS_H

#include "core/bytes.h"

/* Raised whenever a text would give other terms, or a turn another recall_document, than before:
 * the store then builds its index anew. */
enum { TERMS_VERSION = 1 };

struct term {
	uint64_t hash;
	uint32_t count; /* how often it is in the text, at least 1 */
};

struct term_list {
	struct term *terms; /* by rising hash, each once; in the arena */
	size_t count;
	size_t words; /* how many words the text has */
};

/* The terms of a text; of a very long one those of its first TERMS_TEXT_LIMIT bytes. */
enum { TERMS_TEXT_LIMIT = 64 * 1024 };
void terms_read(struct slice text, struct term_list *list, struct arena *arena);
/* The hash that stands for a word. */
uint64_t terms_hash(struct slice word);

#endif
