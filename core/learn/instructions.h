/* The memory model's instructions, and the form of its answer. Private to this folder. */
#ifndef RECALLD_CORE_LEARN_INSTRUCTIONS_H
#define RECALLD_CORE_LEARN_INSTRUCTIONS_H

#include "core/base/bytes.h"

/* To extract facts, with examples: each is a line that begins with "Turn: ", and its answer on the
 * next line. */
struct slice learn_facts_instructions(void);
/* To say what the user wants forgotten. */
struct slice learn_forget_instructions(void);

/* The JSON schemas of the two answers, in the form that strict servers take: every member is
 * required. */
struct slice learn_facts_schema(void);
struct slice learn_forget_schema(void);

#endif
