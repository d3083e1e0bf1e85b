/* Finds turns, conversations and facts in a memory that is taken in. */
#ifndef RECALLD_STORAGE_DUMP_PLACES_H
#define RECALLD_STORAGE_DUMP_PLACES_H

#include "storage/portable.h"

/* The index of the first conversation with that id or a greater one. */
size_t place_of_conversation(const struct portable_memory *from, uint32_t id);
/* The index of the turn; the number of turns if it has none. */
size_t place_of_turn(const struct portable_memory *from, uint64_t id);

/* Where the turn is that an earlier part had; 0: none had it. */
uint64_t place_before(const struct portable_memory *from, uint64_t id);

struct place {
	uint64_t number; /* by which it is found */
	size_t place;
};

struct places {
	struct place *list; /* by ascending number, then text, then place */
	size_t count;
	size_t *first; /* by place: the first place of those that are known again as one */
};

/* By which a memory's parts are found. */
struct portable_index {
	struct places turns, facts, fact_ids;
};

/* The first place of what is known again as this turn or fact; the list's length if there is none.
 * Takes logarithmic time, however many are alike. */
size_t places_find_turn(const struct places *places, const struct turn *turn, struct slice session);
size_t places_find_fact(const struct places *places, const struct fact *fact);
/* The place of the fact with that id. */
size_t places_find_id(const struct places *places, uint64_t id);

#endif
