/* Hiding: removes what the user asked to forget from the turns, and everything derived from it. */
#ifndef RECALLD_STORAGE_JOURNAL_ERASE_H
#define RECALLD_STORAGE_JOURNAL_ERASE_H

#include "core/memory/erasure.h"
#include "storage/user/memory.h"

/* One erasure, and the memory in which it takes place. */
struct hiding {
	const struct memory *memory;
	struct erasure erasure;
	int64_t listed_at; /* enters what is hidden in the list of erasures; 0: does not */
};

/* Hides a whole conversation, forgets what was learned from it alone, and marks it as one that is
 * not remembered. Jobs are made like `like`. */
void decline_conversation(const struct memory *memory, uint32_t conversation, int64_t now,
			  const struct job *like);
bool conversation_is_declined(const struct memory *memory, uint32_t conversation);

/* Finds the turns that say a text (terms_say()). Searching a long history takes seconds, so it is
 * done before the writer is asked; the writer then searches only what was said since. */
struct turn_search {
	struct id_list turns;
	uint64_t searched; /* turns up to this one have been searched */
};

/* Searches the turns after `searched`. */
void turn_search_run(struct turn_search *search, const struct memory *memory, struct slice text);

void hiding_init(struct hiding *hiding, const struct memory *memory);
/* Erases the texts of the exchange's turns, superseded answers included. */
void hide_exchange(struct hiding *hiding, uint64_t exchange);
/* Hides the exchanges of the turns found, except those asked after `until`. */
void hide_found(struct hiding *hiding, const struct turn_search *search, int64_t until);
/* Deletes what was derived from forgotten text: a summary that covers hidden turns, the quotes of
 * their exchanges, and what requests were given (receipts, frozen contexts and replays). If the
 * summary's job is missing, it is made like `like`. */
void hiding_finish(struct hiding *hiding, const struct job *like);

#endif
