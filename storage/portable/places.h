/* Finds turns, conversations and facts in a memory that is taken in. */
#ifndef RECALLD_STORAGE_PORTABLE_PLACES_H
#define RECALLD_STORAGE_PORTABLE_PLACES_H

#include "storage/portable.h"

/* The index of the first conversation with that id or a greater one. */
size_t place_of_conversation(const struct portable_memory *from, uint32_t id);
/* The index of the turn; the number of turns if it has none. */
size_t place_of_turn(const struct portable_memory *from, uint64_t id);

struct place {
	uint64_t number; /* by which it is found */
	size_t place;
};

struct places {
	struct place *list; /* by ascending number, then place */
	size_t count;
};

/* Digests by which a turn or a fact is known again. */
uint64_t places_turn_digest(const struct turn *turn, struct slice session);
uint64_t places_fact_digest(const struct fact *fact);

/* The memory's turns and facts by their digests, and its facts by their ids. */
struct places places_of_turns(const struct portable_memory *from, struct arena *arena);
struct places places_of_facts(const struct portable_memory *from, struct arena *arena);
struct places places_of_fact_ids(const struct portable_memory *from, struct arena *arena);

/* The index of the first entry with that number; the list's length if there is none. */
size_t places_find(const struct places *places, uint64_t number);

#endif
