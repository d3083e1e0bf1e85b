/* Names: which keys and entities are acceptable, and which keys mean the same. */
#ifndef RECALLD_CORE_LEARN_NAMES_H
#define RECALLD_CORE_LEARN_NAMES_H

#include "core/base/bytes.h"

/* Whether a key or an entity is a name of a few words, and not an instruction to its reader. */
bool learn_is_name(struct slice name);

/* The common name of a key and its synonyms ("homecity", "wohnort": "city"); the key itself if none
 * is known. Keys must be folded and bare. */
struct slice learn_common_key(struct slice bare, struct arena *arena);
/* All names of a common key, separated by spaces; empty if none are known. */
struct slice learn_names_of_key(struct slice common);

/* Whether a key is about one person alone (a job, a city), so that statements about others must not
 * be filed under it. Keys of relations ("sister", "manager") are not. */
bool learn_is_personal_key(struct slice key, struct arena *arena);

#endif
