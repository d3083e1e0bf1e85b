#include "proxy/unsettled.h"

/* A key is a hash: each of its bytes is as good as another. */
static atomic_uint *count_of(struct unsettled *unsettled, struct user_key user)
{
	unsigned slot = (unsigned)user.bytes[0] << 8 | user.bytes[1];
	return &unsettled->counts[slot % UNSETTLED_SLOTS];
}

void unsettled_add(struct unsettled *unsettled, struct user_key user)
{
	atomic_fetch_add(count_of(unsettled, user), 1);
}

void unsettled_remove(struct unsettled *unsettled, struct user_key user)
{
	atomic_fetch_sub(count_of(unsettled, user), 1);
}

bool unsettled_has(struct unsettled *unsettled, struct user_key user)
{
	return atomic_load(count_of(unsettled, user)) > 0;
}
