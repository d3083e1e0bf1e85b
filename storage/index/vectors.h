/* Vectors: one block for neighbouring turns, each vector with its length. All of a user's vectors
 * come from one model. */
#ifndef RECALLD_STORAGE_INDEX_VECTORS_H
#define RECALLD_STORAGE_INDEX_VECTORS_H

#include "storage/index/index.h"

struct stored_embedding {
	struct slice model;
	uint32_t dimensions; /* 0: the model has not produced a vector yet */
	uint64_t next;       /* every turn before it has a vector or is known to get none */
};
record_fields stored_embedding_fields;

/* False: the user has no vectors. */
bool vectors_embedding(const struct memory *memory, struct stored_embedding *embedding);
void vectors_put_embedding(const struct memory *memory, struct stored_embedding *embedding);

/* Whether the turn has a vector of `dimensions`, or is known to get none. */
bool vectors_have(const struct memory *memory, uint64_t turn, size_t dimensions);
/* NULL: the turn gets none. */
void vectors_put(const struct memory *memory, uint64_t turn, const int8_t *vector,
		 size_t dimensions);
void vectors_erase(const struct memory *memory, uint64_t turn);
/* A superseded turn is current again: the scan for missing vectors may have passed it. */
void vectors_miss(const struct memory *memory, uint64_t turn);

/* Whether the user has vectors that are comparable with the question's. */
bool vectors_can_compare(const struct memory *memory, const struct recall_question *question);
/* For recall_corpus: a number for each document, in memory->arena. NULL: no vectors are comparable
 * with the question's. */
const float *vectors_compare(const struct memory *memory, const struct recall_question *question,
			     const struct documents *documents);

#endif
