#include "core/vector.h"

#include <math.h>

bool vector_quantize(const float *values, size_t dimensions, int8_t *out)
{
	float largest = 0;
	for (size_t i = 0; i < dimensions; i++) {
		float size = values[i] < 0 ? -values[i] : values[i];
		if (!isfinite(size))
			return false;
		largest = size > largest ? size : largest;
	}
	for (size_t i = 0; largest > 0 && i < dimensions; i++)
		out[i] = (int8_t)(values[i] / largest * 127 + (values[i] < 0 ? -0.5F : 0.5F));
	return largest > 0;
}
