#include "proxy/background/key_ring.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The user's hash names a set, and the user's key is in one of its few places. The table does not
 * grow: it forgets the key that was unused longest, which bounds its memory. */
enum { SETS = 4096, PLACES = 4, KEY_MAX = 4096 };

struct place {
	struct user_key user;
	char *key_field; /* NULL: free */
	uint64_t used;
};

struct key_ring {
	pthread_mutex_t lock;
	uint64_t clock; /* counts uses */
	struct place sets[SETS][PLACES];
};

struct key_ring *key_ring_create(void)
{
	struct key_ring *ring = xcalloc(1, sizeof(*ring));
	pthread_mutex_init(&ring->lock, NULL);
	return ring;
}

static void clear(struct place *place)
{
	if (place->key_field != NULL)
		OPENSSL_clear_free(place->key_field, strlen(place->key_field));
	place->key_field = NULL;
}

void key_ring_destroy(struct key_ring *ring)
{
	if (ring == NULL)
		return;
	for (size_t set = 0; set < SETS; set++) {
		for (size_t i = 0; i < PLACES; i++)
			clear(&ring->sets[set][i]);
	}
	pthread_mutex_destroy(&ring->lock);
	free(ring);
}

static struct place *set_of(struct key_ring *ring, struct user_key user)
{
	return ring->sets[user_hash(user) % SETS];
}

static struct place *find(struct key_ring *ring, struct user_key user)
{
	struct place *set = set_of(ring, user);
	for (size_t i = 0; i < PLACES; i++) {
		if (set[i].key_field != NULL && user_equal(set[i].user, user))
			return &set[i];
	}
	return NULL;
}

static struct place *longest_unused(struct key_ring *ring, struct user_key user)
{
	struct place *set = set_of(ring, user);
	struct place *oldest = &set[0];
	for (size_t i = 0; i < PLACES; i++) {
		if (set[i].key_field == NULL)
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	return oldest;
}

static char *secret_copy(struct slice text)
{
	char *copy = OPENSSL_zalloc(text.size + 1);
	if (copy != NULL)
		memcpy(copy, text.data, text.size);
	return copy;
}

bool key_ring_put(struct key_ring *ring, struct user_key user, struct slice key_field)
{
	if (key_field.size == 0 || key_field.size > KEY_MAX)
		return false;
	pthread_mutex_lock(&ring->lock);
	struct place *place = find(ring, user);
	bool is_new = place == NULL || !slice_equal(slice_of(place->key_field), key_field);
	if (place == NULL)
		place = longest_unused(ring, user);
	if (is_new) {
		clear(place);
		place->key_field = secret_copy(key_field);
		place->user = user;
	}
	place->used = ++ring->clock;
	pthread_mutex_unlock(&ring->lock);
	return is_new;
}

struct slice key_ring_get(struct key_ring *ring, struct user_key user, struct arena *arena)
{
	struct slice key = {0};
	pthread_mutex_lock(&ring->lock);
	struct place *place = find(ring, user);
	if (place != NULL) {
		place->used = ++ring->clock;
		key = arena_copy(arena, slice_of(place->key_field));
	}
	pthread_mutex_unlock(&ring->lock);
	return key;
}

void key_ring_drop(struct key_ring *ring, struct user_key user)
{
	pthread_mutex_lock(&ring->lock);
	struct place *place = find(ring, user);
	if (place != NULL)
		clear(place);
	pthread_mutex_unlock(&ring->lock);
}
