/* The clients' own keys for learning: the field with the key of each user's newest request, as
 * identity_key_field() returns it. A bounded number, in memory only; the one unused longest goes
 * first. Safe from any thread. */
#ifndef RECALLD_PROXY_BACKGROUND_KEY_RING_H
#define RECALLD_PROXY_BACKGROUND_KEY_RING_H

#include "storage/store.h"

struct key_ring;

struct key_ring *key_ring_create(void);
void key_ring_destroy(struct key_ring *ring); /* wipes the keys */

/* True: the user had no key, or another one, before. */
bool key_ring_put(struct key_ring *ring, struct user_key user, struct slice key_field);
/* A copy in the arena; empty if there is none. */
struct slice key_ring_get(struct key_ring *ring, struct user_key user, struct arena *arena);
void key_ring_drop(struct key_ring *ring, struct user_key user);

#endif
