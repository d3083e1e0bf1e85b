/* Random JSON from a fixed seed: the same documents on every machine and every run. */
#ifndef RECALLD_TESTS_RANDOM_H
#define RECALLD_TESTS_RANDOM_H

#include "core/base/bytes.h"

struct random {
	uint64_t state;
};

/* Less than `bound`, which is at least 1. */
size_t random_below(struct random *random, size_t bound);

/* Appends valid UTF-8 of up to about 40 characters of every length, controls included. */
void random_text(struct random *random, struct buffer *out);
/* Appends a string with its quotes; some characters are escaped that need not be. */
void random_json_string(struct random *random, struct buffer *out);
/* Appends white space, or nothing. */
void random_space(struct random *random, struct buffer *out);
/* Appends a value nested at most `depth` deep. */
void random_json(struct random *random, struct buffer *out, unsigned depth);

/* Changes the document at one place: a byte or a few lost, replaced, doubled or put in. */
void random_mutation(struct random *random, struct buffer *document);

#endif
