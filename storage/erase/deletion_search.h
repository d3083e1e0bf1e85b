/* The search for a deletion: reads from a memory what the rules of core/facts/deletion.h need, and
 * finds records derived from deleted ones. */
#ifndef RECALLD_STORAGE_ERASE_DELETION_SEARCH_H
#define RECALLD_STORAGE_ERASE_DELETION_SEARCH_H

#include "core/facts/deletion.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

struct deletion_search {
	struct deletion_plan plan;
	bool matches;                 /* the fact to delete is as it was asked for */
	struct deletable_turn *turns; /* all of the user's, ascending */
	size_t turn_count;
	struct deletable_fact *facts; /* all but the forgotten */
	size_t fact_count;
	struct summary summary;
	struct id_list conversations; /* of the plan's turns; ascending */
	struct receipt_search receipts;
	size_t still_said; /* turns that stay and say or name a fact that goes */
	/* By which the writer sees that nothing has changed since. */
	uint64_t next_turn;
	uint64_t facts_token;
	uint64_t forget_epoch;
};

/* Searches in the memory's arena. False: there is no such user. Set forget_epoch before. */
bool deletion_search_run(struct deletion_search *search, const struct memory *memory,
			 const struct deletion *asked);
/* False: the memory has changed, and another search would find something else. */
bool deletion_search_stands(const struct deletion_search *search, const struct memory *memory);
/* An exchange that stays and holds the fact's quote; 0: none does. */
uint64_t deletion_search_elsewhere(const struct deletion_search *search, uint64_t fact);

#endif
