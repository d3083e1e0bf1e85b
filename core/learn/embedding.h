/* Embeddings: the OpenAI-compatible /embeddings call as bytes. */
#ifndef RECALLD_CORE_LEARN_EMBEDDING_H
#define RECALLD_CORE_LEARN_EMBEDDING_H

#include "core/base/bytes.h"

/* Appends {"model":...,"input":[...]}. */
void embedding_write_request(struct buffer *out, struct slice model, const struct slice *texts,
			     size_t count);

/* Reads the embeddings of `count` texts into `vectors`, quantized (vector_quantize()), in the
 * order of the texts: by each entry's "index", or by position if the indexes do not match the texts
 * one to one (some servers write none or 0). An embedding is an array of numbers or a base64 string
 * of little-endian floats; its vector is NULL if it is neither or has no direction. `dimensions` is
 * the size of the others; 0: there are none. False: the answer does not fit that many texts, or its
 * vectors differ in dimensions or exceed VECTOR_MAX_DIMENSIONS. */
bool embedding_read(struct slice answer, size_t count, const int8_t **vectors, size_t *dimensions,
		    struct arena *arena);

#endif
