/* Whether a clause tells of what is over. */
#ifndef RECALLD_CORE_LEARN_PAST_H
#define RECALLD_CORE_LEARN_PAST_H

#include "core/learn/said.h"

/* "I used to ...", "früher war ich ...", "我以前...". */
bool said_is_past(const struct said_clause *clause);

/* "I don't ... any more", "ya no ...": it says that something ended. */
bool said_is_ended(const struct said_clause *clause);

#endif
