/* Finds the expired part of a user's memory.
 *
 * Searching a long memory takes a while, so a read transaction lists what is to be deleted before
 * the writer is asked; the writer then checks only what has been added since. */
#ifndef RECALLD_STORAGE_ERASE_EXPIRY_SCAN_H
#define RECALLD_STORAGE_ERASE_EXPIRY_SCAN_H

#include "storage/user/erase.h"

/* Finds an answer of a conversation by its hash. */
struct answer_place {
	struct answer_place *next;
	uint64_t hash;
	uint32_t conversation;
	uint32_t ordinal;
};

/* One part of it. */
struct expired {
	struct turn_search found; /* the turns to delete; ascending */
	struct id_list facts;     /* to delete or to mask; ascending */
	struct turn_search *said; /* the turns that say those of the facts that are hidden */
	size_t said_count;
	bool has_summary;
	struct summary summary; /* to delete, unless it has been rewritten meanwhile */

	/* Idle conversations whose only remaining turns are these. */
	struct id_list conversations;
	struct id_list their_turns;
	struct answer_place *their_answers;

	struct receipt_search receipts; /* that hold any of it */

	struct id_list old_receipts; /* receipts past their own time */

	bool is_part; /* there may be more */
};

/* Whether anything has expired: a few reads, but a scan of all facts if they may have expired. */
bool expired_any(const struct memory *memory, const struct expiry *expiry);
/* Lists one part, in the memory's arena. */
void expired_find(struct expired *expired, const struct memory *memory,
		  const struct expiry *expiry);

/* What leaves memory with them. */
struct leaving expired_leaving(const struct expired *expired);

#endif
