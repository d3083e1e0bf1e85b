#include "proxy/learn/learner_models.h"

#include <string.h>

static struct user_key hash_of(struct slice tenant)
{
	return store_user_key(tenant, (struct slice){0});
}

void learner_models_note(struct learner_models *models, struct slice tenant, struct slice model)
{
	const struct user_key hash = hash_of(tenant);
	struct learner_model *place = &models->places[user_hash(hash) % LEARNER_TENANTS];
	if (model.size == 0 || model.size > sizeof(place->name))
		return;
	place->tenant = hash;
	place->size = model.size;
	memcpy(place->name, model.data, model.size);
}

struct slice learner_models_find(const struct learner_models *models, struct slice tenant)
{
	const struct user_key hash = hash_of(tenant);
	const struct learner_model *place = &models->places[user_hash(hash) % LEARNER_TENANTS];
	if (!user_equal(place->tenant, hash))
		return (struct slice){0};
	return (struct slice){place->name, place->size};
}

/* A server other than api.openai.com may not have gpt-4o-mini, but it has the chat's model. */
struct slice learner_models_name(struct learner_models *models, const struct config *config,
				 struct slice tenant, struct slice of_chat)
{
	const char *base = config_model_base_url(config);
	if (config->model.name[0] != '\0')
		return slice_of(config->model.name);
	if (strstr(base, "://api.openai.com") == NULL) {
		learner_models_note(models, tenant, of_chat);
		struct slice model =
			of_chat.size > 0 ? of_chat : learner_models_find(models, tenant);
		if (model.size > 0)
			return model;
	}
	return SLICE("gpt-4o-mini");
}
