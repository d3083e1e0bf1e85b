/* When two facts are about the same and say the same: one comparison for whoever tells a fact.
 *
 * Entities and values are compared folded. Keys are compared folded, without what joins their
 * words, and synonyms are one key: "city", "Home City" and "wohnort". */
#ifndef RECALLD_CORE_FACTS_KEY_H
#define RECALLD_CORE_FACTS_KEY_H

#include "core/memory/memory.h"

/* The form in which entities and values are compared: that of text_comparable(), without closing
 * marks at the ends. */
struct slice fact_fold(struct slice text, struct arena *arena);

/* The entity's name as it is stored: "user" for each name of the user, such as "me" or "The User".
 */
struct slice fact_entity(struct slice name);

bool fact_same_value(struct slice a, struct slice b, struct arena *arena);

/* The form in which keys are stored: folded, words joined by "_", at most FACT_NAME_LIMIT bytes.
 * Empty: the key has no letter. */
struct slice fact_key_name(struct slice key, struct arena *arena);

/* The form in which keys are compared. */
struct slice fact_key(struct slice key, struct arena *arena);
/* The same for a key that is folded and whose words are joined by nothing. */
struct slice fact_common_key(struct slice bare, struct arena *arena);
/* All names of a common key, separated by spaces; empty if none but itself is known. */
struct slice fact_key_names(struct slice common);

#endif
