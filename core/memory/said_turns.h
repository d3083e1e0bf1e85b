/* Turns as they are stored for injection: who said what, one after the other, in no dialect. Each
 * is its role's number, a space, its text's size, a colon and the text. */
#ifndef RECALLD_CORE_MEMORY_SAID_TURNS_H
#define RECALLD_CORE_MEMORY_SAID_TURNS_H

#include "core/memory/memory.h"

void said_turns_add(struct buffer *out, enum role role, struct slice text);

/* Takes the first turn off the list; its text points into the list. False: there is none, or the
 * rest is malformed. */
bool said_turns_take(struct slice *list, enum role *role, struct slice *text);

#endif
