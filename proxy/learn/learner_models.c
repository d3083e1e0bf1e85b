#include "proxy/learn/learner_models.h"

#include <string.h>

static struct user_key hash_of(struct slice tenant)
{
	return store_user_key(tenant, (struct slice){0});
}

void learner_models_note(struct learner_models *model_traits, struct slice tenant,
			 struct slice model)
{
	const struct user_key hash = hash_of(tenant);
	struct learner_model *place = &model_traits->places[user_hash(hash) % LEARNER_TENANTS];
	if (model.size == 0 || model.size > sizeof(place->name))
		return;
	place->tenant = hash;
	place->size = model.size;
	memcpy(place->name, model.data, model.size);
}

struct slice learner_models_find(const struct learner_models *model_traits, struct slice tenant)
{
	const struct user_key hash = hash_of(tenant);
	const struct learner_model *place =
		&model_traits->places[user_hash(hash) % LEARNER_TENANTS];
	if (!user_equal(place->tenant, hash))
		return (struct slice){0};
	return (struct slice){place->name, place->size};
}
