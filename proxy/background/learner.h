/* The learner: one thread that turns journalled exchanges into summaries and facts.
 *
 * It runs one job at a time per user, in the order of the exchanges, and at most [model]
 * concurrency over all users. Jobs are in the store; memory holds only a bounded list of users to
 * check, refilled by scanning, and the clients' keys. */
#ifndef RECALLD_PROXY_BACKGROUND_LEARNER_H
#define RECALLD_PROXY_BACKGROUND_LEARNER_H

#include "proxy/config/config.h"
#include "proxy/service/service.h"
#include "storage/store.h"

struct embedder;
struct learner;

struct learner *learner_start(struct service *service, struct config *config);
/* Cancels its calls (their jobs stay) and joins the thread. Callbacks of the store may still be
 * posted. */
void learner_stop(struct learner *learner);
/* Call after the store is closed. */
void learner_destroy(struct learner *learner);

/* The functions below are safe from any thread. */

void learner_configure(struct learner *learner, struct config *config);
/* This user has jobs, or there is a new reason to check them. `is_pressing`: they do not wait for
 * more exchanges. */
void learner_wake(struct learner *learner, struct user_key user, bool is_pressing);
/* Any user may have jobs. */
void learner_wake_all(struct learner *learner);
/* Offers the field with the key of a user's own request, as identity_key_field() returns it, for
 * jobs that have no other key; kept in memory only. */
void learner_offer_key(struct learner *learner, struct user_key user, struct slice key_field);
/* Forgets a user's key, because the user was forgotten. */
void learner_forget(struct learner *learner, struct user_key user);
/* The embedder on the learner's thread, which uses its keys. It lives as long as the learner. */
struct embedder *learner_embedder(struct learner *learner);

/* The model that a tenant's newest exchange named, for imported turns, which name none. In memory
 * only, for a bounded number of tenants. One tenant's model never reaches another tenant, whose key
 * would be used to ask for it. */

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
