/* The context of one request: picks what fits the budget, renders it, and gives the reasons.
 *
 * The result depends only on the arguments: the text contains no clock, score or id, and equal
 * input gives equal output, so that a prompt cache finds the bytes it knows.
 *
 * The block holds what stays for a conversation. The recalled text holds what bears on one
 * question: past turns under their days, in order of time, and facts that the block has no room
 * for. In a shared budget, the recalled text may always have half, and each may use what the other
 * leaves. */
#ifndef RECALLD_CORE_CHAT_CONTEXT_H
#define RECALLD_CORE_CHAT_CONTEXT_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"
#include "core/recall/recall.h"

/* A past turn that bears on the newest user message. */
struct recalled_turn {
	struct turn turn;
	double score;
};

struct context_input {
	enum mode mode;
	size_t budget;  /* tokens, estimated: for block, turns and recalled text together */
	size_t profile; /* of it, what core facts may have that do not bear on the question */
	/* Gives only what bears on the question: neither the summary nor turns of other
	 * conversations, which `mode` alone would give. Facts never are. */
	bool has_floor;
	unsigned buffer_messages;
	const struct summary *summary; /* NULL: none */
	/* Current facts and, if the question asks about the past, ended ones; these go only into
	 * the recalled text. */
	const struct fact *facts;
	size_t fact_count;
	/* Facts that the conversation was told and that no longer hold: the block says so, before
	 * all else. */
	const struct fact *ended;
	size_t ended_count;
	/* How much each bears on the question: those above 0 come first. Below 0: the conversation
	 * has it already. NULL: not known. */
	const struct recall_question *question; /* NULL: not known, so that all bears on it */
	const float *fact_scores;
	const struct turn
		*turns; /* of all conversations, current or not, complete or not, oldest first */
	size_t turn_count;
	uint32_t conversation; /* the request's; 0: a new one */
	/* The client did not send this conversation's turns before this ordinal, so they go in as
	 * turns; it carries the later ones itself. UINT32_MAX: it carries none. */
	uint32_t carried_from;
	/* The exchange whose user turn is being asked again: its turns are not given before it. 0:
	 * none */
	uint64_t asked_again;
	/* Turns of any conversation that say what the request already holds are not given again. In
	 * this conversation, where turns go in by twos, both must be in the request. */
	struct carried_texts carried;
	/* Turns of this conversation before this ordinal were taken out of the request (history =
	 * trim). They do not go in as turns: the summary replaces them, and `recalled` may hold
	 * some of them, whatever the mode. 0: none */
	uint32_t cut_before;
	const struct recalled_turn *recalled; /* best first */
	size_t recalled_count;
	/* Outdated facts that turns state, the newest last. */
	const struct fact *outdated;
	size_t outdated_count;
	/* Block and turns are fixed already: only recalled text is made, from what they do not
	 * hold. `frozen_facts` (sorted) are the facts in them. */
	bool is_frozen;
	const uint64_t *frozen_facts;
	size_t frozen_fact_count;
};

struct context_item {
	const char *kind; /* "fact", "summary" or "turn" */
	uint64_t id;
	struct slice text;
	struct slice said; /* a turn's own text, which `text` may hold a part of */
	uint64_t source;   /* the exchange that it comes from; 0 for a summary */
	size_t tokens;
	double score;      /* 0: it was not chosen by one */
	bool is_turn;      /* it goes in as a turn of its own */
	bool is_recalled;  /* it is in the recalled text */
	bool is_ended;     /* the block says that it holds no longer */
	bool is_unrelated; /* it was left out since it does not bear on the question */
};

struct context {
	struct slice block;    /* plain text without a final line break; empty: nothing to say */
	struct slice turns;    /* in the form of said_turns_add(); empty: none */
	struct slice recalled; /* plain text, for the newest user message; empty: none */
	size_t tokens;         /* of block and turns */
	size_t recalled_tokens;
	struct context_item *items;
	size_t item_count;
	struct context_item *dropped; /* what the budget left out, texts cut short; of recall
					 candidates only the best 50 */
	size_t dropped_count;
};

/* Renders into the arena. */
void context_build(const struct context_input *input, struct context *context, struct arena *arena);

#endif
