/* What a user asks of memory in a clause: to forget, not to keep, to be put right. */
#ifndef RECALLD_CORE_LEARN_ASKS_H
#define RECALLD_CORE_LEARN_ASKS_H

#include "core/learn/said.h"

/* Whether the clause asks to forget something: "forget ...", "don't remember ..." */
bool said_asks_to_forget(const struct said *said, const struct said_clause *clause);

/* Whether the text asks not to remember the conversation that it is part of: "don't remember this
 * conversation", "forget this chat". */
bool said_declines(const struct said *said);

/* Whether it corrects what was answered: "No, it is ...", "actually, ...", "that's wrong". */
bool said_corrects(const struct said *said);

/* A first look, which splits nothing into clauses and knows no language. False: no clause of the
 * text asks to forget, and the text corrects nothing. */
bool said_may_press(struct slice text);
/* The same. False: said_declines() is false of it. */
bool said_may_decline(struct slice text);

#endif
