#include "tests/unit/context_fixture.h"
#include "tests/unit/unit.h"

static struct recall_question ask(bool about_past)
{
	return (struct recall_question){
		.text = SLICE("Where do I live?"), .has_subject = true, .about_past = about_past};
}

static struct fact ended(uint64_t exchange, const char *quote)
{
	return (struct fact){.id = 1,
			     .exchange = exchange,
			     .quote = slice_of(quote),
			     .ended_at = NOON - DAY,
			     .state = FACT_SUPERSEDED};
}

START_TEST(a_turn_that_holds_no_longer_says_so_and_so_does_its_receipt)
{
	struct memory *memory = memory_in(MODE_VECTOR);
	const struct recall_question question = ask(false);
	const struct fact outdated = ended(4, "I live in Leeds");
	memory_recall(memory, 4, ROLE_USER, "I live in Leeds.");
	memory_recall(memory, 8, ROLE_USER, "I live in York.");
	memory->input.question = &question;
	memory->input.outdated = &outdated;
	memory->input.outdated_count = 1;
	const struct context *context = memory_build(memory);
	ck_assert(text_holds(context->recalled, "user: [until 2026-11-20] I live in Leeds."));
	ck_assert(text_holds(context->recalled, "user: I live in York."));
	unit_assert_slice(context->items[0].text, "user: [until 2026-11-20] I live in Leeds.");
	memory_free(memory);
}
END_TEST

START_TEST(of_a_turn_that_says_more_only_a_part_is_marked)
{
	struct memory *memory = memory_in(MODE_VECTOR);
	const struct recall_question question = ask(false);
	const struct fact outdated[] = {ended(4, "I live in Leeds"), ended(4, ""),
					ended(6, "I live in Leeds")};
	memory_recall(memory, 4, ROLE_USER, "I live in Leeds, and my dog Rex is afraid of trains.");
	memory_recall(memory, 6, ROLE_ASSISTANT, "So you say: I live in Leeds");
	memory->input.question = &question;
	memory->input.outdated = outdated;
	memory->input.outdated_count = 3;
	const struct context *context = memory_build(memory);
	ck_assert(text_holds(context->recalled, "user: [in part until 2026-11-20] "
						"[until 2026-11-20: \"I live in Leeds\"] "
						"I live in Leeds, and my dog Rex"));
	ck_assert(text_holds(context->recalled, "assistant: So you say"));
	ck_assert_uint_eq(context->dropped_count, 0);
	memory->input.question = NULL;
	ck_assert(text_holds(memory_build(memory)->recalled, "[until 2026-11-20: "));
	memory_free(memory);
}
END_TEST

START_TEST(what_says_the_same_in_the_block_is_marked_too_unless_it_was_said_since)
{
	struct memory *memory = memory_in(MODE_BUFFER);
	struct fact outdated = ended(99, "I live in Leeds");
	outdated.key = SLICE("city");
	outdated.value = SLICE("Leeds");
	memory_add_turn(memory, 4, 2, ROLE_USER, "Since I live in Leeds, I take the bus.");
	memory_add_turn(memory, 5, 2, ROLE_ASSISTANT, "You live in Leeds, so do.");
	memory_add_turn(memory, 6, 2, ROLE_USER, "The buses of Leeds are green.");
	memory_add_turn(memory, 7, 2, ROLE_USER, "My city was Leeds, or so I tell everybody.");
	struct turn *turns = memory->turns;
	for (size_t i = 0; i < 4; i++)
		turns[i].created_at = NOON - 2 * DAY;
	memory_add_turn(memory, 8, 2, ROLE_USER, "I do not live in Leeds any more.");
	turns[4].created_at = NOON;
	memory->input.buffer_messages = 10;
	memory->input.outdated = &outdated;
	memory->input.outdated_count = 1;
	const struct context *context = memory_build(memory);
	ck_assert(text_holds(context->block,
			     "user: [until 2026-11-20: \"I live in Leeds\"] Since I live"));
	ck_assert(text_holds(context->block, "assistant: [until 2026-11-20] You live in Leeds"));
	ck_assert(text_holds(context->block, "user: [in part until 2026-11-20] My city was Leeds"));
	ck_assert(text_holds(context->block, "user: The buses"));
	ck_assert(text_holds(context->block, "user: I do not live"));
	memory_free(memory);
}
END_TEST

UNIT_MAIN("context_outdated",
	  what_says_the_same_in_the_block_is_marked_too_unless_it_was_said_since,
	  a_turn_that_holds_no_longer_says_so_and_so_does_its_receipt,
	  of_a_turn_that_says_more_only_a_part_is_marked)
