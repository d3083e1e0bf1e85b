/* The learner: one thread that turns journalled exchanges into summaries and facts.
 *
 * Per user one job at a time and in the order of the exchanges, over all users at most
 * [model] concurrency. Jobs lie in the store; in memory there is only a bounded list of users to
 * look at, refilled by scanning, and the clients' keys. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_H
#define RECALLD_PROXY_LEARN_LEARNER_H

#include "proxy/config/config.h"
#include "proxy/service.h"
#include "storage/store.h"

struct embedder;
struct learner;

struct learner *learner_start(struct service *service, struct config *config);
/* Cancels its calls (their jobs stay) and joins the thread. Callbacks of the store may still be
 * posted. */
void learner_stop(struct learner *learner);
/* After the store is closed. */
void learner_destroy(struct learner *learner);

/* The rest from any thread. */

void learner_configure(struct learner *learner, struct config *config);
/* This user has jobs, or a new reason to look at them. */
void learner_wake(struct learner *learner, struct user_key user);
/* Anybody may. */
void learner_wake_all(struct learner *learner);
/* The field with the key of a user's own request, as identity_key_field() gives it, for jobs that
 * have no other key; kept in memory only. */
void learner_offer_key(struct learner *learner, struct user_key user, struct slice key_field);
/* A user is forgotten: so is the key. */
void learner_forget(struct learner *learner, struct user_key user);
/* Who gives turns their vectors, on the learner's thread and with its keys. It lives as long. */
struct embedder *learner_embedder(struct learner *learner);

#endif
