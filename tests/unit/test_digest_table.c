#include "core/base/digest_table.h"
#include "tests/unit/unit.h"

/* Those with the same `number / EQUAL` meet in a place. */
enum { COUNT = 2000, EQUAL = 7 };

struct digest {
	unsigned char bytes[DIGEST_SIZE];
};

static struct digest digest_of(unsigned number)
{
	struct digest digest = {{0}};
	const uint64_t place = (uint64_t)(number / EQUAL) * 0x9E3779B97F4A7C15U;
	memcpy(digest.bytes, &place, sizeof(place));
	digest.bytes[14] = (unsigned char)(number % EQUAL);
	return digest;
}

START_TEST(digests_that_meet_in_a_place_are_found_after_others_are_gone)
{
	struct digest_table table;
	digest_table_init(&table);
	for (unsigned i = 0; i < COUNT; i++)
		digest_table_put(&table, digest_of(i).bytes, i);
	for (unsigned i = 0; i < COUNT; i += 3) {
		digest_table_remove(&table, digest_of(i).bytes);
		digest_table_remove(&table, digest_of(i).bytes);
	}
	size_t place = 0;
	size_t left = 0;
	while (digest_table_next(&table, &place) != NULL)
		left++;
	ck_assert_uint_eq(left, table.count);
	ck_assert_uint_eq(left, COUNT - (COUNT + 2) / 3);
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_int_eq(digest_table_find(&table, digest_of(i).bytes),
				 i % 3 == 0 ? DIGEST_NONE : (int64_t)i);
	digest_table_finish(&table);
}
END_TEST

START_TEST(a_value_takes_the_place_of_the_one_before)
{
	struct digest_table table;
	digest_table_init(&table);
	ck_assert_int_eq(digest_table_find(&table, digest_of(1).bytes), DIGEST_NONE);
	digest_table_put(&table, digest_of(1).bytes, 0);
	digest_table_put(&table, digest_of(1).bytes, -5);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_int_eq(digest_table_find(&table, digest_of(1).bytes), -5);
	digest_table_finish(&table);
}
END_TEST

UNIT_MAIN("digest_table", digests_that_meet_in_a_place_are_found_after_others_are_gone,
	  a_value_takes_the_place_of_the_one_before)
