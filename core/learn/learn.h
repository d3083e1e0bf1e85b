/* Learning without a model in it: what the memory model is asked, and what its answer changes.
 *
 * The model proposes; the rules here decide. A fact is kept only if it is grounded in the user's
 * own turn, the newer observation wins whatever the order of arrival, and nothing is ever taken
 * from an assistant's text. */
#ifndef RECALLD_CORE_LEARN_LEARN_H
#define RECALLD_CORE_LEARN_LEARN_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"

/* More than the longest answer that is any use, with the reasoning before it. A longer one is not
 * read at all. */
enum { LEARN_MAX_ANSWER = 2 << 20 };

/* One user turn to learn from. Texts have their secrets masked already. */
struct learn_turn {
	uint64_t exchange;
	int64_t created_at;
	struct slice user;         /* the new turn: the only source of facts */
	struct slice assistant;    /* its answer; shown to resolve references only; may be empty */
	const struct turn *before; /* the turns that came before it, oldest first */
	size_t before_count;
	const struct fact *facts; /* the user's facts, current and ended (not the forgotten) */
	size_t fact_count;
	double min_confidence; /* only facts above it are kept */
	enum pii pii;          /* what becomes of those that identify a person */
	bool mask_secrets;     /* the model's words are masked as the user's are */
};

/* The two messages of a request to the memory model. */
struct learn_prompt {
	struct slice system;
	struct slice user;
	size_t folded; /* of one for a summary: how many turns, from the oldest, are in it */
};

/* The request for facts: the answer is to be {"entities":[...]} (CONTRACT 4). At most about 30 KB.
 */
struct learn_prompt learn_facts_prompt(const struct learn_turn *turn, struct arena *arena);

/* The JSON schema of that answer, for servers that want one. */
struct slice learn_facts_schema(void);

/* The part of a user turn that the memory model is shown, and that facts may rest on. */
struct slice learn_shown_turn(struct slice user);

/* A change to memory; `fact` as it will stand afterwards. */
enum change_kind {
	CHANGE_ADD, /* a new fact; fact.id 0, the store gives one. It may be SUPERSEDED or RETRACTED
		       from the beginning, when something newer is known or comes in the same answer
		     */
	CHANGE_UPDATE, /* the fact with fact.id gets this state, ended_at, expires_at, observed_at
			*/
	CHANGE_FORGET, /* the fact with fact.id is forgotten: texts erased, its source exchange
			  hidden. The texts of `fact` are empty */
	CHANGE_HIDE,   /* exchanges until fact.observed_at that say fact.value (terms_say()) are
			  hidden: what a forgotten fact rested on, or what no fact held */
};

struct change {
	enum change_kind kind;
	struct fact fact;
	/* For a fact that this answer supersedes: the index in the change list of the fact that
	 * takes its place, else -1. */
	int replaced_by;
};

/* Makes a stored fact what a CHANGE_UPDATE of the same id says, when `exchange` is learned from.
 * `is_stored`: false when the fact is gone by now, and `fact` is not read. `superseded_by` is the
 * fact that takes its place, or 0. False: nothing is to be written. Texts of the change are
 * shared. */
bool change_update_fact(struct fact *fact, bool is_stored, const struct change *change,
			uint64_t superseded_by, uint64_t exchange);

struct learning {
	struct change *changes; /* in the arena; all CHANGE_ADD come first */
	size_t change_count;
	bool hide_exchange; /* the turn itself asked to forget something: it is hidden too */
	bool is_empty;      /* the answer held no entry at all */
	size_t rejected;    /* entries that were not grounded, not confident or malformed */
};

/* Reads the model's answer (text round the JSON and code fences are tolerated) and works out the
 * changes. False: there is no usable JSON in it, or it is too long. An empty list of entities is a
 * usable answer. */
bool learn_facts_read(const struct learn_turn *turn, struct slice answer, struct learning *learning,
		      struct arena *arena);

/* The request for a summary: the previous one (may be empty) and the turns to fold in, oldest
 * first. Turns beyond those that fit (about 32 KB) are left out, but for the first: a turn that is
 * too long is cut. */
struct learn_prompt learn_summary_prompt(struct slice previous, const struct turn *turns,
					 size_t turn_count, unsigned max_words,
					 struct arena *arena);

/* Takes the model's answer as a summary: reasoning and fences stripped, cut to `max_words` words at
 * a sentence's end where there is one (else at a word's). False: it is empty, or ten times
 * as long as was asked for, which is a model that cannot end. */
bool learn_summary_read(struct slice answer, unsigned max_words, struct slice *summary,
			struct arena *arena);

#endif
