#include "proxy/service/service.h"

/* ---- users whose exchanges are on their way ---- */

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

/* ---- what was forgotten ---- */

static struct forgotten_count *slot_of(struct forgotten *forgotten, struct user_key user)
{
	return &forgotten->counts[user_hash(user) % FORGOTTEN_SLOTS];
}

void forgotten_add(struct forgotten *forgotten, struct user_key user, unsigned count)
{
	if (count == 0)
		return;
	pthread_mutex_lock(&forgotten->lock);
	struct forgotten_count *slot = slot_of(forgotten, user);
	slot->count = user_equal(slot->user, user) ? slot->count + count : count;
	slot->user = user;
	pthread_mutex_unlock(&forgotten->lock);
}

unsigned forgotten_take(struct forgotten *forgotten, struct user_key user)
{
	unsigned count = 0;
	pthread_mutex_lock(&forgotten->lock);
	struct forgotten_count *slot = slot_of(forgotten, user);
	if (user_equal(slot->user, user)) {
		count = slot->count;
		slot->count = 0;
	}
	pthread_mutex_unlock(&forgotten->lock);
	return count;
}
