#include "core/memory/given.h"
#include "tests/unit/unit.h"

/* Tests which records rest on something that leaves memory, without a store. */

static const uint64_t turns[] = {4, 7, 9};
static const uint64_t facts[] = {4, 20};

static bool holds(const uint64_t *given, size_t count, const struct leaving *leaving)
{
	const struct frozen frozen = {.given = given, .given_count = count};
	const struct replay replay = {.turns = given, .turn_count = count};
	const struct receipt receipt = {.turns = given, .turn_count = count};
	bool is_held = frozen_holds(&frozen, leaving);
	ck_assert_int_eq(replay_holds(&replay, leaving), is_held);
	ck_assert_int_eq(receipt_holds(&receipt, leaving), is_held);
	return is_held;
}

static bool holds_facts(const uint64_t *given, size_t count, const struct leaving *leaving)
{
	const struct frozen frozen = {.facts = given, .fact_count = count};
	const struct replay replay = {.facts = given, .fact_count = count};
	const struct receipt receipt = {.facts = given, .fact_count = count};
	bool is_held = frozen_holds(&frozen, leaving);
	const struct frozen corrects = {.ended = given, .ended_count = count};
	ck_assert_int_eq(frozen_holds(&corrects, leaving), is_held);
	ck_assert_int_eq(replay_holds(&replay, leaving), is_held);
	ck_assert_int_eq(receipt_holds(&receipt, leaving), is_held);
	return is_held;
}

START_TEST(one_turn_that_leaves_is_enough)
{
	const struct leaving leaving = {.turns = turns, .turn_count = 3};
	ck_assert(holds((uint64_t[]){1, 7, 12}, 3, &leaving));
	ck_assert(!holds((uint64_t[]){1, 8, 12}, 3, &leaving));
	ck_assert(!holds(NULL, 0, &leaving));
}
END_TEST

START_TEST(nothing_holds_what_does_not_leave)
{
	const struct leaving leaving = {0};
	ck_assert(!holds((uint64_t[]){4}, 1, &leaving));
	ck_assert(!holds_facts((uint64_t[]){4}, 1, &leaving));
	ck_assert(!frozen_holds(&(struct frozen){.covers = 4}, &leaving));
}
END_TEST

START_TEST(a_fact_is_no_turn_of_the_same_number)
{
	const struct leaving leaving = {.facts = facts, .fact_count = 2};
	ck_assert(holds_facts((uint64_t[]){20}, 1, &leaving));
	ck_assert(!holds((uint64_t[]){20}, 1, &leaving));
	ck_assert(!holds_facts((uint64_t[]){7}, 1, &leaving));
}
END_TEST

START_TEST(the_ids_of_a_receipt_come_in_any_order)
{
	const struct leaving leaving = {.turns = turns, .turn_count = 3};
	const uint64_t given[] = {12, 9, 1};
	const struct receipt receipt = {.turns = given, .turn_count = 3};
	ck_assert(receipt_holds(&receipt, &leaving));
}
END_TEST

START_TEST(a_receipt_only_mentions_what_was_left_out)
{
	const struct leaving leaving = {
		.turns = turns, .turn_count = 3, .facts = facts, .fact_count = 2};
	const uint64_t ids[] = {1, 9, 20};
	struct receipt receipt = {.turns = ids, .turn_count = 3, .turns_left_out = 2};
	ck_assert(!receipt_holds(&receipt, &leaving));
	ck_assert(receipt_mentions(&receipt, &leaving));
	receipt.turns_left_out = 1;
	ck_assert(receipt_holds(&receipt, &leaving));
	receipt = (struct receipt){.facts = ids, .fact_count = 3, .facts_left_out = 1};
	ck_assert(!receipt_holds(&receipt, &leaving));
	ck_assert(receipt_mentions(&receipt, &leaving));
	receipt.facts_left_out = 0;
	ck_assert(receipt_holds(&receipt, &leaving));
	receipt.fact_count = 2;
	ck_assert(!receipt_mentions(&receipt, &leaving));
}
END_TEST

START_TEST(a_summary_of_changed_turns_leaves)
{
	const struct leaving leaving = {.changed_from = 5};
	ck_assert(frozen_holds(&(struct frozen){.covers = 5}, &leaving));
	ck_assert(frozen_holds(&(struct frozen){.covers = 8}, &leaving));
	ck_assert(!frozen_holds(&(struct frozen){.covers = 4}, &leaving));
	/* A context without a summary stands, and so do turns that it shows as they are. */
	ck_assert(!frozen_holds(&(struct frozen){.covers = 0}, &leaving));
	ck_assert(!holds((uint64_t[]){8}, 1, &leaving));
	ck_assert(receipt_holds(&(struct receipt){.covers = 5}, &leaving));
	ck_assert(!receipt_holds(&(struct receipt){.covers = 4}, &leaving));
}
END_TEST

START_TEST(a_summary_covers_the_turns_up_to_its_last)
{
	const struct summary summary = {.covers = 6};
	ck_assert(summary_covers(&summary, 1));
	ck_assert(summary_covers(&summary, 6));
	ck_assert(!summary_covers(&summary, 7));
	ck_assert(!summary_covers(&(struct summary){0}, 1));
}
END_TEST

UNIT_MAIN("memory_given", a_receipt_only_mentions_what_was_left_out, one_turn_that_leaves_is_enough,
	  nothing_holds_what_does_not_leave, a_fact_is_no_turn_of_the_same_number,
	  the_ids_of_a_receipt_come_in_any_order,

	  a_summary_of_changed_turns_leaves, a_summary_covers_the_turns_up_to_its_last)
