/* Which texts say a fact, and which turns are not given while it is hidden. */
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
/* Whether the text names the value at all. */
bool fact_is_named(const struct fact_saying *saying, struct slice text);

/* The facts that are hidden, read once for many turns. A user has at most FACTS_HIDDEN_LIMIT: of
 * more, the oldest are erased. */
enum { FACTS_HIDDEN_LIMIT = 64 };

struct facts_hidden {
	struct hidden_saying {
		struct fact_saying saying;
		/* As text_comparable(): every text that says the fact contains one of them. */
		struct slice quote;
		struct slice stub; /* terms_stub() of its value */
	} * list;
	size_t count;
};

/* Takes those of the facts that are hidden; they must outlive the result. */
struct facts_hidden facts_hidden_read(const struct fact *facts, size_t count, struct arena *arena);
/* Whether a turn is not to be given, since one of them rests on its exchange or it says one, or is
 * too long to be searched. */
bool facts_hide_turn(const struct facts_hidden *hidden, const struct turn *turn);

#endif
