/* The eraser: removes what somebody wants forgotten, everything derived from it, and nothing else.
 * Callers select turns and facts, by name, time or topic. */
#ifndef RECALLD_STORAGE_USER_ERASE_H
#define RECALLD_STORAGE_USER_ERASE_H

#include "core/memory/erasure.h"
#include "storage/deletions.h"
#include "storage/user/memory.h"

/* One erasure, and the memory in which it takes place. */
struct hiding {
	const struct memory *memory;
	struct erasure erasure;
	int64_t listed_at; /* enters what is hidden in the list of erasures; 0: does not */
	const struct receipt_search *found; /* NULL: the writer searches */
};

/* Hides a whole conversation, forgets what was learned from it alone, and marks it as one that is
 * not remembered. Jobs are made like `like`. */
void decline_conversation(const struct memory *memory, uint32_t conversation, int64_t now,
			  const struct job *like);
bool conversation_is_declined(const struct memory *memory, uint32_t conversation);

/* Finds the turns that say a fact. Searching a long history takes seconds, so it is done before the
 * writer is asked; the writer then searches only what was said since. */
struct turn_search {
	const struct fact *fact; /* NULL: nothing is sought */
	struct id_list turns;
	uint64_t searched; /* turns up to this one have been searched */
};

/* Adds the turns after `searched`, which is the same in all of the searches, in one walk. */
void turn_searches_run(struct turn_search *searches, size_t count, const struct memory *memory);
/* The search with what was said since, in the memory's arena. */
struct turn_search turn_search_now(const struct turn_search *search, const struct memory *memory);

/* Lists the turns of an exchange: the user's, then its answers, superseded ones included. */
void exchange_list_turns(const struct memory *memory, uint64_t exchange, struct id_list *turns);

void hiding_init(struct hiding *hiding, const struct memory *memory);
/* Erases the texts of the exchange's turns, superseded answers included. */
void hide_exchange(struct hiding *hiding, uint64_t exchange);
/* Hides the exchanges of the turns found, except those asked after `until`. */
void hide_found(struct hiding *hiding, const struct turn_search *search, int64_t until);
/* Deletes what was derived from the turns hidden and the facts forgotten: erase_derived(), and the
 * quotes of their exchanges. If the summary's job is missing, it is made like `like`. */
void hiding_finish(struct hiding *hiding, const struct job *like);

/* Deletes the records by which a request would find the conversation again, and what it was given;
 * not its turns and answers, nor links to it. */
void erase_conversation(const struct memory *memory, uint32_t id,
			const struct past_conversation *conversation);

/* The next start resumes what a stopped process left unfinished: deletions of users, and of parts
 * of a memory. */
void forget_resume(struct store *store);
void deletions_resume(struct store *store);

/* ---- what was derived ---- */

/* The user's receipts that may tell of what leaves. Reading all of them takes a while, so they are
 * searched before the writer is asked; the writer then looks only at these and at those stored
 * since. */
struct receipt_search {
	struct id_list receipts;
	size_t held;    /* how many of them hold any of it, and go */
	uint64_t until; /* receipts up to this age have been searched */
};

/* Searches the receipts after `until`. */
void receipt_search_run(struct receipt_search *search, const struct memory *memory,
			const struct leaving *leaving);

/* Deletes the summary, frozen contexts, replays and receipts that hold any of what leaves, and the
 * texts of turns under way that were said `until` then. Exchanges under way leave nothing behind.
 * Receipts that only tell that something was left out lose its text. `found`: the receipts found so
 * far, or NULL. The caller then counts again the turns that no summary covers. Returns how many of
 * each went. */
struct deletion_report erase_derived(const struct memory *memory, const struct leaving *leaving,
				     const struct receipt_search *found, int64_t until);

/* Withdraws what no longer holds though nobody wants it erased: receipts still tell that it was
 * given, and what exchanges under way were given is not given again. */
struct deletion_report withdraw_derived(const struct memory *memory, const struct leaving *leaving);

/* Removes the texts of what leaves from the user's receipts; where a crowded map has no room to
 * rewrite one, it is deleted. */
void silence_receipts(const struct memory *memory, const struct leaving *leaving);

/* Deletes the facts that facts_least_used() names so that at most `keep` stay, and what was derived
 * from them; none of a user under a legal hold at `now`. Returns how many went. */
size_t erase_facts_beyond(const struct memory *memory, size_t keep, uint64_t spared, int64_t now);
/* Call it after you added facts: erase_facts_beyond() with FACTS_LIMIT, if the user has more. */
size_t erase_least_used_facts(const struct memory *memory, uint64_t spared, int64_t now);

#endif
