/* Facts: when two say the same, how they are ordered, shown and chosen, and which texts say them.
 */
#ifndef RECALLD_CORE_FACTS_FACTS_H
#define RECALLD_CORE_FACTS_FACTS_H

#include "core/base/ids.h"
#include "core/memory/memory.h"
#include "core/text/terms.h"

/* ---- facts that are about the same and say the same ---- */

/* One comparison for whoever tells a fact. Entities and values are compared folded. Keys are
 * compared folded, without what joins their words, and synonyms are one key: "city", "Home City"
 * and "wohnort". */

/* The form in which entities and values are compared: that of text_comparable(), without closing
 * marks at the ends. */
struct slice fact_fold(struct slice text, struct arena *arena);

/* The entity's name as it is stored: "user" for each name of the user, such as "me" or "The User".
 */
struct slice fact_entity(struct slice name);

bool fact_same_value(struct slice a, struct slice b, struct arena *arena);

/* The form in which keys are stored: folded, words joined by "_", at most FACT_NAME_LIMIT bytes.
 * Empty: the key has no letter. */
struct slice fact_key_name(struct slice key, struct arena *arena);

/* The form in which keys are compared. */
struct slice fact_key(struct slice key, struct arena *arena);
/* Takes a key that is folded and whose words are joined by nothing. */
struct slice fact_common_key(struct slice bare, struct arena *arena);
/* All names of a common key, separated by spaces; empty if none but itself is known. */
struct slice fact_key_names(struct slice common);

/* ---- how they are ordered, shown and chosen ---- */

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
	int64_t since;     /* by observed_at, from this time on */
	int64_t until;     /* to before this time */
	uint64_t after;    /* ids from the next one on */
	int64_t now;
};
bool fact_filter_takes(const struct fact_filter *filter, const struct fact *fact,
		       struct arena *arena);

/* ---- texts that say a fact ---- */

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
