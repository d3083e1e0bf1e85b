/* Embeddings: the OpenAI-compatible /embeddings call as bytes. */
#ifndef RECALLD_CORE_EMBEDDING_H
#define RECALLD_CORE_EMBEDDING_H

#include "core/bytes.h"

/* {"model":...,"input":[...]}, appended. */
void embedding_write_request(struct buffer *out, struct slice model, const struct slice *texts,
			     size_t count);

/* Reads an answer to `count` texts: vectors in the order of the texts, by each entry's "index",
 * quantized; an array of numbers or a base64 string of little-endian floats. NULL for a text whose
 * vector cannot be used. False: it is no such answer, or its vectors differ in their dimensions. */
bool embedding_read(struct slice answer, size_t count, const int8_t **vectors, size_t *dimensions,
		    struct arena *arena);

#endif
