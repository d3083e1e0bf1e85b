/* The clients' own keys for learning: the field with the key of each user's newest request, as
 * identity_key_field() gives it, in memory only, a bounded number of them, the longest unused going
 * first. From any thread. */
#ifndef RECALLD_PROXY_LEARN_KEY_RING_H
#define RECALLD_PROXY_LEARN_KEY_RING_H

#include "storage/store.h"

struct key_ring;

struct key_ring *key_ring_create(void);
void key_ring_destroy(struct key_ring *ring); /* wipes the keys */

/* True when the user had no key, or another one, before. */
bool key_ring_put(struct key_ring *ring, struct user_key user, struct slice key_field);
/* A copy in the arena; empty when there is none. */
struct slice key_ring_get(struct key_ring *ring, struct user_key user, struct arena *arena);
void key_ring_drop(struct key_ring *ring, struct user_key user);

#endif
