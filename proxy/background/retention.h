/* Retention: one thread that deletes expired data from the store ([retention]).
 *
 * It checks all users, a few at a time, when the daemon starts, when the configuration is read
 * again, and then as often as the configured times require. Searching a long memory takes a while,
 * so it has its own thread and loop. */
#ifndef RECALLD_PROXY_BACKGROUND_RETENTION_H
#define RECALLD_PROXY_BACKGROUND_RETENTION_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "storage/store.h"

struct retention;

/* NULL: the thread could not be started. */
struct retention *retention_start(struct store *store, struct config *config);
/* Safe from any thread. */
void retention_configure(struct retention *retention, struct config *config);
/* Joins the thread. Callbacks of the store may still be posted. */
void retention_stop(struct retention *retention);
/* Call after the store is closed. NULL is fine. */
void retention_destroy(struct retention *retention);

/* Milliseconds between two passes over all users: an hour at most, since users have wishes of their
 * own. */
int64_t retention_period(const struct config *config);

/* ---- user_limits.c ---- */

/* Keeps each user within [memory] user_limit: deletes the oldest turns of users who exceed it, like
 * [retention], until an eighth of the limit is free again. Runs on retention's loop. */

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
