/* A memory being taken in: its steps, in slices. */
#ifndef RECALLD_STORAGE_DUMP_TAKING_H
#define RECALLD_STORAGE_DUMP_TAKING_H

#include "storage/portable.h"
#include "storage/user/memory.h"

/* One entry for each element of the memory. A slice that is undone and run again writes the same
 * entries again, and reads none that it wrote itself beyond where it begins. */
struct taking_ids {
	uint64_t *known_turns; /* the turn that is there already; 0: none */
	uint32_t *known_in;    /* its conversation */
	bool *known_erased;    /* its text is gone */
	uint64_t *turns;       /* the new turn's id */
	bool *new_turns;
	uint32_t *known_conversations;
	uint32_t *conversations;
	size_t *first_new;     /* of a conversation: one more than its first new turn; 0: none */
	uint32_t *ordinals_by; /* what its turns' ordinals grow by */
	uint64_t *known_facts;
	uint64_t *facts; /* the new fact's number among the new ones */
	bool *new_facts;
};

enum taking_step {
	TAKING_MATCH_TURNS,
	TAKING_MATCH_FACTS,
	TAKING_CHOOSE_TURNS,
	TAKING_CHOOSE_FACTS,
	TAKING_OPEN,
	TAKING_ADD_TURNS,
	TAKING_ADD_FACTS,
	TAKING_SETTLE_FACTS,
	TAKING_CLOSE,
	TAKING_STEPS,
};

/* How far the import is. */
struct taking_place {
	enum taking_step step;
	uint64_t next; /* of the step: a place, or where a scan goes on */
	size_t added;  /* turns before this place have their ids */
	uint64_t new_facts;
	uint64_t first_fact; /* the id of the first of them */
	bool marked;         /* as a user being forgotten */
	struct take_in_count count;
};

/* One slice. */
struct taking {
	struct memory memory;
	const struct portable_memory *from;
	const struct taking_ids *ids;
	struct taking_place *at;
	struct stored_user user;
	struct tombstones tombstones; /* read by the step that needs them */
	uint32_t conversation_id;     /* that was matched last; 0: none */
	struct past_conversation conversation;
	bool is_new_user;   /* nothing of the user was there before the first slice */
	bool is_user_newer; /* `user` has changed since it was read */
	bool may_learn;     /* the settings that come along allow it */
	bool takes_summary;
	size_t uncovered; /* turns that a summary has to cover */
	int64_t now;
};

/* Each does a part of its step and is true if it is over. */
typedef bool taking_step_run(struct taking *taking);
taking_step_run taking_match_turns, taking_match_facts, taking_choose_turns, taking_choose_facts;
taking_step_run taking_open, taking_add_turns, taking_add_facts, taking_settle_facts, taking_close;

/* Takes steps from the slice's. */
void taking_spend(struct taking *taking, size_t steps);
/* Does something with each of `count` elements, from the step's next one on, while there are steps,
 * of which it returns those that it took. True: it has done them all. */
typedef size_t taking_one(struct taking *taking, size_t place);
bool taking_each(struct taking *taking, size_t count, taking_one *one);

/* ---- places ---- */

/* Finds turns, conversations and facts in a memory that is taken in. */

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
