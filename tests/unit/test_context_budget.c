#include "core/text/text.h"
#include "tests/unit/context_fixture.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

static struct slice hostile_text(struct memory *memory, struct random *random)
{
	static const char *const pieces[] = {"word ", "ein Wört ", "中文字",   "<b>",
					     "\n",    "user: ",    "日本 ",    "😀",
					     "\xff",  "a",         "- x: y\n", "Mon 2026-11-09:\n"};
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (uint64_t i = random_below(random, 40); i > 0; i--)
		buffer_append(&out, slice_of(pieces[random_below(random, 12)]));
	struct slice text = arena_copy(&memory->arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

static void fill_at_random(struct memory *memory, struct random *random)
{
	static const char *const names[] = {"user", "Maria", "", "a kind of many words"};
	for (uint64_t i = random_below(random, 30); i > 0; i--) {
		struct fact *fact = memory_add_fact(memory, names[random_below(random, 4)], "", 0);
		fact->entity = slice_of(names[random_below(random, 4)]);
		fact->kind = slice_of(names[random_below(random, 4)]);
		fact->value = hostile_text(memory, random);
		fact->state = (enum fact_state)random_below(random, 4);
		fact->ended_at = (int64_t)random_below(random, 2) * NOON;
		memory->scores[fact - memory->facts] = (float)random_below(random, 3);
	}
	for (uint64_t i = random_below(random, 40); i > 0; i--) {
		enum role role = i % 2 ? ROLE_ASSISTANT : ROLE_USER;
		uint32_t conversation = 7 + (uint32_t)random_below(random, 3);
		struct turn *turn = memory_add_turn(memory, 100 - i, conversation, role, "");
		turn->exchange = (100 - i) / 2 * 2;
		turn->text = hostile_text(memory, random);
	}
	for (uint64_t i = random_below(random, 60); i > 0; i--) {
		struct turn *turn =
			memory_recall(memory, 40 + i, i % 2 ? ROLE_USER : ROLE_ASSISTANT, "");
		turn->text = hostile_text(memory, random);
		turn->created_at = NOON - (int64_t)random_below(random, 9) * DAY / 2;
	}
	if (random_below(random, 2) == 0)
		memory_summarize(memory, "One sentence. Another one. 第三句。",
				 random_below(random, 120));
}

static void assert_each_turn_once(const struct context *context)
{
	for (size_t i = 0; i < context->item_count; i++) {
		for (size_t k = 0; k < i; k++) {
			bool same = context->items[i].id == context->items[k].id &&
				    strcmp(context->items[i].kind, context->items[k].kind) == 0;
			ck_assert(!same);
		}
	}
}

START_TEST(no_budget_is_ever_exceeded_and_equal_input_gives_equal_bytes)
{
	struct random random = {.state = 5};
	for (int round = 0; round < 1500; round++) {
		struct memory *memory = memory_in((enum mode)(round % (MODE_READONLY + 1)));
		fill_at_random(memory, &random);
		memory->input.budget = random_below(&random, round % 3 ? 2001 : 150);
		memory->input.is_frozen = random_below(&random, 4) == 0;
		memory->input.carried_from = (uint32_t)random_below(&random, 120);
		memory->input.cut_before = (uint32_t)random_below(&random, 80);
		struct context first = *memory_build(memory);
		assert_each_turn_once(&first);
		if (first.recalled.size > 0)
			ck_assert_uint_eq(text_count(first.recalled, "<"), 2);
		const struct context *again = memory_build(memory);
		ck_assert(slice_equal(first.block, again->block));
		ck_assert(slice_equal(first.turns, again->turns));
		ck_assert(slice_equal(first.recalled, again->recalled));
		memory_free(memory);
	}
}
END_TEST

START_TEST(times_and_scores_that_make_no_sense_are_survived)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, INT64_MAX};
	struct memory *memory = memory_in(MODE_VECTOR);
	for (size_t i = 0; i < 4; i++)
		memory_recall(memory, i + 1, ROLE_USER, "when?")->created_at = times[i];
	memory_add_fact(memory, "nan", "x", 0);
	memory->scores[0] = NAN;
	ck_assert_uint_eq(text_count(memory_build(memory)->recalled, "user: when?"), 4);
	ck_assert(text_holds(memory->context.recalled, "Wed 1969-12-31:\nuser: when?\n"
						       "Thu 1970-01-01:\nuser: when?\n"));
	ck_assert(!text_holds(memory->context.recalled, "nan"));
	memory_free(memory);
}
END_TEST

static void fill_with_much(struct memory *memory)
{
	for (unsigned i = 0; i < 20; i++) {
		(void)memory_add_fact(memory, "a_thing", memory_words(memory, "of note", 40), 1);
		(void)memory_recall(memory, i + 1, ROLE_USER,
				    memory_words(memory, "said before", 100));
	}
}

/* Gives whether the summary stands there as a whole. */
static bool has_summary(unsigned mode, size_t budget, uint32_t cut_before, const char *summary)
{
	struct memory *memory = memory_in((enum mode)mode);
	fill_with_much(memory);
	memory_summarize(memory, summary, 6);
	memory->input.budget = budget;
	memory->input.cut_before = cut_before;
	bool is_there = text_holds(memory_build(memory)->block, summary);
	memory_free(memory);
	return is_there;
}

START_TEST(what_stands_in_for_turns_taken_out_goes_before_all_else)
{
	static const enum mode modes[] = {MODE_SUMMARY, MODE_ENTITY, MODE_VECTOR, MODE_HYBRID};
	char summary[] = "The user keeps a log of each day at sea, of the wind, the sails, the "
			 "crew and the harbours, and wants it to be exact, since an insurer may "
			 "read it; the boat is a ketch, and its mizzen mast was mended in spring.";
	size_t whole = text_tokens(slice_of(summary)) + 60; /* and its frame */
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		for (size_t budget = whole; budget < 8 * whole; budget += whole / 3)
			ck_assert_msg(has_summary(modes[i], budget, 6, summary), "mode %d, %zu",
				      (int)modes[i], budget);
	}
	/* Beside them it shares. */
	ck_assert(!has_summary(MODE_HYBRID, whole, 0, summary));
	ck_assert(has_summary(MODE_HYBRID, 8 * whole, 0, summary));
}
END_TEST

/* The tokens of a request that no fact bears on, for a user with many preferences. */
static size_t tokens_of_profile(size_t profile, size_t *facts)
{
	static const struct recall_question question = {.text = SLICE("Write a haiku about snow.")};
	struct memory *memory = memory_in(MODE_ENTITY);
	memory->input.question = &question;
	memory->input.profile = profile;
	for (size_t i = 0; i < 40; i++)
		(void)memory_add_fact(memory, "preferences", "short answers without lists", 0);
	(void)memory_add_fact(memory, "vector_store", "Qdrant", 0);
	size_t tokens = memory_build(memory)->tokens;
	*facts = text_count(memory->context.block, "short answers");
	ck_assert(!text_holds(memory->context.block, "Qdrant"));
	memory_free(memory);
	return tokens;
}

START_TEST(where_nothing_bears_the_profile_is_all_and_its_frame_counts)
{
	size_t facts, more;
	for (size_t profile = 0; profile <= 400; profile += 25)
		ck_assert_uint_le(tokens_of_profile(profile, &facts), profile);
	ck_assert_uint_eq(tokens_of_profile(20, &facts), 0);
	ck_assert_uint_eq(facts, 0);
	ck_assert_uint_gt(tokens_of_profile(200, &facts), 180);
	(void)tokens_of_profile(400, &more);
	ck_assert(facts > 8 && more > facts);
}
END_TEST

UNIT_MAIN("context_budget", what_stands_in_for_turns_taken_out_goes_before_all_else,
	  where_nothing_bears_the_profile_is_all_and_its_frame_counts,
	  no_budget_is_ever_exceeded_and_equal_input_gives_equal_bytes,
	  times_and_scores_that_make_no_sense_are_survived)
