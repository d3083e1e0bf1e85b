/* Decides which names of keys and entities are acceptable, which keys mean the same, and whom an
 * entity means. */
#ifndef RECALLD_CORE_LEARN_NAMES_H
#define RECALLD_CORE_LEARN_NAMES_H

#include "core/learn/entry.h"
#include "core/learn/said.h"

/* Whether a key or an entity is a name of a few words, and not an instruction to its reader. */
bool learn_is_name(struct slice name);

/* Whether it is what small models file when there is nothing to file: "Egg: food: egg", "date:
 * 2026-11-21" of the user, "person: gift: tea", "how: convert", "allergies: allergies: tea", a
 * value that is written like a key. */
bool learn_says_nothing(const struct said *said, const struct learn_entry *entry,
			struct arena *arena);

/* Whether a key is about one person alone (a job, a city), so that statements about others must not
 * be filed under it. Keys of relations ("sister", "manager") are not. */
bool learn_is_personal_key(struct slice key, struct arena *arena);

/* Files the entries under those whom their quotes are about (core/learn/filing.c): the user, where
 * an entity has the user's own name ("I'm Priya"), or is a place, a job or a word of what the user
 * says of themselves; or by name who is called "boss" or "daughter". */
void learn_settle_self(const struct learn_turn *turn, const struct said *said,
		       struct learn_entries *entries, struct arena *arena);

/* False: the entry gives the user a name that the turn gives to something of theirs ("my cat is
 * called Tom"), or "boss" as a name. */
bool learn_is_own_name(const struct said *said, const struct learn_entry *entry,
		       struct arena *arena);

/* Whether the turn, or what is known or was said before it, names the entity: small models make
 * names up, or write "person". */
bool learn_is_named(const struct learn_turn *turn, const struct said *said,
		    const struct learn_entry *entry, struct arena *arena);

#endif
