#include "core/learn/learn.h"
#include "tests/unit/unit.h"

/* Tests the changes of a stored fact, without a store. */

enum { LEARNED = 9, NEWER = 4 };

static struct fact stored(enum fact_state state)
{
	return (struct fact){.id = 1,
			     .state = state,
			     .exchange = 3,
			     .observed_at = 10,
			     .value = SLICE("Bonn"),
			     .quote = SLICE("in Bonn")};
}

static struct change change_to(enum fact_state state)
{
	struct change change = {.kind = CHANGE_UPDATE, .fact = stored(state), .replaced_by = -1};
	change.fact.observed_at = 20;
	change.fact.ended_at = state == FACT_CURRENT ? 0 : 20;
	change.fact.expires_at = 99;
	return change;
}

START_TEST(a_fact_that_is_said_again_stays_on_its_exchange)
{
	struct fact fact = stored(FACT_CURRENT);
	const struct change change = change_to(FACT_CURRENT);
	ck_assert(change_update_fact(&fact, true, &change, 0, LEARNED));
	ck_assert_int_eq(fact.observed_at, 20);
	ck_assert_int_eq(fact.expires_at, 99);
	ck_assert_uint_eq(fact.exchange, 3);
	unit_assert_slice(fact.quote, "in Bonn");
}
END_TEST

START_TEST(a_superseded_fact_names_what_took_its_place)
{
	struct fact fact = stored(FACT_CURRENT);
	const struct change change = change_to(FACT_SUPERSEDED);
	ck_assert(change_update_fact(&fact, true, &change, NEWER, LEARNED));
	ck_assert_int_eq(fact.state, FACT_SUPERSEDED);
	ck_assert_int_eq(fact.ended_at, 20);
	ck_assert_uint_eq(fact.superseded_by, NEWER);
	ck_assert_uint_eq(fact.exchange, 3);
}
END_TEST

START_TEST(a_fact_that_was_forgotten_meanwhile_stays_forgotten)
{
	struct fact fact = stored(FACT_FORGOTTEN);
	const struct change change = change_to(FACT_CURRENT);
	ck_assert(!change_update_fact(&fact, true, &change, 0, LEARNED));
	ck_assert_int_eq(fact.state, FACT_FORGOTTEN);
}
END_TEST

START_TEST(a_fact_whose_turn_was_taken_back_moves_to_where_it_is_said_again)
{
	struct fact fact = stored(FACT_RETRACTED);
	const struct change change = change_to(FACT_CURRENT);
	ck_assert(change_update_fact(&fact, true, &change, 0, LEARNED));
	ck_assert_int_eq(fact.state, FACT_CURRENT);
	ck_assert_uint_eq(fact.exchange, LEARNED);
	ck_assert_uint_eq(fact.quote.size, 0);
}
END_TEST

START_TEST(a_fact_that_is_gone_comes_back_only_when_it_stands)
{
	struct fact fact = {0};
	struct change change = change_to(FACT_SUPERSEDED);
	ck_assert(!change_update_fact(&fact, false, &change, NEWER, LEARNED));
	change = change_to(FACT_CURRENT);
	ck_assert(change_update_fact(&fact, false, &change, 0, LEARNED));
	ck_assert_uint_eq(fact.id, 1);
	unit_assert_slice(fact.value, "Bonn");
	ck_assert_uint_eq(fact.exchange, LEARNED);
	ck_assert_uint_eq(fact.quote.size, 0);
}
END_TEST

UNIT_MAIN("learn_change", a_fact_that_is_said_again_stays_on_its_exchange,
	  a_superseded_fact_names_what_took_its_place,
	  a_fact_that_was_forgotten_meanwhile_stays_forgotten,
	  a_fact_whose_turn_was_taken_back_moves_to_where_it_is_said_again,
	  a_fact_that_is_gone_comes_back_only_when_it_stands)
