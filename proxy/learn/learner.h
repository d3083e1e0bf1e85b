/* The learner: one thread that turns journalled exchanges into summaries and facts.
 *
 * It runs one job at a time per user, in the order of the exchanges, and at most [model]
 * concurrency over all users. Jobs are in the store; memory holds only a bounded list of users to
 * check, refilled by scanning, and the clients' keys. */
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

#endif
