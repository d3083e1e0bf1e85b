/* The cosine of two vectors, whose parts the product computes one by one. */
#ifndef RECALLD_TESTS_UNIT_COSINE_H
#define RECALLD_TESTS_UNIT_COSINE_H

#include "core/recall/recall.h"

/* 1 for the same direction, -1 for the opposite; 0 if either is all zeroes. */
static inline float vector_cosine(const int8_t *a, const int8_t *b, size_t dimensions)
{
	int16_t wide[VECTOR_MAX_DIMENSIONS];
	float lengths = vector_length(a, dimensions) * vector_length(b, dimensions);
	vector_widen(a, dimensions, wide);
	return lengths == 0 ? 0 : (float)vector_dot(wide, b, dimensions) / lengths;
}

#endif
