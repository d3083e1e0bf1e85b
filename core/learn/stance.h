/* The user's stance to the words that a value is quoted from. */
#ifndef RECALLD_CORE_LEARN_STANCE_H
#define RECALLD_CORE_LEARN_STANCE_H

#include "core/grounding/said.h"
#include "core/learn/entry.h"

/* Whether the user states what the entry rests on as plain truth somewhere in the turn, about the
 * entity that the entry is about: not under an "if", not as a question or in plain sarcasm, and
 * without a "not" that the quote leaves out. */
bool learn_is_meant(const struct said *said, const struct learn_entry *entry, struct arena *arena);

#endif
