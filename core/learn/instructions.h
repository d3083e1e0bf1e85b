/* The memory model's instructions, and the form of its answer. Private to this folder. */
#ifndef RECALLD_CORE_LEARN_INSTRUCTIONS_H
#define RECALLD_CORE_LEARN_INSTRUCTIONS_H

#include "core/learn/learn.h"

/* To extract facts, and to say what the user wants forgotten. */
struct slice learn_facts_instructions(void);
struct slice learn_forget_instructions(void);
/* What to add to those for facts if the class of personal data is asked for, too. */
struct slice learn_class_instructions(void);

/* Requests and their answers as they should be; returns how many. */
size_t learn_facts_examples(const struct learn_example **examples);
size_t learn_several_examples(const struct learn_example **examples); /* of several turns each */
size_t learn_forget_examples(const struct learn_example **examples);

/* The JSON schemas of the two answers, with at most so many entries. What most entries
 * do without is optional and comes last. */
struct slice learn_facts_schema(bool with_class, size_t most, struct arena *arena);
struct slice learn_forget_schema(size_t most, struct arena *arena);

#endif
