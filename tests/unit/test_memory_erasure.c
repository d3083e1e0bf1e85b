#include "core/memory/erasure.h"
#include "tests/unit/unit.h"

/* Tests what a user's request to forget takes along, without a store. */

static struct arena arena;

static struct turn said(uint64_t id, int64_t at)
{
	return (struct turn){
		.id = id, .exchange = id, .created_at = at, .text = SLICE("I live in Bonn")};
}

START_TEST(a_hidden_turn_has_no_text)
{
	struct erasure erasure = ERASURE_NONE;
	struct turn turn = said(5, 10);
	ck_assert(!erasure.forgotten);
	ck_assert(erasure_hide_turn(&erasure, &turn, true, &arena));
	ck_assert_int_eq(turn.state, TURN_HIDDEN);
	ck_assert_uint_eq(turn.text.size, 0);
	ck_assert(erasure.forgotten);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_turn_is_hidden_once)
{
	struct erasure erasure = ERASURE_NONE;
	struct turn turn = said(5, 10);
	turn.state = TURN_HIDDEN;
	ck_assert(!erasure_hide_turn(&erasure, &turn, true, &arena));
	ck_assert(!erasure.forgotten);
	ck_assert_uint_eq(erasure.learned.count, 0);
	ck_assert_uint_eq(erasure.first_turn, UINT64_MAX);
}
END_TEST

START_TEST(only_turns_that_wait_for_the_summary_are_counted_out_of_it)
{
	struct erasure erasure = ERASURE_NONE;
	struct turn turns[] = {said(5, 10), said(6, 10), said(7, 10)};
	turns[1].state = TURN_SUPERSEDED;
	ck_assert(erasure_hide_turn(&erasure, &turns[0], true, &arena));
	ck_assert(erasure_hide_turn(&erasure, &turns[1], true, &arena));
	ck_assert(erasure_hide_turn(&erasure, &turns[2], false, &arena));
	ck_assert_uint_eq(erasure.learned.count, 1);
	ck_assert_uint_eq(erasure.learned.ids[0], 5);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_was_said_later_stays)
{
	const struct turn turn = said(5, 10);
	struct turn hidden = turn;
	hidden.state = TURN_HIDDEN;
	ck_assert(erasure_takes_turn(&turn, NULL, 10));
	ck_assert(!erasure_takes_turn(&turn, NULL, 9));
	ck_assert(!erasure_takes_turn(&hidden, NULL, 10));
}
END_TEST

START_TEST(an_answer_is_as_old_as_its_question)
{
	const struct turn question = said(5, 10);
	struct turn answer = said(6, 30);
	answer.exchange = 5;
	ck_assert(erasure_takes_turn(&answer, &question, 20));
	ck_assert(!erasure_takes_turn(&answer, &question, 9));
	ck_assert(!erasure_takes_turn(&answer, NULL, 20));
}
END_TEST

START_TEST(a_forgotten_fact_keeps_its_name_only)
{
	struct erasure erasure = ERASURE_NONE;
	struct fact fact = {.key = SLICE("city"),
			    .value = SLICE("Bonn"),
			    .quote = SLICE("I live in Bonn"),
			    .agent = SLICE("a"),
			    .app = SLICE("b"),
			    .metadata = SLICE("{\"was\":\"Bonn\"}")};
	erasure_forget_fact(&erasure, &fact, 99, &arena);
	ck_assert_int_eq(fact.state, FACT_FORGOTTEN);
	ck_assert_int_eq(fact.ended_at, 99);
	ck_assert_uint_eq(fact.value.size, 0);
	ck_assert_uint_eq(fact.quote.size, 0);
	ck_assert_uint_eq(fact.agent.size + fact.app.size + fact.metadata.size, 0);
	unit_assert_slice(fact.key, "city");
	ck_assert(erasure.forgotten);
}
END_TEST

START_TEST(a_fact_of_a_hidden_exchange_loses_the_words_of_the_user)
{
	struct erasure erasure = ERASURE_NONE;
	struct fact fact = {.exchange = 5, .value = SLICE("Bonn"), .quote = SLICE("in Bonn")};
	ck_assert(!erasure_unquote_fact(&erasure, &fact));
	id_list_add(&erasure.exchanges, &arena, 5);
	ck_assert(erasure_unquote_fact(&erasure, &fact));
	ck_assert_uint_eq(fact.quote.size, 0);
	unit_assert_slice(fact.value, "Bonn");
	ck_assert(!erasure_unquote_fact(&erasure, &fact));
	arena_finish(&arena);
}
END_TEST

START_TEST(what_leaves_is_what_was_taken_and_a_summary_of_the_first)
{
	struct erasure erasure = ERASURE_NONE;
	struct turn turns[] = {said(7, 10), said(5, 10)};
	struct fact facts[] = {{.id = 9, .exchange = 7}, {.id = 4, .exchange = 3}, {.id = 2}};
	ck_assert_uint_eq(erasure_leaving(&erasure).changed_from, 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert(erasure_hide_turn(&erasure, &turns[i], false, &arena));
	ck_assert_uint_eq(erasure_leaving(&erasure).changed_from, 5);
	erasure_note_turn(&erasure, 8, &arena);
	for (size_t i = 0; i < 3; i++)
		erasure_forget_fact(&erasure, &facts[i], 20, &arena);
	const struct leaving leaving = erasure_leaving(&erasure);
	ck_assert_uint_eq(leaving.turn_count, 3);
	ck_assert_uint_eq(leaving.turns[0], 5);
	ck_assert_uint_eq(leaving.turns[2], 8);
	ck_assert_uint_eq(leaving.fact_count, 3);
	ck_assert_uint_eq(leaving.facts[0], 2);
	ck_assert_uint_eq(leaving.changed_from, 3);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("memory_erasure", a_hidden_turn_has_no_text, a_turn_is_hidden_once,
	  only_turns_that_wait_for_the_summary_are_counted_out_of_it, what_was_said_later_stays,
	  an_answer_is_as_old_as_its_question, a_forgotten_fact_keeps_its_name_only,
	  a_fact_of_a_hidden_exchange_loses_the_words_of_the_user,
	  what_leaves_is_what_was_taken_and_a_summary_of_the_first)
