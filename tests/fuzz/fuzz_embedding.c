/* Answers of /embeddings: whatever comes, the vectors are whole and of one size; and where jansson
 * reads numbers for a text, the vector points where they do. The input's first byte says how many
 * texts were asked about. */
#include "core/embedding.h"
#include "core/vector.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <math.h>

enum { MAX_TEXTS = 4, LARGEST = 127 };

static void check_vector(const int8_t *vector, size_t dimensions)
{
	int largest = 0;
	for (size_t i = 0; i < dimensions; i++) {
		int size = abs(vector[i]);
		largest = size > largest ? size : largest;
	}
	FUZZ_ASSERT(largest == LARGEST);
}

static void check_numbers(const int8_t *vector, size_t dimensions, const json_t *numbers)
{
	double largest = 0;
	FUZZ_ASSERT(json_array_size(numbers) == dimensions);
	for (size_t i = 0; i < dimensions; i++)
		largest = fmax(largest, fabs(json_number_value(json_array_get(numbers, i))));
	/* Numbers that float holds with few of its bits lose their direction. */
	if (largest < 1e-30)
		return;
	for (size_t i = 0; i < dimensions; i++) {
		double expected = json_number_value(json_array_get(numbers, i)) * LARGEST / largest;
		FUZZ_ASSERT(fabs(expected - vector[i]) < 0.51);
	}
}

static void check_answer(const json_t *answer, size_t count, const int8_t **vectors,
			 size_t dimensions)
{
	const json_t *data = json_object_get(answer, "data");
	FUZZ_ASSERT(json_array_size(data) == count);
	const json_t *only = json_object_get(json_array_get(data, 0), "embedding");
	if (count == 1 && vectors[0] != NULL && json_is_array(only))
		check_numbers(vectors[0], dimensions, only);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct arena arena = {0};
	const int8_t *vectors[MAX_TEXTS] = {NULL};
	size_t count = 1 + data[0] % MAX_TEXTS;
	size_t dimensions;
	/* strtof() is given no end: what is behind the bytes must not matter. */
	char *copy = fuzz_copy((struct slice){(const char *)data + 1, size - 1});
	struct slice bytes = {copy, size - 1};
	if (embedding_read(bytes, count, vectors, &dimensions, &arena)) {
		bool some = false;
		FUZZ_ASSERT(dimensions <= VECTOR_MAX_DIMENSIONS);
		for (size_t i = 0; i < count; i++) {
			some = some || vectors[i] != NULL;
			if (vectors[i] != NULL)
				check_vector(vectors[i], dimensions);
		}
		FUZZ_ASSERT(some == (dimensions > 0));
		json_t *answer = json_loadb(bytes.data, bytes.size, JSON_ALLOW_NUL, NULL);
		if (answer != NULL)
			check_answer(answer, count, vectors, dimensions);
		json_decref(answer);
	}
	free(copy);
	arena_finish(&arena);
	return 0;
}
