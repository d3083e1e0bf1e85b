/* Summarizes by picking: the sentences of the previous summary and the user's statements in the new
 * turns, each once, in their order. What does not fit is left out, first what has no name and no
 * number in it, the oldest of that first. */
#ifndef RECALLD_TESTS_MODEL_SUMMARIZE_H
#define RECALLD_TESTS_MODEL_SUMMARIZE_H

#include "core/base/bytes.h"

struct summary_input {
	struct slice previous;     /* may be empty */
	const struct slice *turns; /* the user's, oldest first */
	size_t turn_count;
	size_t max_words;
};

struct slice summarize(const struct summary_input *input, struct arena *arena);

#endif
