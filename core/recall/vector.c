#include "core/recall/recall.h"

#include <math.h>

/* The loader chooses the version for the processor's widest instructions. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define WIDEST
#endif

bool vector_quantize(const float *values, size_t dimensions, int8_t *out)
{
	float largest = 0;
	for (size_t i = 0; i < dimensions; i++) {
		if (!isfinite(values[i]))
			return false;
		largest = fmaxf(largest, fabsf(values[i]));
	}
	if (largest == 0)
		return false;
	/* Dividing first avoids infinity: 127 / largest overflows for the smallest numbers. */
	for (size_t i = 0; i < dimensions; i++)
		out[i] = (int8_t)lrintf(values[i] / largest * 127);
	return true;
}

void vector_widen(const int8_t *vector, size_t dimensions, int16_t *out)
{
	for (size_t i = 0; i < dimensions; i++)
		out[i] = vector[i];
}

WIDEST int32_t vector_dot(const int16_t *wide, const int8_t *vector, size_t dimensions)
{
	int32_t sum = 0;
	for (size_t i = 0; i < dimensions; i++)
		sum += wide[i] * vector[i];
	return sum;
}

float vector_length(const int8_t *vector, size_t dimensions)
{
	int16_t wide[VECTOR_MAX_DIMENSIONS];
	vector_widen(vector, dimensions, wide);
	return sqrtf((float)vector_dot(wide, vector, dimensions));
}
