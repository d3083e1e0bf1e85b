/* Keeps each user within [memory] user_limit: of those who take more the oldest turns are taken
 * out, as [retention] does it, until an eighth of the limit is free again. One loop's; retention's.
 */
#ifndef RECALLD_PROXY_LEARN_USER_LIMITS_H
#define RECALLD_PROXY_LEARN_USER_LIMITS_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "storage/store.h"

struct user_limits;

/* Begins to look, every two seconds and only while the store holds more than the least limit. */
struct user_limits *user_limits_create(struct store *store, struct loop *loop,
				       struct config *config);
void user_limits_configure(struct user_limits *limits, struct config *config);
/* Callbacks of the store that still come do nothing. */
void user_limits_stop(struct user_limits *limits);
/* After the store is closed. NULL is fine. */
void user_limits_destroy(struct user_limits *limits);

#endif
