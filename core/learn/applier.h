/* Shared by apply.c and forget.c alone: the facts as the entries of one answer change them. */
#ifndef RECALLD_CORE_LEARN_APPLIER_H
#define RECALLD_CORE_LEARN_APPLIER_H

#include "core/facts/change.h"
#include "core/learn/entry.h"
#include "core/learn/wish.h"
#include "core/text/text.h"

/* At most this many forgotten sentences are searched for repetitions; each search walks all
 * turns. */
enum { MAX_REPEATED = 8 };

struct applier {
	const struct learn_turn *turn;
	const struct wish *wish;
	struct arena *arena;
	struct facts facts;  /* the turn's facts, then the new ones */
	struct fact *hidden; /* as in CHANGE_HIDE */
	size_t hidden_count;
	size_t repeated;
	struct slice *erased; /* the values that this answer forgets, as they were */
	size_t erased_count;
	bool conceals; /* something */
};

static inline bool was_said_later(const struct applier *applier, const struct known *known)
{
	const struct learn_turn *turn = applier->turn;
	return known->fact.observed_at > turn->created_at ||
	       (known->fact.observed_at == turn->created_at &&
		known->fact.exchange > turn->exchange);
}

/* Ends what the entry says no longer holds. */
void learn_remove(struct applier *applier, const struct learn_entry *entry);
/* Erases what both the entry and the user's wish name. */
void learn_forget(struct applier *applier, const struct learn_entry *entry);

#endif
