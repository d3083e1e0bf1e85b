#include "storage/index/index.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { ROOM = POSTINGS_SPAN + 1 };

static size_t random_list(struct random *random, struct recall_posting *list)
{
	size_t count = 0;
	size_t gap = 1 + random_below(random, 300);
	uint32_t place = (uint32_t)random_below(random, gap);
	for (; place < POSTINGS_SPAN; place += 1 + (uint32_t)random_below(random, gap)) {
		bool often = random_below(random, 4) == 0;
		uint32_t times = often ? 1 + (uint32_t)random_below(random, 70000) : 1;
		list[count++] = (struct recall_posting){place, times};
	}
	return count;
}

START_TEST(what_is_written_is_read)
{
	struct random random = {5};
	struct recall_posting list[ROOM];
	struct recall_posting read[ROOM];
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (int run = 0; run < 300; run++) {
		size_t count = random_list(&random, list);
		buffer_clear(&out);
		postings_write(&out, list, count);
		ck_assert_uint_eq(postings_read(buffer_slice(&out), 0, POSTINGS_SPAN, read), count);
		ck_assert_mem_eq(list, read, count * sizeof(*list));
	}
	buffer_finish(&out);
}
END_TEST

START_TEST(a_turn_next_to_the_last_takes_one_byte)
{
	struct recall_posting list[POSTINGS_SPAN];
	struct buffer out;
	for (uint32_t i = 0; i < POSTINGS_SPAN; i++)
		list[i] = (struct recall_posting){i, 1};
	buffer_init(&out, SIZE_MAX);
	postings_write(&out, list, POSTINGS_SPAN);
	ck_assert_uint_eq(out.size, POSTINGS_SPAN);
	buffer_finish(&out);
}
END_TEST

START_TEST(only_what_is_between_the_first_document_and_the_last_is_given)
{
	const struct recall_posting list[] = {{0, 1}, {9, 2}, {10, 3}, {14, 1}, {15, 9}};
	struct recall_posting read[ROOM];
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	postings_write(&out, list, 5);
	/* The first document is at place 10, the last one at place 14. */
	ck_assert_uint_eq(postings_read(buffer_slice(&out), (uint32_t)-10, 5, read), 2);
	ck_assert_uint_eq(read[0].document, 0);
	ck_assert_uint_eq(read[0].count, 3);
	ck_assert_uint_eq(read[1].document, 4);
	buffer_finish(&out);
}
END_TEST

START_TEST(damaged_lists_rise_and_stay_in_the_span)
{
	struct random random = {9};
	struct recall_posting read[ROOM];
	char bytes[5000];
	for (int run = 0; run < 300; run++) {
		size_t size = random_below(&random, sizeof(bytes));
		size_t highest = 1 + random_below(&random, 256);
		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(unsigned char)random_below(&random, highest);
		size_t count = postings_read((struct slice){bytes, size}, 0, POSTINGS_SPAN, read);
		ck_assert_uint_le(count, POSTINGS_SPAN);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_lt(read[i].document, POSTINGS_SPAN);
			ck_assert(i == 0 || read[i].document > read[i - 1].document);
		}
	}
}
END_TEST

UNIT_MAIN("postings", what_is_written_is_read, a_turn_next_to_the_last_takes_one_byte,
	  only_what_is_between_the_first_document_and_the_last_is_given,
	  damaged_lists_rise_and_stay_in_the_span)
