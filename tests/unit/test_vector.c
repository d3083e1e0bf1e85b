#include "tests/unit/cosine.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

START_TEST(the_largest_component_becomes_127)
{
	const float values[] = {0.5f, -0.25f, 0, 0.1f};
	const int8_t expected[] = {127, -64, 0, 25};
	int8_t vector[4];
	ck_assert(vector_quantize(values, 4, vector));
	ck_assert_mem_eq(vector, expected, sizeof(expected));
}
END_TEST

START_TEST(numbers_that_are_no_direction_are_refused)
{
	int8_t vector[2];
	ck_assert(!vector_quantize((const float[]){0, 0}, 2, vector));
	ck_assert(!vector_quantize((const float[]){1, NAN}, 2, vector));
	ck_assert(!vector_quantize((const float[]){-INFINITY, 1}, 2, vector));
	ck_assert(!vector_quantize(NULL, 0, vector));
}
END_TEST

START_TEST(the_smallest_and_the_largest_numbers_keep_their_direction)
{
	int8_t vector[2];
	ck_assert(vector_quantize((const float[]){1e-45f, -1e-45f}, 2, vector));
	ck_assert_int_eq(vector[0], 127);
	ck_assert_int_eq(vector[1], -127);
	ck_assert(vector_quantize((const float[]){3.4e38f, 1.7e38f}, 2, vector));
	ck_assert_int_eq(vector[0], 127);
	ck_assert_int_eq(vector[1], 64);
}
END_TEST

START_TEST(a_dot_product_is_exact_at_every_length_and_place)
{
	enum { ROOM = 200 };
	int8_t a[ROOM];
	int8_t b[ROOM];
	struct random random = {7};
	for (size_t i = 0; i < ROOM; i++) {
		a[i] = (int8_t)((int)random_below(&random, 255) - 127);
		b[i] = (int8_t)((int)random_below(&random, 255) - 127);
	}
	int16_t wide[ROOM];
	vector_widen(a, ROOM, wide);
	for (size_t from = 0; from < 20; from++) {
		int32_t expected = 0;
		for (size_t length = 0; from + length < ROOM; length++) {
			ck_assert_int_eq(vector_dot(wide + from, b + from, length), expected);
			expected += a[from + length] * b[from + length];
		}
	}
}
END_TEST

START_TEST(the_longest_vectors_do_not_overflow)
{
	static int8_t vector[VECTOR_MAX_DIMENSIONS];
	static int16_t wide[VECTOR_MAX_DIMENSIONS];
	memset(vector, -127, sizeof(vector));
	vector_widen(vector, VECTOR_MAX_DIMENSIONS, wide);
	ck_assert_int_eq(vector_dot(wide, vector, VECTOR_MAX_DIMENSIONS),
			 127 * 127 * VECTOR_MAX_DIMENSIONS);
}
END_TEST

START_TEST(a_cosine_tells_direction_and_not_length)
{
	const int8_t a[] = {127, 0};
	const int8_t b[] = {1, 0};
	const int8_t c[] = {0, 50};
	const int8_t d[] = {-3, 0};
	const int8_t zero[] = {0, 0};
	ck_assert_float_eq(vector_cosine(a, b, 2), 1);
	ck_assert_float_eq(vector_cosine(a, c, 2), 0);
	ck_assert_float_eq(vector_cosine(a, d, 2), -1);
	ck_assert_float_eq(vector_cosine(a, zero, 2), 0);
}
END_TEST

START_TEST(a_quantized_cosine_is_near_that_of_the_numbers)
{
	enum { DIMENSIONS = 384 };
	struct random random = {11};
	float values[2][DIMENSIONS];
	int8_t vectors[2][DIMENSIONS];
	double sums[3] = {0};
	for (size_t i = 0; i < DIMENSIONS; i++) {
		values[0][i] = (float)random_below(&random, 2001) / 1000 - 1;
		values[1][i] = values[0][i] + (float)random_below(&random, 2001) / 1000 - 1;
		sums[0] += (double)values[0][i] * (double)values[1][i];
		sums[1] += (double)values[0][i] * (double)values[0][i];
		sums[2] += (double)values[1][i] * (double)values[1][i];
	}
	ck_assert(vector_quantize(values[0], DIMENSIONS, vectors[0]));
	ck_assert(vector_quantize(values[1], DIMENSIONS, vectors[1]));
	float cosine = vector_cosine(vectors[0], vectors[1], DIMENSIONS);
	ck_assert_float_eq_tol(cosine, (float)(sums[0] / sqrt(sums[1] * sums[2])), 0.005f);
}
END_TEST

UNIT_MAIN("vector", the_largest_component_becomes_127, numbers_that_are_no_direction_are_refused,
	  the_smallest_and_the_largest_numbers_keep_their_direction,
	  a_dot_product_is_exact_at_every_length_and_place, the_longest_vectors_do_not_overflow,
	  a_cosine_tells_direction_and_not_length, a_quantized_cosine_is_near_that_of_the_numbers)
