/* Learning from the answers about a single turn. */
#ifndef RECALLD_TESTS_UNIT_LEARN_READING_H
#define RECALLD_TESTS_UNIT_LEARN_READING_H

#include "core/learn/learn.h"

/* False: one of the answers is not usable. */
static inline bool learn_answers_read(const struct learn_turn *turn, const struct slice *answers,
				      size_t count, struct learning *learning, struct arena *arena)
{
	const struct learn_entries *parsed =
		learn_answers_parse(answers, count, turn->repairs, arena);
	*learning = (struct learning){0};
	if (parsed != NULL)
		learn_from_entries(turn, parsed, learning, arena);
	return parsed != NULL;
}

static inline bool learn_facts_read(const struct learn_turn *turn, struct slice answer,
				    struct learning *learning, struct arena *arena)
{
	return learn_answers_read(turn, &answer, 1, learning, arena);
}

#endif
