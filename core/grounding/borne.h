/* Whether a value is borne out by the words that it is said to rest on. Only the learn_* files
 * include this. */
#ifndef RECALLD_CORE_GROUNDING_BORNE_H
#define RECALLD_CORE_GROUNDING_BORNE_H

#include "core/grounding/said.h"

/* What a value may rest on, its words read once. */
struct support {
	struct slice text;
	const struct said_word *words;
	size_t count;
	const struct said *said; /* the languages of the turn */
};

struct support support_read(struct slice text, const struct said *said, struct arena *arena);

/* Whether every content word of the value stands in the support, or another form of it, a number
 * also in words; what was made an absolute date need not where the support speaks of a time, and
 * what only repeats the key need not either. A value without content words is borne out by nothing,
 * and one that is only "tomorrow" says nothing that holds tomorrow. */
bool support_bears(const struct support *support, struct slice value, struct slice key,
		   struct arena *arena);

/* Whether the support has a word that is, or is a form of, a content word of the names. */
bool support_names(const struct support *support, struct slice names, struct arena *arena);

/* Whether there is a content word in it. */
bool support_says_anything(const struct support *support);

#endif
