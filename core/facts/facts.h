/* Facts as they are ordered, shown and chosen. */
#ifndef RECALLD_CORE_FACTS_FACTS_H
#define RECALLD_CORE_FACTS_FACTS_H

#include "core/base/ids.h"
#include "core/memory/memory.h"

/* Whether both have their entity and key in the same letters, and so share a line. */
bool fact_shares_name(const struct fact *a, const struct fact *b);
/* Whether `fact` is the newer observation; at the same instant, the one with the higher id. */
bool fact_is_newer(const struct fact *fact, const struct fact *than);

/* Whether its time is up. */
bool fact_is_over(const struct fact *fact, int64_t now);

/* Sorts pointers to facts: the user's first, then by entity, key and id. */
void fact_sort_shown(const struct fact **facts, size_t count);
/* Sorts pointers to facts: the newest observation first; at the same instant, the higher id. */
void fact_sort_newest(const struct fact **facts, size_t count);

enum { CORE_RANKS = 4 };

/* How soon a fact is given whatever is asked: 1 to CORE_RANKS, the lowest first; 0: it is not of
 * the core profile. The core profile is who the user is, what must be minded whatever they ask
 * (allergies, diets, disabilities) and how they want to be answered. It is told by the fact's key.
 */
unsigned core_rank(const struct fact *fact);

enum { FACTS_SLACK_SHARE = 64 };

/* The ids, ascending, of the facts that give way so that at most `keep` stay, and a share of it
 * fewer, so that it does not happen with each new fact. First go those that hold no longer, then
 * suggestions, then those that were not said for longest; of these the core profile goes after the
 * others, and pinned facts after that. Room for later facts takes no pinned ones. Hidden facts
 * stay, since the turns that say them are hidden with them, and so does the one with the id
 * `spared`. */
struct id_list facts_least_used(const struct fact *facts, size_t count, size_t keep,
				uint64_t spared, int64_t now, struct arena *arena);

/* Changes with every change of the fact. */
uint64_t fact_version(const struct fact *fact);
bool fact_matches(const struct fact *fact, struct fact_match match);
/* The classes of personal data in the fact: those that the memory model or a person named, those
 * that were masked, and those that the rules find. */
unsigned fact_classes(const struct fact *fact);
/* Whether it was suggested, and a person did not take it: it was never held to be true. */
bool fact_is_dismissed(const struct fact *fact);

const char *fact_state_name(enum fact_state state);
const char *fact_source_name(enum fact_source source);

/* Which of a user's facts a person wants to see. */
struct fact_filter {
	bool all;            /* superseded, retracted and suggested ones, too */
	bool only_suggested; /* with `all` */
	bool only_hidden;    /* the same */
	struct slice entity; /* empty: any; the same for the next two */
	struct slice kind;
	struct slice text; /* in entity, key or value */
	int pii;           /* 1: only these, 0: only others, -1: any */
	unsigned classes;  /* only facts of one of these; 0: any */
	int64_t since;     /* by observed_at, from this time on... */
	int64_t until;     /* ...to before this one */
	uint64_t after;    /* ids from the next one on */
	int64_t now;
};
bool fact_filter_takes(const struct fact_filter *filter, const struct fact *fact,
		       struct arena *arena);

#endif
