/* Reads what recalld asks its memory model, as leniently as a language model would: the parts are
 * found by their headings, and one that is missing is empty. */
#ifndef RECALLD_TESTS_MODEL_PROMPT_H
#define RECALLD_TESTS_MODEL_PROMPT_H

#include "tests/model/extract.h"
#include "tests/model/summarize.h"

/* Whether the instructions ask for facts as JSON, or for a summary. */
bool prompt_asks_for_facts(struct slice instructions);
bool prompt_asks_for_summary(struct slice instructions);

void prompt_read_facts(struct slice prompt, struct extract_input *input, struct arena *arena);
void prompt_read_summary(struct slice instructions, struct slice prompt,
			 struct summary_input *input, struct arena *arena);

#endif
