/* Repairs small deviations from strict JSON in an answer. Private to this folder. */
#ifndef RECALLD_CORE_LEARN_REPAIR_H
#define RECALLD_CORE_LEARN_REPAIR_H

#include "core/json/json.h"

/* The answer without commas before closing brackets, and with double instead of single quotation
 * marks around strings. */
struct slice learn_repaired(struct slice answer, struct arena *arena);

/* Joins JSON Lines into one array: objects with only white space and commas between them. False:
 * there are fewer than two, or something else is between them. */
bool learn_join_lines(struct slice answer, struct slice *document, struct arena *arena);

#endif
