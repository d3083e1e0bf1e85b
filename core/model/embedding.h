/* Embeddings: the OpenAI-compatible /embeddings call as bytes. */
#ifndef RECALLD_CORE_MODEL_EMBEDDING_H
#define RECALLD_CORE_MODEL_EMBEDDING_H

#include "core/base/bytes.h"

/* {"model":...,"input":[...]}, appended. */
void embedding_write_request(struct buffer *out, struct slice model, const struct slice *texts,
			     size_t count);

/* Reads an answer to `count` texts into as many `vectors`, quantized (core/recall/vector.h), in the
 * order of the texts: by each entry's "index", and where those are not each text's own, some
 * servers write none or 0, by their places. An embedding is an array of numbers or a base64 string
 * of little-endian floats; NULL where it is neither or has no direction. `dimensions` is the size
 * of those that are there; 0: none is. False: it is no answer to so many texts, or its vectors
 * differ in their dimensions or have more than VECTOR_MAX_DIMENSIONS. */
bool embedding_read(struct slice answer, size_t count, const int8_t **vectors, size_t *dimensions,
		    struct arena *arena);

#endif
