/* Which texts say a fact. */
#ifndef RECALLD_CORE_FACTS_SAYING_H
#define RECALLD_CORE_FACTS_SAYING_H

#include "core/memory/memory.h"
#include "core/text/terms.h"

/* How a text says a fact, read once. */
struct fact_saying {
	const struct fact *fact;
	struct term_list words; /* what its quote and key say beside its value */
	bool tells_itself;      /* the value says enough without them */
};

struct fact_saying fact_saying_read(const struct fact *fact, struct arena *arena);
/* Whether a text says it: in the words of its quote, or the value with another of these words:
 * "the grass is green" does not say what the favourite colour is. */
bool fact_is_said(const struct fact_saying *saying, struct slice text);
/* Whether a turn is not to be given, since one of the facts that are hidden rests on its exchange
 * or it says one. Looks at the first part of a long turn. */
bool fact_hides_turn(const struct fact *facts, size_t count, const struct turn *turn,
		     struct arena *arena);
/* Whether the text names the value at all. */
bool fact_is_named(const struct fact_saying *saying, struct slice text);

#endif
