/* Learning without the model: what the memory model is asked, and what its answer changes.
 *
 * The model proposes; the rules here decide. A fact is kept only if it is grounded in the user's
 * own turn, the newer observation wins whatever the order of arrival, and an assistant's text is
 * never a source. */
#ifndef RECALLD_CORE_LEARN_LEARN_H
#define RECALLD_CORE_LEARN_LEARN_H

#include "core/base/bytes.h"
#include "core/facts/intake.h"
#include "core/memory/memory.h"

/* The longest answer that is read, reasoning included: more than any useful one. */
enum { LEARN_MAX_ANSWER = 2 << 20 };

/* One user turn to learn from. Secrets in its texts are already masked. */
struct learn_turn {
	uint64_t exchange;
	int64_t created_at;
	int utc_offset;            /* minutes by which the user's clocks were ahead of UTC then */
	struct slice user;         /* the new turn: the only source of facts */
	struct slice assistant;    /* its answer; shown only to turns after it; may be empty */
	const struct turn *before; /* the turns before it, oldest first */
	size_t before_count;
	const struct fact *facts; /* the user's facts, current and ended (not the forgotten) */
	size_t fact_count;
	double min_confidence;        /* keep only facts above this */
	struct intake intake;         /* what facts pass before they are stored */
	bool keeps_pinned;            /* the user's words do not erase a pinned fact */
	bool repairs;                 /* a small model's slips are put right */
	struct tombstones tombstones; /* values that do not come back */
};

/* A request about another turn, and the answer that is right for it. */
struct learn_example {
	struct slice user;
	struct slice answer;
};

/* The messages of a request to the memory model. */
struct learn_prompt {
	struct slice system;
	const struct learn_example *examples; /* stand before the user's message as a chat */
	size_t example_count;
	struct slice user;
	struct slice schema; /* the answer's JSON schema; empty: it is plain text */
	size_t folded;       /* for a summary: how many turns, from the oldest, the prompt holds */
};

/* The questions that the model is asked about a turn, one bit each. */
enum learn_question_bits {
	LEARN_ASK_FORGET = 1 << 0, /* its own words ask to forget something */
	LEARN_ASK_FACTS = 1 << 1,  /* they say something else as well */
};

/* The questions to ask the memory model about the turn, in the order of their bits. */
unsigned learn_questions(const struct learn_turn *turn, struct arena *arena);

/* The request for facts, at most about 30 KB. The answer is to be {"entities":[...]} (CONTRACT
 * 4). */
struct learn_prompt learn_facts_prompt(const struct learn_turn *turn, struct arena *arena);
/* Asks for what the user wants forgotten: small models that are always asked for it find it where
 * nobody asked. */
struct learn_prompt learn_forget_prompt(const struct learn_turn *turn, struct arena *arena);

/* How many of the turns, from the first, one request holds: 1 or more, as long as what is shown of
 * them is at most as long as one turn may be. */
size_t learn_together(const struct learn_turn *turns, size_t count);
/* The request for the facts of several turns of one user, in the order in which they were said. The
 * answer is then read for each turn by itself: an entry belongs to those in which its quote stands.
 */
struct learn_prompt learn_several_prompt(const struct learn_turn *turns, size_t count,
					 struct arena *arena);

/* A wish in the user's words that is learned from at once. */
enum learn_plea {
	LEARN_PLEA_NONE,
	LEARN_PLEA_CORRECT,
	LEARN_PLEA_FORGET, /* obeyed in every mode that remembers */
};

enum learn_plea learn_plea(struct slice user, struct arena *arena);

/* Whether the user's words ask not to remember the conversation that they are part of. Looks at
 * short messages only: it runs on an event loop for every exchange. */
bool learn_declines(struct slice user, struct arena *arena);

/* The words of a user turn that say a value, to be quoted; empty: none do. */
struct slice learn_words_for(struct slice user, struct slice value, struct arena *arena);

/* The part of a user turn that the memory model is shown and that facts may rest on. */
struct slice learn_shown_turn(struct slice user);

/* A change to memory; `fact` is the state after it. */
enum change_kind {
	CHANGE_ADD, /* a new fact; fact.id is 0, and the store assigns one. It may be SUPERSEDED or
		       RETRACTED from the start, if something newer is known or comes in the same
		       answer */
	CHANGE_UPDATE,  /* the fact with fact.id gets this state, ended_at, expires_at, observed_at
			 */
	CHANGE_DROP,    /* the suggestion with fact.id goes: a newer one takes its place */
	CHANGE_FORGET,  /* the fact with fact.id is forgotten: its texts are erased, its source
			   exchange is hidden. The texts of `fact` are empty */
	CHANGE_CONCEAL, /* the fact with fact.id becomes FACT_HIDDEN since fact.ended_at; 0: a new
			   one does, if a turn of the user's before says it (fact_is_said()) */
	CHANGE_HIDE,    /* exchanges up to fact.observed_at that say the fact (fact_is_said()) are
			   hidden: they supported a forgotten fact, or no fact held what they say */
	CHANGE_MASK,    /* the exchange's turns lose what they say of fact.value and fact.quote, of
			   fact.classes */
};

struct change {
	enum change_kind kind;
	struct fact fact;
	/* For a fact that this answer supersedes: the index in the change list of the fact that
	 * replaces it; otherwise -1. */
	int replaced_by;
};

/* Applies a CHANGE_UPDATE to the stored fact of the same id when `exchange` is learned from.
 * `is_stored`: false if the fact is gone by now; `fact` is then not read. `superseded_by` is the
 * fact that replaces it, or 0. False: there is nothing to write. The fact shares the change's
 * texts. */
bool change_update_fact(struct fact *fact, bool is_stored, const struct change *change,
			uint64_t superseded_by, uint64_t exchange);

struct learning {
	struct change *changes; /* in the arena; new facts come first */
	size_t change_count;
	bool hide_exchange; /* the turn itself asked to forget something, and is hidden too */
	bool is_empty;      /* the answer held no entry at all */
	bool is_missed;     /* it held none although the user told something of themselves */
	size_t kept;        /* entries that were learned from */
	size_t rejected;    /* entries that were not grounded, not confident or malformed */
};

/* Parses the model's answers to the questions about a turn or several, which may have text or code
 * fences around the JSON; with `repairs`, JSON that is broken, too. NULL: one of them contains no
 * usable JSON, or is too long. An empty list of entities is a usable answer. */
struct learn_entries;
const struct learn_entries *learn_answers_parse(const struct slice *answers, size_t count,
						bool repairs, struct arena *arena);
/* Holds them against one of the turns, and works out the changes: what several of them say is
 * applied once, in the order of the answers. */
void learn_from_entries(const struct learn_turn *turn, const struct learn_entries *parsed,
			struct learning *learning, struct arena *arena);

/* The request for a summary: the previous one (may be empty) and the turns to fold in, oldest
 * first. Turns that do not fit (about 32 KB) are left out, except that a first turn which is too
 * long is cut. */
struct learn_prompt learn_summary_prompt(struct slice previous, const struct turn *turns,
					 size_t turn_count, unsigned max_words,
					 struct arena *arena);

/* How many of the uncovered turns to fold now, up to the end of an exchange, once there are
 * `summarize_after`: all but half of that number, so that many turns (after an edit, say) take one
 * call; all of them if `is_idle`; 0: none. */
size_t learn_fold_count(const struct turn *turns, size_t count, size_t summarize_after,
			bool is_idle);

/* Takes the model's answer as a summary: strips reasoning and fences, and cuts it to `max_words`
 * words, at the end of a sentence if possible (otherwise of a word). False: it copies the turns, it
 * is empty, or so long (ten times the limit) that the model cannot stop. */
bool learn_summary_read(struct slice answer, unsigned max_words, struct slice *summary,
			struct arena *arena);

/* Names that a new summary must keep: the newest values and names of current facts that the
 * previous summary says. */
enum { LEARN_MAX_NAMES = 5 };
struct learn_names {
	struct slice list[LEARN_MAX_NAMES]; /* of the facts' texts */
	size_t count;
};

/* Finds them. What the user says again in the turns to fold in is none: it may be about to end. */
struct learn_names learn_summary_names(struct slice previous, const struct turn *turns,
				       size_t turn_count, const struct fact *facts,
				       size_t fact_count, struct arena *arena);
/* Asks for them in a request for a summary. */
void learn_summary_ask_names(struct learn_prompt *prompt, const struct learn_names *names,
			     struct arena *arena);
/* Tells a request for a summary what people corrected or retracted, as far as the previous summary
 * or the turns that it folds in still say it. */
void learn_summary_tell_corrections(struct learn_prompt *prompt, struct slice previous,
				    const struct turn *turns, const struct fact *facts,
				    size_t fact_count, struct arena *arena);
/* Whether the summary says each of them, in whatever form of the word. */
bool learn_summary_keeps(struct slice summary, const struct learn_names *names,
			 struct arena *arena);

#endif
