/* What one request is given to remember: picks what fits the budget and renders it, with the
 * reasons.
 *
 * The result depends on nothing but the arguments: no clock, no score and no id is in the text, and
 * what is equal comes out equal, so that a prompt cache finds the bytes it knows.
 *
 * The block holds what stays for a conversation, the recalled text what bears on one question: past
 * turns under their days, in order of time, and facts that the block has no place for. Of a budget
 * that they share, the recalled text may always have half, and either has what the other leaves. */
#ifndef RECALLD_CORE_CONTEXT_CONTEXT_H
#define RECALLD_CORE_CONTEXT_CONTEXT_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"
#include "core/recall/recall.h"

/* A past turn that bears on the newest user message. */
struct recalled_turn {
	struct turn turn;
	double score;
};

struct dialect;

struct context_input {
	const struct dialect *dialect; /* of the request; NULL: the usual one */
	enum mode mode;
	size_t budget; /* tokens, estimated: for block, turns and recalled text together */
	unsigned buffer_messages;
	const struct summary *summary; /* NULL: none */
	/* Current ones and, if the question asks about the past, others: these only ever go into
	 * the recalled text. */
	const struct fact *facts;
	size_t fact_count;
	/* How much each bears on the question: those above 0 come first. NULL: not known. */
	const struct recall_question *question; /* NULL: nothing is asked */
	const float *fact_scores;
	const struct turn
		*turns; /* of all conversations, current and complete or not, oldest first */
	size_t turn_count;
	uint32_t conversation; /* the one that the request belongs to; 0: a new one */
	/* Turns of this conversation before this ordinal were not sent by the client and go in as
	 * turns; the others of this conversation it carries itself. UINT32_MAX: it carries none. */
	uint32_t carried_from;
	/* The exchange whose user turn is asked again: its turns are not given before it. 0: none
	 */
	uint64_t asked_again;
	/* Turns of whichever conversation that say what the request holds are not given again; in
	 * this one, where turns go in by twos, only when it holds both. */
	struct carried_texts carried;
	/* Turns of this conversation before this ordinal were taken out of the request
	 * (history = trim). They do not go in as turns again: the summary stands in for them, and
	 * `recalled` may hold some of them, whatever the mode. 0: none */
	uint32_t cut_before;
	const struct recalled_turn *recalled; /* the best first */
	size_t recalled_count;
	/* The block and the turns stand already: only recalled text is made, of what they do not
	 * hold. `frozen_facts` are in them, sorted. */
	bool is_frozen;
	const uint64_t *frozen_facts;
	size_t frozen_fact_count;
};

struct context_item {
	const char *kind; /* "fact", "summary" or "turn" */
	uint64_t id;
	struct slice text;
	uint64_t source; /* the exchange it comes from; 0 for a summary */
	size_t tokens;
	double score;     /* 0: it was not chosen by one */
	bool is_turn;     /* it goes in as a turn of its own */
	bool is_recalled; /* it is in the recalled text */
};

struct context {
	struct slice block;    /* plain text, no line break at its end; empty: nothing to say */
	struct slice turns;    /* as of core/memory/said_turns.h; empty: none */
	struct slice recalled; /* plain text, for the newest user message; empty: none */
	size_t tokens;         /* of block and turns */
	size_t recalled_tokens;
	struct context_item *items;
	size_t item_count;
	struct context_item *dropped; /* what the budget left out, its texts cut short; of what
					 might have been recalled the best 50 */
	size_t dropped_count;
};

/* Renders into the arena. */
void context_build(const struct context_input *input, struct context *context, struct arena *arena);

#endif
