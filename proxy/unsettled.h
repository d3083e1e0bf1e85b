/* Users whose exchanges are on their way to the disk while no reply waits for them: [memory]
 * durability is relaxed, or the client left. A request that follows at once, as in a loop of tool
 * calls, would not find what the request before it was given. Any thread may call. */
#ifndef RECALLD_PROXY_UNSETTLED_H
#define RECALLD_PROXY_UNSETTLED_H

#include "storage/store.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { UNSETTLED_SLOTS = 4096 };

/* Users may share a slot: one of them then waits in vain, and not for long. All zero at first. */
struct unsettled {
	atomic_uint counts[UNSETTLED_SLOTS];
};

/* One more exchange of the user's is on its way. */
void unsettled_add(struct unsettled *unsettled, struct user_key user);
/* One is on disk, or failed. */
void unsettled_remove(struct unsettled *unsettled, struct user_key user);
bool unsettled_has(struct unsettled *unsettled, struct user_key user);

#endif
