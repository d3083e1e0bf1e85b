/* Whether the quoted words support a value. */
#ifndef RECALLD_CORE_GROUNDING_BORNE_H
#define RECALLD_CORE_GROUNDING_BORNE_H

#include "core/grounding/said.h"

/* The words that may support a value, read once. */
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

/* Whether the support contains a content word of the names, or a form of one. */
bool support_names(const struct support *support, struct slice names, struct arena *arena);

/* Whether it contains a content word. */
bool support_says_anything(const struct support *support);

#endif
