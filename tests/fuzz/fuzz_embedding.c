/* Answers of /embeddings: whatever comes, the vectors are whole and of one size; and where jansson
 * reads one embedding, as numbers or as base64, the vector points where it does and is there only
 * then. The input's first byte says how many texts were asked about. */
#include "core/learn/embedding.h"
#include "core/recall/recall.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <math.h>

/* One number more than is allowed, so that too many are told. */
enum { MAX_TEXTS = 4, LARGEST = 127, NUMBERS = VECTOR_MAX_DIMENSIONS + 1 };

static void check_vector(const int8_t *vector, size_t dimensions)
{
	int largest = 0;
	for (size_t i = 0; i < dimensions; i++) {
		int size = abs(vector[i]);
		largest = size > largest ? size : largest;
	}
	FUZZ_ASSERT(largest == LARGEST);
}

static size_t array_numbers(const json_t *array, double *numbers)
{
	size_t count = 0;
	while (count < NUMBERS && count < json_array_size(array)) {
		const json_t *number = json_array_get(array, count);
		if (!json_is_number(number))
			return 0;
		numbers[count++] = json_number_value(number);
	}
	return count;
}

static int digit_value(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Bit by bit, as RFC 4648 draws it. */
static size_t base64_numbers(const json_t *text, double *numbers)
{
	static unsigned char bytes[NUMBERS * sizeof(float)];
	const char *digits = json_string_value(text);
	size_t bits = 0;
	size_t size = json_string_length(text);
	memset(bytes, 0, sizeof(bytes));
	while (size > 0 && digits[size - 1] == '=')
		size--;
	for (size_t i = 0; i < size && bits / 8 < sizeof(bytes); i++) {
		int value = digit_value(digits[i]);
		if (value < 0)
			return 0;
		for (int bit = 5; bit >= 0 && bits / 8 < sizeof(bytes); bit--, bits++)
			bytes[bits / 8] |= (unsigned char)((value >> bit & 1) << (7 - bits % 8));
	}
	if (bits / 8 % sizeof(float) != 0)
		return 0;
	for (size_t i = 0; i < bits / 8 / sizeof(float); i++) {
		float number;
		memcpy(&number, bytes + i * sizeof(number), sizeof(number));
		numbers[i] = number;
	}
	return bits / 8 / sizeof(float);
}

static bool are_usable(const double *numbers, size_t count, double *largest)
{
	*largest = 0;
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(numbers[i]))
			return false;
		*largest = fmax(*largest, fabs(numbers[i]));
	}
	return *largest > 0;
}

static void check_numbers(const int8_t *vector, size_t dimensions, const double *numbers,
			  size_t count)
{
	double largest;
	FUZZ_ASSERT(count <= VECTOR_MAX_DIMENSIONS);
	if (!are_usable(numbers, count, &largest)) {
		FUZZ_ASSERT(vector == NULL);
		return;
	}
	/* Numbers that float holds with few of its bits, or not at all, lose their direction. */
	if (largest < 1e-30 || largest > 1e38)
		return;
	FUZZ_ASSERT(vector != NULL && dimensions == count);
	for (size_t i = 0; i < count; i++)
		FUZZ_ASSERT(fabs(numbers[i] * LARGEST / largest - vector[i]) < 0.51);
}

static void check_answer(const json_t *answer, size_t count, const int8_t **vectors,
			 size_t dimensions)
{
	static double numbers[NUMBERS];
	const json_t *data = json_object_get(answer, "data");
	FUZZ_ASSERT(json_array_size(data) == count);
	const json_t *only = json_object_get(json_array_get(data, 0), "embedding");
	if (count == 1) {
		size_t size = json_is_string(only) ? base64_numbers(only, numbers)
						   : array_numbers(only, numbers);
		check_numbers(vectors[0], dimensions, numbers, size);
	}
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
