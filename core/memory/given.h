/* The memory that a request was given. Later requests send it again, byte for byte. */
#ifndef RECALLD_CORE_MEMORY_GIVEN_H
#define RECALLD_CORE_MEMORY_GIVEN_H

#include "core/memory/memory.h"

/* The block that was injected at the beginning of the conversation and stays there, byte for byte.
 * An empty block without turns freezes that nothing was injected. */
struct frozen {
	enum mode mode;
	size_t tokens;
	struct slice block;
	struct slice turns;      /* in the form of said_turns_add() */
	struct slice chat_turns; /* written by an earlier version: messages of a chat completion,
				    each with a comma */
	struct slice
		receipt_items; /* JSON: what it holds and why, for the receipts of later requests */
	const uint64_t *facts; /* the facts in the block */
	size_t fact_count;
	/* The conversation's turns before this ordinal are taken out of its requests; 0: none. */
	uint32_t cut_before;
	const uint64_t *given; /* ids of the turns in `block` and `turns`, ascending */
	size_t given_count;
	uint64_t covers; /* of the summary in the block; 0: there is no summary */
	/* Facts of which the block says that they hold no longer: memory_view.ended, ascending. */
	const uint64_t *ended;
	size_t ended_count;
};

/* The recall for one user turn. It precedes the turn's text whenever the turn is sent again. */
struct replay {
	uint32_t ordinal;   /* that of the exchange that the turn begins */
	uint64_t user_hash; /* text_hash() of the turn's own text */
	size_t tokens;
	struct slice text;
	struct slice receipt_items; /* JSON, as frozen.receipt_items */
	const uint64_t *turns;      /* turns recalled in it, ascending */
	size_t turn_count;
	const uint64_t *facts; /* facts in it, ascending */
	size_t fact_count;
};

/* A reply, found by its id, that later requests may continue from: their place in the conversation,
 * and the memory that the provider keeps in front of them, which recalld can neither take back nor
 * sends again. */
struct chain_link {
	uint32_t conversation;
	uint32_t next_ordinal; /* of the exchange that a request begins or continues */
	int64_t at;
	bool block_is_kept;    /* the block stands in what the provider keeps */
	size_t tokens;         /* of what was recalled for turns that it keeps */
	const uint64_t *turns; /* recalled in it, rising */
	size_t turn_count;
	const uint64_t *facts; /* in it and in a block that it keeps, rising; ended ones too */
	size_t fact_count;
	/* The user's turn that the reply did not answer yet, because it called tools. */
	bool is_pending;
	struct slice user_text;
	uint64_t user_hash;
	int64_t started_at;
	struct slice provider_conversation; /* the id of the one it is in; empty: none */
	/* The model that its request asked for; a reply that is fetched later is learned with
	 * it. */
	struct slice model;
	bool keeps_no_answer; /* its answer has a machine-readable form */
	bool explicit_mode;   /* the request named `mode`; else the configured one holds */
	enum mode mode;
};

/* A receipt: what one request was given, and why. */
struct receipt {
	uint64_t id;       /* 0: none */
	struct slice text; /* JSON */
	/* The turns whose texts it holds, and the turn up to which its summary covers: those that
	 * the request was given, then those that were left out. */
	const uint64_t *turns;
	size_t turn_count;
	size_t turns_left_out;
	const uint64_t *facts; /* the same */
	size_t fact_count;
	size_t facts_left_out;
	uint64_t covers;     /* of the newest summary that it holds; 0: it holds none */
	uint64_t user_limit; /* bytes that its user may take in the store; 0: unlimited */
};

/* Turns and facts that leave memory. Anything that holds a part of them is not given again. */
struct leaving {
	const uint64_t *turns; /* ids, ascending */
	size_t turn_count;
	const uint64_t *facts; /* ids, ascending */
	size_t fact_count;
	/* Memory changes from this turn's id on: a summary that covers it leaves. 0: none does. */
	uint64_t changed_from;
};

/* Whether a frozen context, a replay or a receipt holds any of `leaving`. */
bool frozen_holds(const struct frozen *frozen, const struct leaving *leaving);
bool replay_holds(const struct replay *replay, const struct leaving *leaving);
bool receipt_holds(const struct receipt *receipt, const struct leaving *leaving);
/* Whether a receipt tells of any of it that it was left out. */
bool receipt_mentions(const struct receipt *receipt, const struct leaving *leaving);

/* ---- turns as they are stored for injection ---- */

/* Adds a turn to those that are there: who said what, one after the other, in no dialect. Each is
 * its role's number, a space, its text's size, a colon and the text. */
void said_turns_add(struct buffer *out, enum role role, struct slice text);

/* Takes the first turn off the list; its text points into the list. False: there is none, or the
 * rest is malformed. */
bool said_turns_take(struct slice *list, enum role *role, struct slice *text);

#endif
