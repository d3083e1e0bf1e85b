#include "proxy/background/learner.h"
#include "tests/unit/config_reading.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_tenants_model_is_its_own)
{
	struct learner_models models = {0};
	ck_assert_uint_eq(learner_models_find(&models, SLICE("shared")).size, 0);
	learner_models_note(&models, SLICE("one"), SLICE("gpt-old"));
	learner_models_note(&models, SLICE("one"), SLICE("gpt-4.1"));
	learner_models_note(&models, SLICE("one"), (struct slice){0});
	unit_assert_slice(learner_models_find(&models, SLICE("one")), "gpt-4.1");
	ck_assert_uint_eq(learner_models_find(&models, SLICE("two")).size, 0);
}
END_TEST

START_TEST(of_many_tenants_none_is_given_anothers_model)
{
	struct learner_models models = {0};
	char tenant[16];
	for (unsigned i = 0; i < 10 * LEARNER_TENANTS; i++) {
		(void)snprintf(tenant, sizeof(tenant), "tenant %u", i);
		learner_models_note(&models, slice_of(tenant), slice_of(tenant));
		unit_assert_slice(learner_models_find(&models, slice_of(tenant)), tenant);
	}
	for (unsigned i = 0; i < 10 * LEARNER_TENANTS; i++) {
		(void)snprintf(tenant, sizeof(tenant), "tenant %u", i);
		struct slice found = learner_models_find(&models, slice_of(tenant));
		ck_assert(found.size == 0 || slice_equal(found, slice_of(tenant)));
	}
}
END_TEST

START_TEST(a_name_too_long_to_keep_leaves_the_one_before)
{
	struct learner_models models = {0};
	char longest[LEARNER_MODEL_SIZE + 1];
	memset(longest, 'm', sizeof(longest));
	learner_models_note(&models, SLICE("one"), SLICE("gpt"));
	learner_models_note(&models, SLICE("one"), (struct slice){longest, sizeof(longest)});
	unit_assert_slice(learner_models_find(&models, SLICE("one")), "gpt");
	learner_models_note(&models, SLICE("one"), (struct slice){longest, sizeof(longest) - 1});
	ck_assert_uint_eq(learner_models_find(&models, SLICE("one")).size, LEARNER_MODEL_SIZE);
}
END_TEST

START_TEST(the_name_is_the_settings_else_the_chats_else_the_tenants_newest)
{
	struct learner_models models = {0};
	struct config *config = read_good("[upstream]\nbase_url = http://127.0.0.1:9/v1\n");
	const struct slice one = SLICE("one"), none = {0};
	unit_assert_slice(learner_models_name(&models, config, one, none), "gpt-4o-mini");
	unit_assert_slice(learner_models_name(&models, config, one, SLICE("llama")), "llama");
	unit_assert_slice(learner_models_name(&models, config, one, none), "llama");
	unit_assert_slice(learner_models_name(&models, config, SLICE("two"), none), "gpt-4o-mini");
	config_release(config);
	config = read_good("[upstream]\nbase_url = https://api.openai.com/v1\n");
	unit_assert_slice(learner_models_name(&models, config, one, SLICE("gpt-5")), "gpt-4o-mini");
	config_release(config);
	config = read_good("[upstream]\nbase_url = http://127.0.0.1:9/v1\n"
			   "[model]\nname = small\n");
	unit_assert_slice(learner_models_name(&models, config, one, SLICE("llama")), "small");
	config_release(config);
}
END_TEST

UNIT_MAIN("learner_models", the_name_is_the_settings_else_the_chats_else_the_tenants_newest,
	  a_tenants_model_is_its_own, of_many_tenants_none_is_given_anothers_model,
	  a_name_too_long_to_keep_leaves_the_one_before)
