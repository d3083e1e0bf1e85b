/* Small forms of an answer that is no strict JSON. Only the learn_* files include this. */
#ifndef RECALLD_CORE_LEARN_REPAIR_H
#define RECALLD_CORE_LEARN_REPAIR_H

#include "core/json/json.h"

/* The answer without commas before a closing bracket, and with strings in double quotation marks
 * where they are in single ones. */
struct slice learn_repaired(struct slice answer, struct arena *arena);

/* JSON Lines: objects with nothing but white space and commas between them, as one array. False:
 * there are not two, or something else is between them. */
bool learn_join_lines(struct slice answer, struct slice *document, struct arena *arena);

#endif
