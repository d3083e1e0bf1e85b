#include "core/learn/embedding.h"

#include "core/json/json.h"
#include "core/recall/recall.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TEXTS = 8 };

static struct arena arena;
static const int8_t *vectors[MAX_TEXTS];
static size_t dimensions;

static bool reads(const char *answer, size_t count)
{
	return embedding_read(slice_of(answer), count, vectors, &dimensions, &arena);
}

static void assert_vector(size_t at, int first, int second)
{
	ck_assert_uint_eq(dimensions, 2);
	ck_assert_ptr_nonnull(vectors[at]);
	ck_assert_int_eq(vectors[at][0], first);
	ck_assert_int_eq(vectors[at][1], second);
}

START_TEST(a_request_is_json_that_holds_the_texts_as_they_are)
{
	const struct slice texts[] = {SLICE("Zeile 1\nZeile \"2\" \\ 中"), SLICE("b"),
				      SLICE("broken \xff")};
	struct buffer out;
	buffer_init(&out, 4096);
	embedding_write_request(&out, SLICE("text-\"x\""), texts, 3);
	unit_assert_slice(buffer_slice(&out),
			  "{\"model\":\"text-\\\"x\\\"\",\"input\":["
			  "\"Zeile 1\\nZeile \\\"2\\\" \\\\ 中\",\"b\",\"broken \xef\xbf\xbd\"]}");
	struct json_value value;
	ck_assert(json_scan(buffer_slice(&out), &value));
	buffer_finish(&out);
}
END_TEST

START_TEST(vectors_come_in_the_order_of_the_texts)
{
	ck_assert(reads("{\"object\":\"list\",\"data\":["
			"{\"index\":2,\"embedding\":[0.5,-1]},"
			"{\"embedding\":[1e-3,0],\"object\":\"embedding\",\"index\":0},"
			"{\"index\":1,\"embedding\":[-4,4]}],\"usage\":{\"total_tokens\":3}}",
			3));
	assert_vector(0, 127, 0);
	assert_vector(1, -127, 127);
	assert_vector(2, 64, -127);
	arena_finish(&arena);
}
END_TEST

START_TEST(entries_without_an_index_of_their_own_are_taken_by_their_places)
{
	static const char *const answers[] = {
		"{\"data\":[{\"embedding\":[1,0]},{\"embedding\":[0,1]}]}",
		"{\"data\":[{\"embedding\":[1,0],\"index\":0},{\"embedding\":[0,1],\"index\":0}]}",
		"{\"data\":[{\"embedding\":[1,0],\"index\":1},{\"embedding\":[0,1],\"index\":2}]}",
		"{\"data\":[{\"embedding\":[1,0],\"index\":-1},{\"embedding\":[0,1]}]}",
		"{\"data\":[{\"embedding\":[1,0],\"index\":\"1\"},{\"embedding\":[0,1],\"index\":0}"
		"]}",
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		ck_assert_msg(reads(answers[i], 2), "%s", answers[i]);
		assert_vector(0, 127, 0);
		assert_vector(1, 0, 127);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(base64_is_read_as_little_endian_floats)
{
	/* 1.0, -0.5: 00 00 80 3f 00 00 00 bf */
	static const char *const answers[] = {
		"{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAAAL8=\"}]}",
		"{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAAAL8\"}]}",
		"{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAA\\u0041L8=\"}]}",
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		ck_assert_msg(reads(answers[i], 1), "%s", answers[i]);
		assert_vector(0, 127, -64);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(a_text_whose_vector_cannot_be_used_has_none)
{
	static const char *const unusable[] = {
		"[]",
		"[0,0]",
		"[0.0,-0.0]",
		"[1,null]",
		"[[1,2]]",
		"[\"1\",\"2\"]",
		"[1e999,1]",
		"[-1e39,1]",
		"null",
		"17",
		"{\"a\":1}",
		"\"\"",
		"\"AACAPw\\u0000A\"",
		"\"AACAPwAA\"",     /* a float and a half */
		"\"AACAPwAAgH8=\"", /* infinity */
		"\"AACAPwAAwH8=\"", /* not a number */
		"\"AACAPw==AAAA\"",
		"\"===\"",
		"\"****\"",
	};
	for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		char answer[300];
		(void)snprintf(answer, sizeof(answer),
			       "{\"data\":[{\"index\":0,\"embedding\":%s},"
			       "{\"index\":1,\"embedding\":[3,3]},{\"index\":2}]}",
			       unusable[i]);
		ck_assert_msg(reads(answer, 3), "%s", answer);
		ck_assert_msg(vectors[0] == NULL, "%s", answer);
		assert_vector(1, 127, 127);
		ck_assert_ptr_null(vectors[2]);
	}
	ck_assert(reads("{\"data\":[{\"embedding\":[]}]}", 1));
	ck_assert_uint_eq(dimensions, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_is_no_answer_to_so_many_texts_is_refused)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"data\":null}",
		"{\"data\":{\"a\":{\"index\":0,\"embedding\":[1]},\"b\":{\"embedding\":[1]}}}",
		"{\"data\":[]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":1,\"embedding\":[1]}]}",
		"{\"data\":[{\"embedding\":[1]},{\"embedding\":[1]},{\"embedding\":[1]}]}",
		"{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}",
		"{\"data\":[{\"embedding\":[1]},{\"embedding\":[1]}]} x",
		"{\"data\":[{\"embedding\":[1]},{\"embedding\":[1]",
		"{\"data\":[{\"embedding\":[NaN]},{\"embedding\":[1]}]}",
		"{\"error\":{\"message\":\"no\"}}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!reads(wrong[i], 2), "%s", wrong[i]);
	arena_finish(&arena);
}
END_TEST

/* `count` entries of `size` numbers each, the last first. */
static void write_answer(struct buffer *out, size_t count, size_t size)
{
	buffer_init(out, SIZE_MAX);
	buffer_append(out, SLICE("{\"data\":["));
	for (size_t i = count; i-- > 0;) {
		buffer_printf(out, "{\"index\":%zu,\"embedding\":[1.0", i);
		for (size_t at = 1; at < size; at++)
			buffer_printf(out, ",-0.0%zu83746152736%zu", at % 7, i);
		buffer_append(out, i == 0 ? SLICE("]}") : SLICE("]},"));
	}
	buffer_append(out, SLICE("]}"));
}

START_TEST(as_many_dimensions_as_vectors_may_have_and_no_more)
{
	for (size_t size = VECTOR_MAX_DIMENSIONS; size <= VECTOR_MAX_DIMENSIONS + 2; size++) {
		struct buffer answer;
		write_answer(&answer, 2, size);
		bool read = embedding_read(buffer_slice(&answer), 2, vectors, &dimensions, &arena);
		ck_assert_int_eq(read, size == VECTOR_MAX_DIMENSIONS);
		if (read)
			ck_assert_uint_eq(dimensions, VECTOR_MAX_DIMENSIONS);
		buffer_finish(&answer);
	}
	arena_finish(&arena);
}
END_TEST

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(ten_megabytes_are_read_quickly)
{
	enum { COUNT = 128 };
	const int8_t *many[COUNT];
	struct buffer answer;
	write_answer(&answer, COUNT, VECTOR_MAX_DIMENSIONS);
	ck_assert_uint_gt(answer.size, 9 << 20);
	double begun = seconds();
	ck_assert(embedding_read(buffer_slice(&answer), COUNT, many, &dimensions, &arena));
	/* An eighth of a second; sanitizers on a busy machine take up to 30 times that. */
	ck_assert_double_lt(seconds() - begun, 10.0);
	ck_assert_int_eq(many[COUNT - 1][0], 127);
	ck_assert_int_lt(many[COUNT - 1][4], 0);
	buffer_finish(&answer);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("embedding", a_request_is_json_that_holds_the_texts_as_they_are,
	  vectors_come_in_the_order_of_the_texts,
	  entries_without_an_index_of_their_own_are_taken_by_their_places,
	  base64_is_read_as_little_endian_floats, a_text_whose_vector_cannot_be_used_has_none,
	  what_is_no_answer_to_so_many_texts_is_refused,
	  as_many_dimensions_as_vectors_may_have_and_no_more, ten_megabytes_are_read_quickly)
