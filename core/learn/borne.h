/* True if the quoted words support a value. */
#ifndef RECALLD_CORE_LEARN_BORNE_H
#define RECALLD_CORE_LEARN_BORNE_H

#include "core/learn/said.h"

/* The words that may support a value, read once. */
struct support {
	struct slice text;
	const struct said_word *words;
	size_t count;
	const struct said *said; /* the languages of the turn */
};

struct support support_read(struct slice text, const struct said *said, struct arena *arena);

/* True if the support contains every content word of the value, or another form of it; a number may
 * also be in words. A date that was made absolute needs no match if the support speaks of a time.
 * Nothing supports a value without content words, nor one like "tomorrow", which is wrong the day
 * after. */
bool support_bears(const struct support *support, struct slice value, struct arena *arena);

/* True if the support contains a content word of the names, or a form of one. */
bool support_names(const struct support *support, struct slice names, struct arena *arena);

/* The WORD_* of all its words and signs. */
unsigned support_bits(const struct support *support);

/* True if the support contains a content word. */
bool support_says_anything(const struct support *support);

#endif
