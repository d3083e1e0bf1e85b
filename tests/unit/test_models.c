#include "proxy/upstream/model_traits.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void assert_rate(struct model_traits *model_traits, double expected)
{
	ck_assert_double_eq_tol(model_traits_token_rate(model_traits, SLICE("m")), expected, 1e-9);
}

START_TEST(an_unknown_model_counts_as_estimated_and_takes_system_messages)
{
	struct model_traits *model_traits = model_traits_create();
	assert_rate(model_traits, 1);
	ck_assert(!model_traits_refuses_system(model_traits, SLICE("m")));
	model_traits_destroy(model_traits);
}
END_TEST

START_TEST(the_first_count_is_believed_and_later_ones_move_it_a_fifth)
{
	struct model_traits *model_traits = model_traits_create();
	model_traits_note_tokens(model_traits, SLICE("m"), 1000, 1500);
	assert_rate(model_traits, 1.5);
	model_traits_note_tokens(model_traits, SLICE("m"), 1000, 1000);
	assert_rate(model_traits, 1.4);
	ck_assert_double_eq_tol(model_traits_token_rate(model_traits, SLICE("other")), 1, 1e-9);
	model_traits_destroy(model_traits);
}
END_TEST

START_TEST(what_is_small_or_out_of_proportion_changes_nothing)
{
	struct model_traits *model_traits = model_traits_create();
	model_traits_note_tokens(model_traits, SLICE("m"), 10, 15);
	model_traits_note_tokens(model_traits, SLICE("m"), 1000, 100000);
	model_traits_note_tokens(model_traits, SLICE("m"), 1000, 1);
	model_traits_note_tokens(model_traits, SLICE("m"), 0, 100);
	model_traits_note_tokens(model_traits, SLICE("m"), 1000, -1);
	assert_rate(model_traits, 1);
	model_traits_destroy(model_traits);
}
END_TEST

START_TEST(the_oldest_of_many_models_makes_room)
{
	struct model_traits *model_traits = model_traits_create();
	model_traits_note_system_refused(model_traits, SLICE("m"));
	for (int i = 0; i < 64; i++) {
		char name[16];
		int size = snprintf(name, sizeof(name), "model-%d", i);
		model_traits_note_system_refused(model_traits, (struct slice){name, (size_t)size});
	}
	ck_assert(!model_traits_refuses_system(model_traits, SLICE("m")));
	ck_assert(model_traits_refuses_system(model_traits, SLICE("model-63")));
	model_traits_destroy(model_traits);
}
END_TEST

START_TEST(a_name_too_long_to_be_one_is_not_kept)
{
	struct model_traits *model_traits = model_traits_create();
	static char name[4096];
	memset(name, 'x', sizeof(name));
	struct slice slice = {name, sizeof(name)};
	model_traits_note_system_refused(model_traits, slice);
	model_traits_note_tokens(model_traits, slice, 1000, 1500);
	ck_assert(!model_traits_refuses_system(model_traits, slice));
	ck_assert_double_eq_tol(model_traits_token_rate(model_traits, slice), 1, 1e-9);
	model_traits_destroy(model_traits);
}
END_TEST

UNIT_MAIN("models", an_unknown_model_counts_as_estimated_and_takes_system_messages,
	  the_first_count_is_believed_and_later_ones_move_it_a_fifth,
	  what_is_small_or_out_of_proportion_changes_nothing, the_oldest_of_many_models_makes_room,
	  a_name_too_long_to_be_one_is_not_kept)
