/* Keeps each user within [memory] user_limit: deletes the oldest turns of users who exceed it, like
 * [retention], until an eighth of the limit is free again. Runs on retention's loop. */
#ifndef RECALLD_PROXY_BACKGROUND_USER_LIMITS_H
#define RECALLD_PROXY_BACKGROUND_USER_LIMITS_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "storage/store.h"

struct user_limits;

/* Starts checking, every two seconds, but only while the store holds more than the smallest
 * limit. */
struct user_limits *user_limits_create(struct store *store, struct loop *loop,
				       struct config *config);
void user_limits_configure(struct user_limits *limits, struct config *config);
/* Later callbacks of the store do nothing. */
void user_limits_stop(struct user_limits *limits);
/* Call after the store is closed. NULL is fine. */
void user_limits_destroy(struct user_limits *limits);

#endif
