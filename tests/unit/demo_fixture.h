/* Shared by the tests of the demo model: what a user says, and memory in a user's message. */
#ifndef RECALLD_TESTS_DEMO_FIXTURE_H
#define RECALLD_TESTS_DEMO_FIXTURE_H

#include "tests/unit/unit.h"

static const char uses_chroma[] = "I'm using ChromaDB for the vector store.";

#define RECALLED(text) "<user_memory>\nEarlier:\n" text "\n</user_memory>\n\n"

#endif
