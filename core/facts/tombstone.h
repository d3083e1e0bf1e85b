/* Values that were corrected away, or are never to come back: learning, late jobs and imports do
 * not bring them back. A tombstone holds no text of the value, only a hash of it. */
#ifndef RECALLD_CORE_FACTS_TOMBSTONE_H
#define RECALLD_CORE_FACTS_TOMBSTONE_H

#include "core/memory/memory.h"

/* The hash of a value, with the user's salt: the same value of two users has two hashes. */
uint64_t tombstone_hash(struct slice salt, struct slice value, struct arena *arena);
/* One hash for all spellings of a value, with and without hyphens, apostrophes, brackets and
 * points, and for a telephone number by its digits ("0049" is "+49"). No value has it as its
 * tombstone_hash(). */
uint64_t tombstone_loose_hash(struct slice salt, struct slice value, struct arena *arena);
/* The hash of what the value was of. */
uint64_t tombstone_subject(struct slice salt, struct slice entity, struct slice key,
			   struct arena *arena);

/* Appends a folded value without what its spellings differ in. */
void spelling_append_loose(struct buffer *out, struct slice folded);
/* Whether a folded value is a telephone number, whose groups mean nothing. */
bool spelling_is_phone(struct slice folded);

/* The tombstone of a fact's value. `never_again`: under every key, if the value tells enough by
 * itself: "yes" does not. That and a telephone number it has in all spellings; otherwise in the
 * fact's alone, since what is corrected may be the spelling. */
struct tombstone tombstone_of(const struct fact *fact, bool never_again, int64_t at,
			      struct slice salt, struct arena *arena);

/* Puts those of the hidden facts in, too: their values are learned by none until they are restored,
 * or said again later. The list then lies in the arena. */
void tombstones_add_hidden(struct tombstones *tombstones, const struct fact *facts, size_t count,
			   struct arena *arena);

/* The tombstone that keeps the fact away; NULL: none does. One does if the fact has its entity and
 * - its value under its key (see fact_key()), or
 * - its value under any key, if the tombstone is for every key or the fact was observed before it,
 * - its value among other words, if the tombstone is for every key or the fact is a note.
 * in whatever letters, behind articles and prepositions, and in front of more about it: "in Rome,
 * Italy". A value that does not tell enough counts as a whole only, and under its key. */
const struct tombstone *tombstones_find(const struct tombstones *tombstones,
					const struct fact *fact, struct arena *arena);

/* Whether the tombstone, which has the fact's value, goes when a person lets the fact stand. */
bool tombstone_is_lifted(const struct tombstone *tombstone, const struct fact *fact,
			 struct arena *arena);

#endif
