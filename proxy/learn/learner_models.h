/* The model that a tenant's newest exchange named, for imported turns, which name none. In memory
 * only, of a bounded number of tenants. What one tenant calls never reaches another: it would be
 * asked for with the other's key. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_MODELS_H
#define RECALLD_PROXY_LEARN_LEARNER_MODELS_H

#include "proxy/config/config.h"
#include "storage/store.h"

enum { LEARNER_TENANTS = 64, LEARNER_MODEL_SIZE = 128 };

/* All zeroes: none is known. */
struct learner_models {
	struct learner_model {
		struct user_key tenant;
		size_t size; /* 0: free */
		char name[LEARNER_MODEL_SIZE];
	} places[LEARNER_TENANTS]; /* by the tenant's hash; the newest tenant has the place */
};

/* A name that is too long is not kept. */
void learner_models_note(struct learner_models *models, struct slice tenant, struct slice model);
/* Empty: none is known. It stands until the next note. */
struct slice learner_models_find(const struct learner_models *models, struct slice tenant);
/* The name to ask the memory model for, for a turn whose chat named the model `of_chat`, or none.
 * It stands until the next call. */
struct slice learner_models_name(struct learner_models *models, const struct config *config,
				 struct slice tenant, struct slice of_chat);

#endif
