#include "core/facts/change.h"
#include "tests/unit/unit.h"

/* Which exchanges and answers a branch takes back and which return, without a store. */

enum { FROM = 2, LATER = 90 };

static struct arena arena;

static struct past_exchange at(uint32_t ordinal, uint64_t id, enum turn_state state)
{
	return (struct past_exchange){.id = id,
				      .ordinal = ordinal,
				      .state = state,
				      .answer = id + 1,
				      .taken_back_at = state == TURN_SUPERSEDED ? LATER : 0};
}

static struct branch keeping(const uint64_t *ids, size_t count)
{
	struct branch branch = {0};
	for (size_t i = 0; i < count; i++)
		id_list_add(&branch.kept, &arena, ids[i]);
	return branch;
}

static void assert_ids(const struct id_list *list, const uint64_t *ids, size_t count)
{
	ck_assert_uint_eq(list->count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(list->ids[i], ids[i]);
}

START_TEST(what_stands_and_is_not_kept_is_taken_with_its_answer)
{
	struct branch branch = keeping((uint64_t[]){5}, 1);
	const struct past_exchange exchanges[] = {at(2, 5, TURN_CURRENT), at(2, 9, TURN_CURRENT),
						  at(3, 7, TURN_SUPERSEDED),
						  at(4, 3, TURN_CURRENT)};
	ck_assert(
		branch_find_taken(&branch, (struct past_exchanges){exchanges, 4}, NULL, 0, &arena));
	assert_ids(&branch.taken, (uint64_t[]){9, 3}, 2);
	assert_ids(&branch.gone, (uint64_t[]){3, 4, 9, 10}, 4);
	ck_assert_uint_eq(branch.first_turn, 3);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_forgotten_exchange_is_left_and_returned_to_without_its_texts)
{
	struct branch branch = {0};
	struct past_exchange exchange = at(2, 5, TURN_HIDDEN);
	ck_assert(
		branch_find_taken(&branch, (struct past_exchanges){&exchange, 1}, NULL, 0, &arena));
	assert_ids(&branch.taken, (uint64_t[]){5}, 1);
	assert_ids(&branch.gone, NULL, 0);
	exchange.taken_back_at = LATER;
	ck_assert(!branch_find_taken(&branch, (struct past_exchanges){&exchange, 1}, NULL, 0,
				     &arena));
	ck_assert_uint_eq(branch_find_returned(&branch, &exchange, 1, LATER, &arena), FROM);
	assert_ids(&branch.returned, (uint64_t[]){5}, 1);
	ck_assert_uint_eq(branch.first_turn, 0);
	ck_assert(!branch_lets_stand(&branch, &exchange));
	arena_finish(&arena);
}
END_TEST

START_TEST(an_exchange_without_an_answer_goes_alone)
{
	struct branch branch = {0};
	struct past_exchange exchange = at(2, 5, TURN_CURRENT);
	exchange.answer = 0;
	ck_assert(
		branch_find_taken(&branch, (struct past_exchanges){&exchange, 1}, NULL, 0, &arena));
	assert_ids(&branch.gone, (uint64_t[]){5}, 1);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_request_that_keeps_what_stands_changes_nothing)
{
	struct branch branch = keeping((uint64_t[]){5}, 1);
	const struct past_exchange exchange = at(2, 5, TURN_CURRENT);
	const struct carried_answer carried = {.id = 6, .standing = 6};
	ck_assert_uint_eq(branch_find_returned(&branch, &exchange, 1, FROM, &arena), FROM);
	ck_assert(!branch_find_taken(&branch, (struct past_exchanges){&exchange, 1}, &carried, 1,
				     &arena));
	ck_assert_uint_eq(branch.first_turn, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_kept_exchange_that_was_taken_back_returns_once)
{
	struct branch branch = keeping((uint64_t[]){5, 5, 7}, 3);
	const struct past_exchange kept[] = {at(1, 5, TURN_SUPERSEDED), at(1, 5, TURN_SUPERSEDED),
					     at(3, 7, TURN_HIDDEN)};
	/* A neighbour before `from` is taken later. */
	ck_assert_uint_eq(branch_find_returned(&branch, kept, 3, FROM, &arena), 1);
	assert_ids(&branch.returned, (uint64_t[]){5}, 1);
	ck_assert(branch_find_taken(&branch, (struct past_exchanges){0}, NULL, 0, &arena));
	ck_assert_uint_eq(branch.first_turn, 5);
	arena_finish(&arena);
}
END_TEST

START_TEST(an_answer_in_whose_place_another_one_stands_is_shown_again)
{
	struct branch branch = {0};
	const struct carried_answer carried[] = {{.id = 6, .standing = 8},
						 {.id = 10, .standing = 10}};
	ck_assert(branch_find_taken(&branch, (struct past_exchanges){0}, carried, 2, &arena));
	assert_ids(&branch.shown, (uint64_t[]){6}, 1);
	assert_ids(&branch.gone, (uint64_t[]){8}, 1);
	ck_assert_uint_eq(branch.first_turn, 6);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_is_taken_does_not_stand_and_what_returns_does)
{
	struct branch branch = {0};
	const struct past_exchange taken = at(2, 5, TURN_CURRENT);
	const struct past_exchange returned = at(2, 7, TURN_SUPERSEDED);
	const struct past_exchange other = at(2, 9, TURN_CURRENT);
	const struct past_exchange left = at(2, 11, TURN_SUPERSEDED);
	id_list_add(&branch.taken, &arena, 5);
	id_list_add(&branch.returned, &arena, 7);
	ck_assert(!branch_lets_stand(&branch, &taken));
	ck_assert(branch_lets_stand(&branch, &returned));
	ck_assert(branch_lets_stand(&branch, &other));
	ck_assert(!branch_lets_stand(&branch, &left));

	struct ground ground = branch_ground(&branch, &taken);
	ck_assert_int_eq(ground.change, GROUND_TAKEN);
	ck_assert(ground_is_lost(&ground));
	ground = branch_ground(&branch, &returned);
	ck_assert_int_eq(ground.change, GROUND_RETURNED);
	ck_assert_int_eq(ground.taken_back_at, LATER);
	ck_assert(!ground_is_lost(&ground));
	ground = branch_ground(&branch, &left);
	ck_assert_int_eq(ground.change, GROUND_UNCHANGED);
	ck_assert(ground_is_lost(&ground));
	ground = branch_ground(&branch, NULL);
	ck_assert(!ground_is_lost(&ground));
	arena_finish(&arena);
}
END_TEST

START_TEST(an_exchange_that_stands_is_not_taken_back_whatever_its_record_says)
{
	const struct branch none = {0};
	struct past_exchange exchange = at(2, 5, TURN_CURRENT);
	exchange.taken_back_at = LATER;
	const struct ground ground = branch_ground(&none, &exchange);
	ck_assert_int_eq(ground.taken_back_at, 0);
	ck_assert(!ground_is_lost(&ground));
}
END_TEST

START_TEST(only_facts_that_a_branch_reaches_are_looked_at)
{
	struct branch branch = {0};
	const struct fact current = {.exchange = 5};
	const struct fact other = {.exchange = 6};
	const struct fact retracted = {.exchange = 7, .state = FACT_RETRACTED};
	const struct fact superseded = {.exchange = 6, .state = FACT_SUPERSEDED};
	const struct fact forgotten = {.exchange = 5, .state = FACT_FORGOTTEN};
	const struct fact forgotten_there = {.exchange = 7, .state = FACT_FORGOTTEN};
	const struct fact hidden = {.exchange = 5, .state = FACT_HIDDEN};
	ck_assert(!branch_may_change(&branch, &superseded));
	id_list_add(&branch.taken, &arena, 5);
	id_list_add(&branch.returned, &arena, 7);
	ck_assert(branch_may_change(&branch, &current));
	ck_assert(!branch_may_change(&branch, &other));
	ck_assert(branch_may_change(&branch, &retracted));
	ck_assert(branch_may_change(&branch, &superseded));
	ck_assert(branch_may_change(&branch, &forgotten));
	ck_assert(branch_may_change(&branch, &forgotten_there));
	ck_assert(!branch_may_change(&branch, &hidden));
	/* A person's decision does not depend on what was said. */
	struct fact decided = current;
	decided.by = SLICE("admin");
	ck_assert(!branch_may_change(&branch, &decided));
	decided = current;
	decided.pinned = true;
	ck_assert(!branch_may_change(&branch, &decided));
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("memory_taken_back", what_stands_and_is_not_kept_is_taken_with_its_answer,
	  a_forgotten_exchange_is_left_and_returned_to_without_its_texts,
	  an_exchange_without_an_answer_goes_alone,
	  a_request_that_keeps_what_stands_changes_nothing,
	  a_kept_exchange_that_was_taken_back_returns_once,
	  an_answer_in_whose_place_another_one_stands_is_shown_again,
	  what_is_taken_does_not_stand_and_what_returns_does,
	  an_exchange_that_stands_is_not_taken_back_whatever_its_record_says,
	  only_facts_that_a_branch_reaches_are_looked_at)
