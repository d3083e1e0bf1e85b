/* What an exchange leaves behind. */
#ifndef RECALLD_CORE_MEMORY_EXCHANGE_H
#define RECALLD_CORE_MEMORY_EXCHANGE_H

#include "core/memory/given.h"

struct imported_turn {
	enum role role; /* user or assistant */
	struct slice text;
	uint64_t hash;
	int64_t created_at;
	struct slice session; /* empty: one conversation of its own for the whole import */
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
	bool promised;        /* its client was told that it is kept: head-room and queue take it */
	bool journal;         /* false: only the mark and what was given are kept (the reply called
				 tools; nothing is superseded yet) */
	struct slice user_text;
	uint64_t user_hash;
	struct slice answer_text;
	uint64_t answer_hash; /* text_hash(), or the tool_calls_hash when journal is false */
	uint64_t rest_hash;   /* of what was said now, when it goes on an open answer; 0: all was */
	bool complete;
	uint64_t same_exchange; /* its earlier answer is superseded, its user turn is not stored
				   again */

	bool learn;         /* a job is made (not twice for one user turn) */
	struct slice model; /* the exchange's model */
	bool explicit_mode; /* the request named its mode: the job goes by it */
	enum mode mode;
	bool client_key; /* it came with a key of its own, to be used for learning */

	/* As view->branches: the conversation's exchanges from `ordinal` on, and those beside the
	 * kept ones, are superseded, but for same_exchange and the kept: facts that rest on them
	 * alone are retracted, their jobs go, and a summary that covers them, with all of the
	 * user's frozen contexts and replays. */
	bool supersede;
	uint32_t branch_from; /* the first ordinal of which something may be taken back */
	const uint64_t *kept;
	size_t kept_count;
	const uint64_t *carried; /* as view->carried */
	size_t carried_count;

	/* Of a new conversation: exchanges that the request carries and memory does not hold, each
	 * a user's turn and its answer, before `ordinal`. They become its first ones. */
	const struct imported_turn *history;
	size_t history_count;

	const struct frozen *frozen; /* NULL: as it was; else the conversation's replays go too */
	const struct replay *replay; /* NULL: none was made */
	/* What is known of the reply, by the ids that requests may go on from; NULL or no ids: no
	 * request does. Its place is filled in as it is stored. */
	const struct chain_link *link;
	struct slice link_ids[2];
	struct receipt receipt;
};

#endif
