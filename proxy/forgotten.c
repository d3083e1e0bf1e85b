#include "proxy/forgotten.h"

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
