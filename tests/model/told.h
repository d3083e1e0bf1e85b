/* Tells people what they said: "I'm using Vim." is told as "that you're using
 * Vim." English only. */
#ifndef RECALLD_TESTS_MODEL_TOLD_H
#define RECALLD_TESTS_MODEL_TOLD_H

#include "core/base/bytes.h"

/* The statement with its person changed. False: it does not begin as a statement of the user's
 * own, so that it has to be quoted. */
bool told_statement(struct slice sentence, struct slice *told, struct arena *arena);
/* "vector_store: ChromaDB" as "that your vector store is ChromaDB." False: it is about somebody
 * else. */
bool told_fact(struct slice line, struct slice *told, struct arena *arena);

#endif
