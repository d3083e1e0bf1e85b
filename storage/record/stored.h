/* The nouns as they are stored: what core/memory/memory.h knows of them and what only the store
 * needs. Each has its fields, for record_read() and record_write(). */
#ifndef RECALLD_STORAGE_RECORD_STORED_H
#define RECALLD_STORAGE_RECORD_STORED_H

#include "storage/record/record.h"
#include "storage/store.h"

struct stored_user {
	struct slice tenant;
	struct slice user;
	int64_t first_seen;
	int64_t last_seen;
	uint64_t next_turn;
	uint64_t next_fact;
	uint32_t next_conversation;
	bool deferred; /* some of the user's jobs go by a mode that the request named */
	/* What the turns take, see stored_turn_bytes(); what was hidden since they were measured
	 * still counts. STORE_UNMEASURED: an earlier version wrote it. */
	uint64_t bytes;
};

struct stored_turn {
	struct turn turn; /* but its id, which is in the key, and its session, the conversation's */
	bool learn;       /* it is to go into the summary */
	uint64_t earlier; /* the answer whose place it took; 0: none */
};

/* A user turn, known by its id, and its answer. */
struct stored_exchange {
	uint64_t answer; /* the current one; 0: none */
	uint64_t user_hash;
	bool queued;           /* learned from, or a job for it was made */
	int64_t taken_back_at; /* when the user turn was superseded; 0: it stands */
};

struct stored_conversation {
	struct slice session;
	int64_t last_active;
	uint32_t answers;
	bool carries_history; /* one of its requests carried answers */
	bool branched;        /* some of its user turns are superseded */
};

struct stored_answer {
	uint64_t user_hash;
	bool tool_calls;
};

struct stored_receipt {
	struct user_key user;
	uint64_t age;           /* its place in the order of receipts */
	struct receipt receipt; /* but its id, which is in the key */
	bool tells_ids;         /* else it came from an export, or an earlier version */
};

/* What a turn takes in the store, about: its text, as much again for its index, and its records. */
uint64_t stored_turn_bytes(struct slice text);

record_fields stored_user_fields;
record_fields stored_turn_fields;
record_fields stored_exchange_fields;
record_fields stored_conversation_fields;
record_fields stored_answer_fields;
record_fields stored_receipt_fields; /* its ids are passed over without an arena */
record_fields stored_frozen_fields;  /* struct frozen; reading takes an arena */
record_fields stored_replay_fields;  /* struct replay, but its ordinal; reading takes an arena */
record_fields stored_fact_fields;    /* struct fact, but its id */
/* What an unread fact's state is; beyond FACT_FORGOTTEN: it is unreadable. */
unsigned stored_fact_state(struct slice value);
record_fields stored_summary_fields;
record_fields
	stored_job_fields; /* struct job, but its kind, exchange and parked: they are the key */
record_fields stored_number_fields; /* a uint64_t */

#endif
