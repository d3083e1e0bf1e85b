/* The subject of a text, so that a question finds its answer: stems, and words that mean much the
 * same. */
#ifndef RECALLD_TESTS_MODEL_STEMS_H
#define RECALLD_TESTS_MODEL_STEMS_H

#include "tests/model/words.h"

/* Stems, pairs of ideographs, and for a word of a group of near-synonyms the group: "#use", or
 * "=sister" where the group says as much as a word. No stop words; each once. */
struct features {
	struct slice *items;
	size_t count;
};

struct features features_of(struct slice text, struct arena *arena);
bool features_have(const struct features *features, struct slice item);

#endif
