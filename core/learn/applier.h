/* What learn_apply.c and learn_forget.c share: the facts as the entries of one answer change them.
 * Only these two include this. */
#ifndef RECALLD_CORE_LEARN_APPLIER_H
#define RECALLD_CORE_LEARN_APPLIER_H

#include "core/learn/entry.h"
#include "core/learn/wish.h"
#include "core/text/text.h"

/* Of so many sentences that are forgotten at once the repetitions are looked for; each takes a walk
 * over all turns. */
enum { MAX_REPEATED = 8 };

/* A fact, stored or new, and what becomes of it. */
struct known {
	struct fact fact;
	struct slice entity; /* folded */
	struct slice key;    /* bare */
	bool is_new;
	bool is_changed;
	const struct known *replaced_by;
	size_t index; /* in the change list */
};

struct applier {
	const struct learn_turn *turn;
	const struct wish *wish;
	struct arena *arena;
	struct known *known; /* the turn's facts, then the new ones */
	size_t count;
	struct fact *hidden; /* as CHANGE_HIDE has it */
	size_t hidden_count;
	size_t repeated;
};

/* Whom and what an entry is about, as it is compared. */
struct subject {
	struct slice entity;
	struct slice key;
};

static inline bool is_current(const struct known *known)
{
	return known->fact.state == FACT_CURRENT;
}

static inline bool is_same_value(struct slice a, struct slice b)
{
	return slice_equal(a, b) || (text_contains(a, b) && text_contains(b, a));
}

static inline bool was_said_later(const struct applier *applier, const struct known *known)
{
	const struct learn_turn *turn = applier->turn;
	return known->fact.observed_at > turn->created_at ||
	       (known->fact.observed_at == turn->created_at &&
		known->fact.exchange > turn->exchange);
}

/* Ends what the entry says holds no longer. */
void learn_remove(struct applier *applier, const struct subject *subject,
		  const struct learn_entry *entry);
/* Erases what the entry and the user's wish name. */
void learn_forget(struct applier *applier, const struct subject *subject,
		  const struct learn_entry *entry);

#endif
