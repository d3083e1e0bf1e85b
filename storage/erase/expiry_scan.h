/* What of a user's memory is past its time.
 *
 * A long memory takes a while to search. So what goes is listed in a read transaction, before the
 * writer is asked, who then only looks through what has come since. */
#ifndef RECALLD_STORAGE_ERASE_EXPIRY_SCAN_H
#define RECALLD_STORAGE_ERASE_EXPIRY_SCAN_H

#include "storage/journal/erase.h"

/* Where an answer of a conversation is found by its hash. */
struct answer_place {
	struct answer_place *next;
	uint64_t hash;
	uint32_t conversation;
	uint32_t ordinal;
};

/* A part of it. */
struct expired {
	struct turn_search found; /* the turns that go; rising */
	struct id_list facts;     /* that go, or are masked; rising */
	bool has_summary;
	struct summary summary; /* it goes, unless it was written anew meanwhile */

	/* Conversations that nobody has gone on with, and that have no turn left but these. */
	struct id_list conversations;
	struct id_list their_turns;
	struct answer_place *their_answers;

	struct id_list given;    /* conversations that were given any of the turns or facts */
	struct id_list receipts; /* that hold any of their texts */
	uint64_t receipts_until; /* the age of the newest receipt that was looked at */

	bool is_part; /* there may be more */
};

/* Whether there is anything; a few reads, but all of the facts when these may be past theirs. */
bool expired_any(const struct memory *memory, const struct expiry *expiry);
/* Lists a part, in the memory's arena. */
void expired_find(struct expired *expired, const struct memory *memory,
		  const struct expiry *expiry);

bool expired_fact(const struct fact *fact, const struct expiry *expiry);
bool expired_conversation(const struct stored_conversation *conversation,
			  const struct expiry *expiry);
/* Whether what a conversation was given holds any of the turns or facts. */
bool expired_was_given(const struct expired *expired, const struct memory *memory,
		       uint32_t conversation);
/* Whether a receipt of the user's does. */
bool expired_is_told(const struct expired *expired, const struct memory *memory, uint64_t receipt);

#endif
