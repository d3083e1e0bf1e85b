#include "proxy/background/key_ring.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* How many keys there is room for among users who share a set: as many as key_ring.c says. */
enum { PLACES = 4 };

/* Users whose hashes name the same set. */
static struct user_key neighbour(unsigned number)
{
	return (struct user_key){{7, 7, (unsigned char)number}};
}

static void put(struct key_ring *ring, unsigned number)
{
	char key[16];
	(void)snprintf(key, sizeof(key), "Bearer %u", number);
	ck_assert(key_ring_put(ring, neighbour(number), slice_of(key)));
}

static bool has(struct key_ring *ring, unsigned number)
{
	struct arena arena = {0};
	bool found = key_ring_get(ring, neighbour(number), &arena).size > 0;
	arena_finish(&arena);
	return found;
}

START_TEST(the_longest_unused_key_goes_first)
{
	struct key_ring *ring = key_ring_create();
	for (unsigned i = 0; i < PLACES; i++)
		put(ring, i);
	put(ring, PLACES); /* in the place of 0 */
	for (unsigned i = 1; i <= PLACES; i++)
		ck_assert(has(ring, i));
	ck_assert(!has(ring, 0));
	/* Being asked for, or sent again, is use. */
	ck_assert(has(ring, 1));
	ck_assert(!key_ring_put(ring, neighbour(2), SLICE("Bearer 2")));
	put(ring, 9);
	ck_assert(!has(ring, 3));
	ck_assert(has(ring, 1));
	ck_assert(has(ring, 2));
	ck_assert(has(ring, 4));
	ck_assert(has(ring, 9));
	key_ring_destroy(ring);
}
END_TEST

START_TEST(a_user_has_the_newest_key_and_none_once_it_is_dropped)
{
	struct key_ring *ring = key_ring_create();
	struct arena arena = {0};
	ck_assert(key_ring_put(ring, neighbour(1), SLICE("Bearer old")));
	ck_assert(key_ring_put(ring, neighbour(1), SLICE("Bearer new")));
	ck_assert(!key_ring_put(ring, neighbour(1), SLICE("Bearer new")));
	ck_assert(!key_ring_put(ring, neighbour(2), (struct slice){0}));
	unit_assert_slice(key_ring_get(ring, neighbour(1), &arena), "Bearer new");
	key_ring_drop(ring, neighbour(1));
	ck_assert(!has(ring, 1));
	ck_assert(!has(ring, 2));
	key_ring_drop(ring, neighbour(1));
	arena_finish(&arena);
	key_ring_destroy(ring);
	key_ring_destroy(NULL);
}
END_TEST

UNIT_MAIN("key_ring", the_longest_unused_key_goes_first,
	  a_user_has_the_newest_key_and_none_once_it_is_dropped)
