/* Names: which keys and entities are any, and which keys mean the same. */
#ifndef RECALLD_CORE_LEARN_NAMES_H
#define RECALLD_CORE_LEARN_NAMES_H

#include "core/base/bytes.h"

/* Whether a key or an entity is a name of a few words, and no instruction to whoever reads it. */
bool learn_is_name(struct slice name);

/* The one key that stands for all of those that mean the same ("homecity", "wohnort": "city"), of
 * keys that are folded and bare; the key itself where none is known. */
struct slice learn_common_key(struct slice bare, struct arena *arena);
/* All of its names, between spaces; empty where none is known. */
struct slice learn_names_of_key(struct slice common);

/* Whether a key is about one person alone, so that what is said of another must not be filed under
 * it: a job, a city. Those of relations ("sister", "manager") are not. */
bool learn_is_personal_key(struct slice key, struct arena *arena);

#endif
