/* What the words around a name tell of what it names. */
#ifndef RECALLD_CORE_LEARN_NAMED_H
#define RECALLD_CORE_LEARN_NAMED_H

#include "core/learn/said.h"

/* Whether the text calls it a project or the like: "für das Projekt Regentonne". */
bool named_as_project(const struct said *said, struct slice name, struct arena *arena);

/* Whether it is no person in the quote: behind an article or a preposition other than "with" ("in
 * Sheffield", "a tram"). */
bool named_as_thing(const struct said *said, struct slice quote, struct slice name,
		    struct arena *arena);

/* Whether a clause of which the user is the subject says that they are or do something there: "we
 * build a house in Jena". */
bool named_as_place(const struct said *said, struct slice name, struct arena *arena);

#endif
