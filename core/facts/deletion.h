/* Plans the deletion of a part of a user's memory: one rule for a fact, a turn, a conversation, a
 * span of time and a topic. It names the turns and facts; the store deletes with them what was made
 * of them. */
#ifndef RECALLD_CORE_FACTS_DELETION_H
#define RECALLD_CORE_FACTS_DELETION_H

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/memory/given.h"

enum deletion_kind {
	DELETION_FACT,
	DELETION_TURN, /* its whole exchange, or an answer to nothing */
	DELETION_CONVERSATION,
	DELETION_SPAN,  /* what was said in a span of time */
	DELETION_TOPIC, /* what says something */
};

struct deletion {
	enum deletion_kind kind;
	uint64_t id;             /* of the fact, turn or conversation */
	struct fact_match match; /* DELETION_FACT: what the fact must still be */
	struct slice session;    /* DELETION_CONVERSATION: its session, instead of the id */
	int64_t since;           /* DELETION_SPAN: turns from this time on */
	int64_t until;           /* and before this time */
	struct slice about;      /* DELETION_TOPIC: what is said; empty: only `entity` counts */
	struct slice entity;     /* DELETION_TOPIC: the facts about it; empty: of any entity */
	bool with_source;        /* DELETION_FACT: also the turns that say it */
	bool keeps_turns;        /* DELETION_TOPIC: only facts go */
	bool keeps_facts; /* facts from deleted turns lose their quote and stay, as they always do
			   * with a DELETION_FACT; a topic's stay */
	bool keeps_chain; /* the older values of a deleted fact stay */
	bool never_again; /* the values of the facts that go get tombstones; of a DELETION_FACT, its
			   * own and the older ones */
};

/* A turn of the user's, whatever its state. */
struct deletable_turn {
	uint64_t id;
	uint64_t exchange;
	uint32_t conversation;
	bool is_user;
	bool is_hidden; /* its text is gone already */
	bool says;      /* it says what the deletion is about */
	bool names;     /* it names the value of a fact that goes */
	int64_t created_at;
};

struct deletable_fact {
	const struct fact *fact;
	bool says;          /* as of a turn */
	bool is_double;     /* it ended, and says the same as the fact that is named */
	uint64_t elsewhere; /* an exchange that stays and holds the fact's quote; 0: none does */
};

/* All lists are ascending. */
struct deletion_plan {
	struct id_list exchanges; /* by their user turn; an answer to nothing by its own id */
	struct id_list turns;     /* those of the exchanges that have a text */
	struct id_list facts;     /* to erase */
	struct id_list sources;   /* the exchanges that they rest on, if these go with them */
	size_t named;             /* how many facts go because of what they are */
	struct id_list unquoted;  /* facts that stay without the user's words */
	struct id_list moved;     /* facts that rest on another exchange from now on */
	uint32_t conversation;    /* ends with all its records; 0: none does */
	uint64_t changed_from;    /* see struct leaving */
};

/* Whether what a turn or fact says has to be read for the deletion. */
bool deletion_reads_texts(const struct deletion *deletion);

/* Finds the facts that are meant, with their older values, in the arena. */
void deletion_take_named(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_fact *facts, size_t count, struct arena *arena);
/* Finds the exchanges and turns, after that. `turns` are all of the user's, ascending. */
void deletion_take_turns(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_turn *turns, size_t count, struct arena *arena);
/* Whether the fact was learned from an exchange that goes: `elsewhere` then matters. */
bool deletion_takes_source(const struct deletion_plan *plan, const struct fact *fact);
/* Finds what becomes of the facts that rest on these turns, after them. */
void deletion_take_facts(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_fact *facts, size_t count, struct arena *arena);
/* The turns and facts that leave memory with the plan. */
struct leaving deletion_leaving(const struct deletion_plan *plan);

bool deletion_is_empty(const struct deletion_plan *plan);
/* Equal for equal plans: tells whether a plan that somebody has seen is still the plan. Never 0. */
uint64_t deletion_token(const struct deletion_plan *plan);

/* ---- which of many quotes a text holds ---- */

/* Finds those that a text holds as whole words. The quotes stand in a table by their
 * first eight bytes: one pass over the text finds those that may begin in it, and only these are
 * searched for, each once. Quotes that are shorter, or begin alike, cost a search each. */
struct quotes {
	const struct slice *quotes;
	size_t left;     /* how many have not been found */
	uint32_t *first; /* for each slot, a quote */
	uint32_t *next;  /* for each quote, the next of its slot */
	uint32_t *texts; /* for each slot of `first`, the last text that was searched for it */
	uint32_t text;
	unsigned bits; /* of the hash */
};

/* `list` has fewer than UINT32_MAX quotes and must live as long; none is in an empty one. The rest
 * is in the arena. */
void quotes_init(struct quotes *quotes, const struct slice *list, size_t count,
		 struct arena *arena);
/* Writes the places in the list of those that the text holds; they are not searched for again.
 * `found` has room for `left`. Returns their number. */
size_t quotes_take(struct quotes *quotes, struct slice text, uint32_t *found);

#endif
