/* The stored form of each noun: what core/memory/memory.h declares, plus what only the store needs.
 * Each has its fields function for record_read() and record_write(). */
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
	bool deferred; /* some of the user's jobs use a mode that the request named */
};

struct stored_turn {
	struct turn turn; /* without its id (in the key) and its session (the conversation's) */
	bool learn;       /* include it in the summary */
	uint64_t earlier; /* the answer that it replaced; 0: none */
};

/* A user turn, identified by its id, and its answer. */
struct stored_exchange {
	uint64_t answer; /* the current answer; 0: none */
	uint64_t user_hash;
	bool queued;           /* learned from, or a job for it exists */
	int64_t taken_back_at; /* when the user turn was superseded; 0: it is current */
};

struct stored_answer {
	uint64_t user_hash;
	bool tool_calls;
};

struct stored_receipt {
	struct user_key user;
	uint64_t age;           /* its position in the order of receipts */
	struct receipt receipt; /* without its id, which is in the key */
	bool tells_ids;         /* false: it came from an export or an earlier version */
};

record_fields stored_user_fields;
record_fields stored_turn_fields;
record_fields stored_exchange_fields;
record_fields stored_conversation_fields; /* struct past_conversation */
record_fields stored_answer_fields;
record_fields stored_receipt_fields; /* skips its ids without an arena */
record_fields stored_frozen_fields;  /* struct frozen; reading needs an arena */
record_fields stored_replay_fields;  /* struct replay without its ordinal; reading needs an arena */
record_fields stored_link_fields;    /* struct chain_link */
record_fields stored_fact_fields;    /* struct fact without its id */
/* The state of a fact that is not read otherwise, nor opened where it is sealed. Above
 * FACT_HIDDEN: it is unreadable. */
unsigned stored_fact_state(struct slice value);
record_fields stored_summary_fields;
record_fields
	stored_job_fields; /* struct job without kind, exchange and parked, which are the key */
record_fields stored_number_fields;    /* a uint64_t */
record_fields stored_audit_fields;     /* a struct slice */
record_fields stored_tombstone_fields; /* struct tombstone without its value, which is in the key */
record_fields stored_settings_fields;  /* struct user_settings */

#endif
