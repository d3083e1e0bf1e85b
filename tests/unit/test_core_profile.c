/* Which facts are given whatever is asked. */
#include "core/facts/facts.h"
#include "tests/unit/unit.h"

static unsigned rank(const char *entity, const char *key)
{
	const struct fact fact = {.entity = slice_of(entity), .key = slice_of(key)};
	return core_rank(&fact);
}

START_TEST(who_the_user_is_and_what_must_be_minded_come_first)
{
	ck_assert_uint_eq(rank("user", "name"), 1);
	ck_assert_uint_eq(rank("user", "имя"), 1);
	ck_assert_uint_eq(rank("user", "allergies"), 2);
	ck_assert_uint_eq(rank("user", "food_allergy"), 2);
	ck_assert_uint_eq(rank("user", "过敏原"), 2);
	ck_assert_uint_eq(rank("user", "language"), 3);
	ck_assert_uint_eq(rank("user", "answer_style"), 3);
	ck_assert_uint_eq(rank("user", "time_zone"), 3);
	ck_assert_uint_eq(rank("user", "preferred_units"), 3);
	ck_assert_uint_eq(rank("user", "preferences"), 4);
	ck_assert_uint_eq(rank("user", "home_city"), 4);
}
END_TEST

START_TEST(all_else_has_to_bear_on_the_question)
{
	ck_assert_uint_eq(rank("user", "vector_store"), 0);
	ck_assert_uint_eq(rank("user", "dog_name"), 0);
	ck_assert_uint_eq(rank("user", "profession"), 0);
	ck_assert_uint_eq(rank("user", "dietrich"), 0);
	ck_assert_uint_eq(rank("user", ""), 0);
	ck_assert_uint_eq(rank("user", "__"), 0);
	ck_assert_uint_eq(rank("Maria", "name"), 0);
	ck_assert_uint_eq(rank("Maria", "allergies"), 0);
}
END_TEST

UNIT_MAIN("core_profile", who_the_user_is_and_what_must_be_minded_come_first,
	  all_else_has_to_bear_on_the_question)
