/* Finds the facts that a user's turn states, by patterns of English, German and Chinese, as recalld
 * asks its memory model for them: {"entities":[{"entity","kind","key","value","op","quote",...}]}.
 * Questions, suppositions, quotations and pasted mail state nothing. */
#ifndef RECALLD_TESTS_MODEL_EXTRACT_H
#define RECALLD_TESTS_MODEL_EXTRACT_H

#include "core/base/bytes.h"

#include <jansson.h>

/* Something that is remembered already; all but the key may be empty. */
struct known_fact {
	struct slice entity;
	struct slice key;
	struct slice value;
};

struct extract_input {
	struct slice turn;   /* the user's new turn */
	struct slice before; /* the user's turn before it: what "no, it's green" is about */
	int64_t day;         /* of the turn, since 1970-01-01 */
	const struct known_fact *known;
	size_t known_count;
};

/* A new reference, at most 40 entries. */
json_t *extract_entities(const struct extract_input *input, struct arena *arena);

#endif
