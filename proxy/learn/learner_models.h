/* The model that a tenant's newest exchange named, for imported turns, which name none. In memory
 * only, for a bounded number of tenants. One tenant's model never reaches another tenant, whose key
 * would be used to ask for it. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_MODELS_H
#define RECALLD_PROXY_LEARN_LEARNER_MODELS_H

#include "proxy/config/config.h"
#include "storage/store.h"

enum { LEARNER_TENANTS = 64, LEARNER_MODEL_SIZE = 128 };

/* Zero-initialize it: no model is known. */
struct learner_models {
	struct learner_model {
		struct user_key tenant;
		size_t size; /* 0: free */
		char name[LEARNER_MODEL_SIZE];
	} places[LEARNER_TENANTS]; /* by the tenant's hash; the newest tenant takes the place */
};

/* Ignores a name that is too long. */
void learner_models_note(struct learner_models *models, struct slice tenant, struct slice model);
/* Empty: unknown. Valid until the next note. */
struct slice learner_models_find(const struct learner_models *models, struct slice tenant);
/* The model name to send to the memory model for a turn whose chat named the model `of_chat` (may
 * be empty). Valid until the next call. */
struct slice learner_models_name(struct learner_models *models, const struct config *config,
				 struct slice tenant, struct slice of_chat);

#endif
