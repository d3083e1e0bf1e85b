/* One exchange with memory: what a request asks, what memory shows it, and what the exchange leaves
 * behind. */
#ifndef RECALLD_CORE_MEMORY_EXCHANGE_H
#define RECALLD_CORE_MEMORY_EXCHANGE_H

#include "core/memory/given.h"
#include "core/memory/memory.h"
#include "core/memory/user.h"

/* ---- what a request asks memory ---- */

/* One assistant message of the request's history, in order. */
struct answer_fingerprint {
	uint64_t hash;      /* text_hash() of its text, or its tool_calls_hash */
	uint64_t user_hash; /* text_hash() of the preceding user turn's own text; 0: none */
	bool tool_calls;
};

enum { LOAD_COMPACTED = 3 };

struct load {
	struct user_key user;
	struct slice session; /* empty: find the conversation by its answers */
	/* The id of what the request continues, if the provider keeps that; empty: none. */
	struct slice previous;
	const struct answer_fingerprint *fingerprints;
	size_t fingerprint_count;
	const struct answer_fingerprint *open; /* the answer that the reply continues; NULL: none */
	/* The provider's compaction stands for the history, of which the client sends the user's
	 * texts at most: the hashes of some, the newest first. */
	bool is_compacted;
	uint64_t compacted[LOAD_COMPACTED];
	size_t compacted_count;
	size_t earlier_answers; /* answers of the request's history before the first fingerprint */
	uint64_t newest_hash;   /* text_hash() of the newest user turn's own text */
	struct slice newest_text; /* that text, to detect an edit; empty: nothing is one */
	unsigned newest_turns;    /* at least this many of the newest turns are wanted */
	/* About this many bytes of the newest text that the summary does not cover, not counting
	 * what the request carries: at most MEMORY_MAX_TURNS. */
	size_t uncovered_text;
	bool trims; /* turns that memory holds may be removed from the request */
	bool facts;
	bool past_facts;      /* superseded and retracted facts too, but not those taken back */
	size_t conversations; /* count at most this many of the user's conversations */
	int64_t now;
};

enum { MEMORY_MAX_TURNS = 400 };

struct memory_view {
	bool known;            /* the user has a record */
	bool deferred;         /* jobs wait for the next exchange that uses the configured mode */
	uint64_t forget_epoch; /* pass it to store_append(): a user forgotten meanwhile stays
				  forgotten */

	uint32_t conversation; /* 0: a new one begins */
	int64_t last_active;   /* when the conversation was last active */
	uint32_t answers;      /* the ordinal after the conversation's last complete answer */
	uint32_t next_ordinal; /* the ordinal of the exchange that this request begins; answers
				  after the last one found again count too */
	uint32_t carried_from; /* the request carries the conversation's turns from this ordinal up
				  to next_ordinal; UINT32_MAX: none */
	/* For a trimmed request: memory no longer holds the oldest exchange that it carries,
	 * because the user asked or because it expired, and no summary tells of it. */
	bool begin_is_lost;
	bool leaves_out;        /* something stands before carried_from */
	uint64_t same_exchange; /* the stored exchange of the same user turn, which is asked again;
				   0: none */
	bool same_learned;      /* and it has been learned from, or is queued to be */
	bool has_link;          /* it continues from a known reply */
	struct chain_link link;
	/* Facts that the provider keeps and that no longer hold, by id. A fact that left memory has
	 * nothing but its id. */
	struct fact *ended;
	size_t ended_count;
	bool has_frozen;
	struct frozen frozen;
	struct replay *replays; /* by ordinal; for one ordinal the newest last */
	size_t replay_count;
	/* How many conversations the user has, counted up to the limit; a new one does not
	 * count. */
	size_t conversations;
	/* The request takes back what the conversation holds from next_ordinal on: a user turn
	 * there was edited, or the client continues from an older place (only with a session, see
	 * below). The view then shows the facts as the append will leave them, and leaves out
	 * summary and frozen context. */
	bool branches;
	uint32_t branch_from;
	const uint64_t *kept; /* exchanges that stay or come back although the request branches */
	size_t kept_count;
	const uint64_t *carried; /* answers that come back and replace others */
	size_t carried_count;

	bool has_summary;
	struct summary summary;
	struct fact *facts; /* current and not expired (also past ones if asked for); by entity (the
			       user first), key, id */
	size_t fact_count;
	struct turn *turns; /* current, oldest first, by time and then id */
	size_t turn_count;
	/* Outdated facts that turns state: the newest that ended, the newest last. */
	struct fact *outdated;
	size_t outdated_count;
};

/* Edits, regenerations and forks.
 *
 * A client that names its session and sends history may ask an older turn again, reword it, or
 * continue from an older place. From that place on, the conversation's user turns and answers are
 * then superseded: their texts stay, but nothing recalls, lists or learns from them.
 *
 * In doubt, nothing is taken back, so the place must be certain: the last answer of the request's
 * history is found at its ordinal; or the request carries no answer, although earlier requests of
 * the conversation did, and its user turn is the first one's or reads like an edit of it. A client
 * that sends only its newest message never takes anything back, except that the very first turn
 * asked twice in a row is a regeneration. So is, within the hour, the first turn of a client
 * without sessions whose reply broke off. Wrapping a turn in 100 bytes or more, or unwrapping it,
 * is no edit: the turn is kept, facts and all; an unwrapped turn is the same turn asked again.
 *
 * Facts that rest only on superseded turns are retracted, and the facts that they superseded stand
 * again. If a request's history carries superseded turns, or asks one again, the client went back
 * to that branch: its turns are current again, with their facts (of two values, the newer
 * observation stands), and the branch that the client left is superseded in its turn. So nothing is
 * learned twice; only what was not yet learned from when it was taken back gets a new job. */

struct user_memory {
	struct slice tenant;
	struct slice user;
	bool has_summary;
	struct summary summary;
	struct fact *facts; /* as in memory_view */
	size_t fact_count;
	struct turn *turns; /* current, oldest first, the newest `max_turns` */
	size_t turn_count;
};

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

	const struct frozen *frozen; /* NULL: unchanged; else the conversation's replays go too */
	bool keeps_replays;          /* the replays stay: the provider keeps them */
	const struct replay *replay; /* NULL: none was made */
	/* The link from the reply, with the ids that requests may continue from; NULL or no ids: no
	 * request can. Storing it fills in its place. */
	const struct chain_link *link;
	struct slice link_ids[2];
	bool is_fetched; /* the reply was: its conversation may have gone on without it */
	struct receipt receipt;
};

/* ---- jobs ---- */

/* Jobs: exchanges that wait to be learned from. */

enum job_kind {
	JOB_FACTS,   /* one per exchange to learn from */
	JOB_SUMMARY, /* one per user with turns that the summary does not cover */
};

struct job {
	enum job_kind kind;
	uint64_t exchange; /* 0 for JOB_SUMMARY */
	struct slice model;
	bool explicit_mode;
	enum mode mode;
	bool client_key;
	bool forgets;      /* JOB_FACTS: its turn asks to forget something, in whatever mode */
	unsigned tries;    /* consecutive failures, whatever the cause */
	unsigned unusable; /* unusable answers */
	int64_t not_before;
	bool parked;
	int64_t last_active; /* time of the exchange, or of the newest turn for JOB_SUMMARY */
	/* JOB_SUMMARY: */
	size_t uncovered; /* messages that the summary does not cover */
};

struct job_list {
	struct user_key key;
	struct slice tenant;
	struct slice user;
	struct job *jobs; /* facts in the order of their exchanges, parked ones included; the
			     summary last */
	size_t count;
	uint64_t next_after; /* where the list was cut off: go on after this exchange; 0: it is
				complete */
};

/* The input of a job. */
struct job_input {
	uint64_t forget_epoch; /* pass it to store_learned() or store_summarized() */
	struct turn user;      /* JOB_FACTS */
	struct turn assistant; /* its text is empty if there is none */
	struct turn *before;   /* up to 6 turns of the same conversation before it, oldest first */
	size_t before_count;
	struct tombstones tombstones; /* JOB_FACTS; the next three, too */
	struct user_settings settings;
	struct fact *facts; /* all but the forgotten; those taken back appear as before all time */
	size_t fact_count;
	bool has_summary; /* JOB_SUMMARY */
	struct summary summary;
	/* Current turns to learn from that it does not cover: the oldest MEMORY_MAX_TURNS, ordered
	 * by id, as `covers` counts. */
	struct turn *uncovered;
	size_t uncovered_count;
};

#endif
