#include "proxy/learn/learner_models.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_tenants_model_is_its_own)
{
	struct learner_models model_traits = {0};
	ck_assert_uint_eq(learner_models_find(&model_traits, SLICE("shared")).size, 0);
	learner_models_note(&model_traits, SLICE("one"), SLICE("gpt-old"));
	learner_models_note(&model_traits, SLICE("one"), SLICE("gpt-4.1"));
	learner_models_note(&model_traits, SLICE("one"), (struct slice){0});
	unit_assert_slice(learner_models_find(&model_traits, SLICE("one")), "gpt-4.1");
	ck_assert_uint_eq(learner_models_find(&model_traits, SLICE("two")).size, 0);
}
END_TEST

START_TEST(of_many_tenants_none_is_given_anothers_model)
{
	struct learner_models model_traits = {0};
	char tenant[16];
	for (unsigned i = 0; i < 10 * LEARNER_TENANTS; i++) {
		(void)snprintf(tenant, sizeof(tenant), "tenant %u", i);
		learner_models_note(&model_traits, slice_of(tenant), slice_of(tenant));
		unit_assert_slice(learner_models_find(&model_traits, slice_of(tenant)), tenant);
	}
	for (unsigned i = 0; i < 10 * LEARNER_TENANTS; i++) {
		(void)snprintf(tenant, sizeof(tenant), "tenant %u", i);
		struct slice found = learner_models_find(&model_traits, slice_of(tenant));
		ck_assert(found.size == 0 || slice_equal(found, slice_of(tenant)));
	}
}
END_TEST

START_TEST(a_name_too_long_to_keep_leaves_the_one_before)
{
	struct learner_models model_traits = {0};
	char longest[LEARNER_MODEL_SIZE + 1];
	memset(longest, 'm', sizeof(longest));
	learner_models_note(&model_traits, SLICE("one"), SLICE("gpt"));
	learner_models_note(&model_traits, SLICE("one"), (struct slice){longest, sizeof(longest)});
	unit_assert_slice(learner_models_find(&model_traits, SLICE("one")), "gpt");
	learner_models_note(&model_traits, SLICE("one"),
			    (struct slice){longest, sizeof(longest) - 1});
	ck_assert_uint_eq(learner_models_find(&model_traits, SLICE("one")).size,
			  LEARNER_MODEL_SIZE);
}
END_TEST

UNIT_MAIN("learner_models", a_tenants_model_is_its_own,
	  of_many_tenants_none_is_given_anothers_model,
	  a_name_too_long_to_keep_leaves_the_one_before)
