/* Vectors: embeddings as signed bytes. A vector is scaled so that its largest component is 127; a
 * cosine needs no scale. */
#ifndef RECALLD_CORE_RECALL_VECTOR_H
#define RECALLD_CORE_RECALL_VECTOR_H

#include "core/base/bytes.h"

enum { VECTOR_MAX_DIMENSIONS = 4096 };

/* False: all numbers are 0, or one is not finite. */
bool vector_quantize(const float *values, size_t dimensions, int8_t *out);

/* Widens one operand of a dot product, which makes it several times as fast. It stays exact:
 * VECTOR_MAX_DIMENSIONS products fit. */
void vector_widen(const int8_t *vector, size_t dimensions, int16_t *out);
int32_t vector_dot(const int16_t *wide, const int8_t *vector, size_t dimensions);

float vector_length(const int8_t *vector, size_t dimensions);

#endif
