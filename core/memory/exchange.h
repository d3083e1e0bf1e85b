/* What an exchange leaves behind. */
#ifndef RECALLD_CORE_MEMORY_EXCHANGE_H
#define RECALLD_CORE_MEMORY_EXCHANGE_H

#include "core/memory/given.h"

/* A turn that a request carries and memory does not hold. */
struct imported_turn {
	enum role role; /* user or assistant */
	struct slice text;
	uint64_t hash;
	int64_t created_at;
	int utc_offset; /* as that of a turn */
};

struct append {
	struct slice tenant;
	struct slice user;
	struct slice session;
	uint64_t forget_epoch;
	int64_t started_at; /* when the request came: the user turn's time */
	int64_t now;        /* the answer's */

	uint32_t conversation; /* 0: the session's, or a new one */
	uint32_t ordinal;
	bool carries_history; /* the request carried answers of the conversation */
	bool promised; /* its client was told that it is kept: head-room and queue must take it */
	bool journal;  /* false: keep only the fingerprint and what was given (the reply called
			  tools; nothing is superseded yet) */
	struct slice user_text;
	uint64_t user_hash;
	struct slice answer_text;
	uint64_t answer_hash; /* text_hash(), or the tool_calls_hash when journal is false */
	uint64_t rest_hash;   /* hash of what this reply adds to an open answer; 0: it is the whole
				 answer */
	uint64_t item_hash;   /* by which requests may name the answer; 0: none do */
	bool complete;
	uint64_t same_exchange; /* its earlier answer is superseded; its user turn is not stored
				   again */

	bool declines; /* the user asks not to remember the conversation: what it has goes, and
			  nothing more of it is kept */

	int utc_offset;     /* minutes by which the user's clocks are ahead of UTC */
	bool learn;         /* make a job (never twice for one user turn) */
	bool forgets;       /* the user asks to forget something */
	struct slice model; /* the exchange's model */
	bool explicit_mode; /* the request named its mode, and the job uses it */
	enum mode mode;
	bool client_key; /* the request brought its own key, to be used for learning */

	/* As view->branches. Supersedes the conversation's exchanges from `ordinal` on, and those
	 * beside the kept ones, except same_exchange and the kept ones themselves. Facts that rest
	 * only on them are retracted, their jobs are dropped, and a summary that covers them goes,
	 * as do all of the user's frozen contexts and replays. */
	bool supersede;
	uint32_t branch_from; /* the first ordinal at which something may be taken back */
	const uint64_t *kept;
	size_t kept_count;
	const uint64_t *carried; /* as view->carried */
	size_t carried_count;

	/* For a new conversation: exchanges before `ordinal` that the request carries and memory
	 * does not hold, each a user's turn and its answer. They become its first exchanges. */
	const struct imported_turn *history;
	size_t history_count;

	const struct frozen
		*frozen;    /* NULL: unchanged; else the conversation's replays go too... */
	bool keeps_replays; /* ...unless the provider keeps them */
	const struct replay *replay; /* NULL: none was made */
	/* What is known about the reply, by the ids that requests may continue from; NULL or no
	 * ids: no request can. Storing it fills in its place. */
	const struct chain_link *link;
	struct slice link_ids[2];
	bool is_fetched; /* the reply was: its conversation may have gone on without it */
	struct receipt receipt;
};

#endif
