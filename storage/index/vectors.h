/* Vectors: a block of neighbouring turns' together, each with its length. A user's are all of one
 * model. */
#ifndef RECALLD_STORAGE_INDEX_VECTORS_H
#define RECALLD_STORAGE_INDEX_VECTORS_H

#include "storage/index/index.h"

struct stored_embedding {
	struct slice model;
	uint32_t dimensions; /* 0: the model had no vector yet for any turn */
	uint64_t next;       /* every turn before it has a vector, or is known to get none */
};
record_fields stored_embedding_fields;

/* False: the user has no vectors. */
bool vectors_embedding(const struct memory *memory, struct stored_embedding *embedding);
void vectors_put_embedding(const struct memory *memory, struct stored_embedding *embedding);

/* Whether the turn has a vector of `dimensions`, or is known to get none. */
bool vectors_have(const struct memory *memory, uint64_t turn, size_t dimensions);
/* NULL: it gets none. */
void vectors_put(const struct memory *memory, uint64_t turn, const int8_t *vector,
		 size_t dimensions);
void vectors_erase(const struct memory *memory, uint64_t turn);
/* A turn that was superseded stands again: it may have been passed by. */
void vectors_miss(const struct memory *memory, uint64_t turn);

/* For recall_corpus: a number for each document, in memory->arena; NULL: there are no vectors that
 * the question's could be compared with. */
const float *vectors_compare(const struct memory *memory, const struct recall_question *question,
			     const struct documents *documents);

#endif
