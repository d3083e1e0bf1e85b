#include "proxy/upstream/model_traits.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void assert_rate(struct models *models, double expected)
{
	ck_assert_double_eq_tol(models_token_rate(models, SLICE("m")), expected, 1e-9);
}

START_TEST(an_unknown_model_counts_as_estimated_and_takes_system_messages)
{
	struct models *models = models_create();
	assert_rate(models, 1);
	ck_assert(!models_refuses_system(models, SLICE("m")));
	models_destroy(models);
}
END_TEST

START_TEST(the_first_count_is_believed_and_later_ones_move_it_a_fifth)
{
	struct models *models = models_create();
	models_note_tokens(models, SLICE("m"), 1000, 1500);
	assert_rate(models, 1.5);
	models_note_tokens(models, SLICE("m"), 1000, 1000);
	assert_rate(models, 1.4);
	ck_assert_double_eq_tol(models_token_rate(models, SLICE("other")), 1, 1e-9);
	models_destroy(models);
}
END_TEST

START_TEST(what_is_small_or_out_of_proportion_changes_nothing)
{
	struct models *models = models_create();
	models_note_tokens(models, SLICE("m"), 10, 15);
	models_note_tokens(models, SLICE("m"), 1000, 100000);
	models_note_tokens(models, SLICE("m"), 1000, 1);
	models_note_tokens(models, SLICE("m"), 0, 100);
	models_note_tokens(models, SLICE("m"), 1000, -1);
	assert_rate(models, 1);
	models_destroy(models);
}
END_TEST

START_TEST(the_oldest_of_many_models_makes_room)
{
	struct models *models = models_create();
	models_note_system_refused(models, SLICE("m"));
	for (int i = 0; i < 64; i++) {
		char name[16];
		int size = snprintf(name, sizeof(name), "model-%d", i);
		models_note_system_refused(models, (struct slice){name, (size_t)size});
	}
	ck_assert(!models_refuses_system(models, SLICE("m")));
	ck_assert(models_refuses_system(models, SLICE("model-63")));
	models_destroy(models);
}
END_TEST

START_TEST(a_name_too_long_to_be_one_is_not_kept)
{
	struct models *models = models_create();
	static char name[4096];
	memset(name, 'x', sizeof(name));
	struct slice slice = {name, sizeof(name)};
	models_note_system_refused(models, slice);
	models_note_tokens(models, slice, 1000, 1500);
	ck_assert(!models_refuses_system(models, slice));
	ck_assert_double_eq_tol(models_token_rate(models, slice), 1, 1e-9);
	models_destroy(models);
}
END_TEST

UNIT_MAIN("models", an_unknown_model_counts_as_estimated_and_takes_system_messages,
	  the_first_count_is_believed_and_later_ones_move_it_a_fifth,
	  what_is_small_or_out_of_proportion_changes_nothing, the_oldest_of_many_models_makes_room,
	  a_name_too_long_to_be_one_is_not_kept)
