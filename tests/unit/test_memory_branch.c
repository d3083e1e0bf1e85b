#include "core/facts/change.h"
#include "core/facts/facts.h"
#include "tests/unit/unit.h"

/* Which facts follow their exchanges, without a store: each fact with what becomes of its ground.
 */

enum { NOW = 1000, EARLIER = 500, MOST = 4 };

static bool changed[MOST];

static struct fact city(uint64_t id, const char *value, int64_t observed_at)
{
	return (struct fact){.id = id,
			     .entity = SLICE("user"),
			     .key = SLICE("city"),
			     .value = slice_of(value),
			     .quote = SLICE("I live there"),
			     .exchange = id,
			     .observed_at = observed_at};
}

static struct fact superseded(struct fact fact, const struct fact *by)
{
	fact.state = FACT_SUPERSEDED;
	fact.ended_at = by->observed_at;
	fact.superseded_by = by->id;
	return fact;
}

static struct fact retracted(struct fact fact, int64_t at)
{
	fact.state = FACT_RETRACTED;
	fact.ended_at = at;
	return fact;
}

static void follow(struct fact *facts, const struct ground *grounds, size_t count)
{
	struct arena arena = {0};
	for (size_t i = 0; i < MOST; i++)
		changed[i] = false;
	facts_follow_grounds(facts, grounds, changed, count, NOW, &arena);
	arena_finish(&arena);
}

START_TEST(a_fact_of_a_taken_exchange_is_retracted_now)
{
	struct fact facts[] = {city(1, "Rome", 10), city(2, "Oslo", 20)};
	facts[1].key = SLICE("birthplace");
	follow(facts, (struct ground[]){{.change = GROUND_TAKEN}, {0}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_RETRACTED);
	ck_assert_int_eq(facts[0].ended_at, NOW);
	ck_assert(changed[0]);
	ck_assert_int_eq(facts[1].state, FACT_CURRENT);
	ck_assert(!changed[1]);
}
END_TEST

START_TEST(a_fact_that_is_said_elsewhere_too_moves_there)
{
	struct fact facts[] = {city(1, "Rome", 10), city(2, "Oslo", 20)};
	facts[1].key = SLICE("birthplace");
	follow(facts,
	       (struct ground[]){
		       {.change = GROUND_TAKEN, .also_said_in = 8},
		       {.change = GROUND_TAKEN, .also_said_in = 9, .in_other_words = true}},
	       2);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_uint_eq(facts[0].exchange, 8);
	ck_assert_uint_gt(facts[0].quote.size, 0);
	ck_assert_uint_eq(facts[1].exchange, 9);
	ck_assert_uint_eq(facts[1].quote.size, 0);
	ck_assert(changed[0] && changed[1]);
}
END_TEST

START_TEST(what_a_forgotten_fact_had_replaced_stands_while_its_branch_is_left)
{
	struct fact facts[] = {city(1, "Rome", 10), city(2, "", 20)};
	facts[0] = superseded(facts[0], &facts[1]);
	facts[1].state = FACT_FORGOTTEN;
	follow(facts, (struct ground[]){{0}, {.change = GROUND_TAKEN}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_int_eq(facts[1].state, FACT_FORGOTTEN);
	ck_assert(changed[0] && !changed[1]);
	follow(facts, (struct ground[]){{0}, {.change = GROUND_RETURNED}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(facts[0].superseded_by, 2);
	ck_assert_int_eq(facts[0].ended_at, 20);
	ck_assert(changed[0] && !changed[1]);
}
END_TEST

START_TEST(a_forgotten_fact_that_returns_ends_only_what_it_had_replaced)
{
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	struct fact decided = city(1, "Rome", 10);
	decided.by = SLICE("admin");
	struct fact other = city(1, "Rome", 10);
	other.key = SLICE("birthplace");
	struct fact pinned = city(1, "Rome", 10);
	pinned.pinned = true;
	const struct fact stay[] = {decided, other, pinned, city(1, "Rome", 30)};
	for (size_t i = 0; i < 4; i++) {
		struct fact facts[] = {stay[i], city(2, "", 20)};
		facts[1].state = FACT_FORGOTTEN;
		follow(facts, (struct ground[]){{0}, returned}, 2);
		ck_assert_msg(facts[0].state == FACT_CURRENT && !changed[0], "%zu", i);
	}
	/* what comes back with it, but it had replaced */
	struct fact facts[] = {city(1, "", 20), retracted(city(2, "Rome", 10), EARLIER)};
	facts[0].state = FACT_FORGOTTEN;
	follow(facts, (struct ground[]){returned, returned}, 2);
	ck_assert_int_eq(facts[1].state, FACT_SUPERSEDED);
}
END_TEST

START_TEST(what_a_retracted_fact_had_replaced_stands_again)
{
	struct fact facts[] = {city(1, "Rome", 10), city(2, "Oslo", 20)};
	facts[0] = superseded(facts[0], &facts[1]);
	follow(facts, (struct ground[]){{0}, {.change = GROUND_TAKEN}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_int_eq(facts[0].ended_at, 0);
	ck_assert_uint_eq(facts[0].superseded_by, 0);
	ck_assert_int_eq(facts[1].state, FACT_RETRACTED);
}
END_TEST

START_TEST(what_was_itself_taken_back_gives_its_place_to_what_was_before)
{
	struct fact facts[] = {city(1, "Rome", 10), city(2, "Oslo", 20), city(3, "Kyiv", 30)};
	facts[1] = superseded(facts[1], &facts[2]);
	facts[0] = superseded(facts[0], &facts[1]);
	follow(facts, (struct ground[]){{0}, {.taken_back_at = EARLIER}, {.change = GROUND_TAKEN}},
	       3);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_int_eq(facts[1].state, FACT_RETRACTED);
	ck_assert_int_eq(facts[1].ended_at, EARLIER);
	ck_assert_int_eq(facts[2].state, FACT_RETRACTED);
	ck_assert_int_eq(facts[2].ended_at, NOW);
}
END_TEST

START_TEST(only_what_its_taking_back_retracted_comes_back_with_an_exchange)
{
	struct fact facts[] = {retracted(city(1, "Rome", 10), EARLIER),
			       retracted(city(2, "Oslo", 20), EARLIER + 1)};
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	follow(facts, (struct ground[]){returned, returned}, 2);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_int_eq(facts[1].state, FACT_RETRACTED);
	ck_assert(!changed[1]);
}
END_TEST

START_TEST(of_values_that_exclude_each_other_the_newest_observation_stands)
{
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	struct fact older[] = {retracted(city(1, "Rome", 10), EARLIER), city(2, "Oslo", 20)};
	follow(older, (struct ground[]){returned, {0}}, 2);
	ck_assert_int_eq(older[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(older[0].superseded_by, 2);
	ck_assert_int_eq(older[0].ended_at, 20);
	ck_assert_int_eq(older[1].state, FACT_CURRENT);

	struct fact newer[] = {retracted(city(1, "Rome", 30), EARLIER), city(2, "Oslo", 20)};
	follow(newer, (struct ground[]){returned, {0}}, 2);
	ck_assert_int_eq(newer[0].state, FACT_CURRENT);
	ck_assert_int_eq(newer[1].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(newer[1].superseded_by, 1);
}
END_TEST

START_TEST(several_values_of_a_key_stand_side_by_side)
{
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	struct fact facts[] = {retracted(city(1, "Rome", 10), EARLIER), city(2, "Oslo", 20),
			       city(3, "Rome", 20)};
	for (size_t i = 0; i < 3; i++)
		facts[i].many = true;
	follow(facts, (struct ground[]){returned, {0}, {0}}, 3);
	ck_assert_int_eq(facts[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(facts[0].superseded_by, 3);
	ck_assert_int_eq(facts[1].state, FACT_CURRENT);
}
END_TEST

START_TEST(of_the_same_instant_the_higher_id_is_newer)
{
	const struct fact a = city(1, "Rome", 10);
	const struct fact b = city(2, "Oslo", 10);
	ck_assert(fact_is_newer(&b, &a));
	ck_assert(!fact_is_newer(&a, &b));
	ck_assert(!fact_is_newer(&a, &a));
}
END_TEST

START_TEST(what_comes_back_meets_what_stands_under_every_name_of_its_key)
{
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	struct fact facts[] = {retracted(city(1, "Rome", 30), EARLIER), city(2, "Oslo", 20)};
	facts[1].key = SLICE("wohnort");
	facts[1].entity = SLICE("User");
	follow(facts, (struct ground[]){returned, {0}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_CURRENT);
	ck_assert_int_eq(facts[1].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(facts[1].superseded_by, 1);
}
END_TEST

START_TEST(a_pinned_fact_stands_whatever_comes_back)
{
	const struct ground returned = {.change = GROUND_RETURNED, .taken_back_at = EARLIER};
	struct fact facts[] = {retracted(city(1, "Rome", 30), EARLIER), city(2, "Oslo", 20)};
	facts[1].pinned = true;
	follow(facts, (struct ground[]){returned, {0}}, 2);
	ck_assert_int_eq(facts[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(facts[0].superseded_by, 2);
	ck_assert_int_eq(facts[1].state, FACT_CURRENT);
	ck_assert(!changed[1]);
}
END_TEST

UNIT_MAIN("memory_branch", what_comes_back_meets_what_stands_under_every_name_of_its_key,
	  a_pinned_fact_stands_whatever_comes_back, a_fact_of_a_taken_exchange_is_retracted_now,
	  a_fact_that_is_said_elsewhere_too_moves_there,
	  what_a_forgotten_fact_had_replaced_stands_while_its_branch_is_left,
	  a_forgotten_fact_that_returns_ends_only_what_it_had_replaced,
	  what_a_retracted_fact_had_replaced_stands_again,
	  what_was_itself_taken_back_gives_its_place_to_what_was_before,
	  only_what_its_taking_back_retracted_comes_back_with_an_exchange,
	  of_values_that_exclude_each_other_the_newest_observation_stands,
	  several_values_of_a_key_stand_side_by_side, of_the_same_instant_the_higher_id_is_newer)
