/* Deleting parts of a user's memory, with all that was made of them: a part of the store's
 * interface, see store.h. */
#ifndef RECALLD_STORAGE_DELETIONS_H
#define RECALLD_STORAGE_DELETIONS_H

#include "core/facts/deletion.h"
#include "storage/store.h"

/* How much a deletion takes; counts only. */
struct deletion_report {
	uint64_t facts;
	uint64_t unquoted; /* facts that stay without the user's words, or rest on other words */
	uint64_t turns;
	uint64_t still_said;    /* turns that stay and say or name the fact deleted */
	uint64_t conversations; /* those of the turns */
	uint64_t receipts;
	uint64_t frozen;
	uint64_t replays;
	uint64_t vectors;
	uint64_t postings; /* turns that the index of words knew */
	uint64_t jobs;
	uint64_t summaries;
	uint64_t users;
	int64_t oldest; /* since when exported keys may open what was deleted users' */
	bool unlisted;  /* the list of erasures could not be written; see erasures.h */
};

/* The preview of a deletion, for people. */
struct deletion_preview {
	struct deletion_report report;
	uint64_t token; /* of the plan; see store_delete() */
	struct fact *facts;
	size_t fact_count;
	struct turn *turns; /* without sessions */
	size_t turn_count;
};

/* Finds what a deletion would take, with the texts of at most `limit` facts and as many turns.
 * Reads all of the user's turns if it has to look for words. STORE_NOT_FOUND: nothing would go. */
enum store_result store_preview_deletion(struct store *store, struct user_key user,
					 const struct deletion *deletion, size_t limit,
					 struct deletion_preview *preview, struct arena *arena);

/* Deletes it. Searches on the caller's thread first, which for a long memory takes a while; the
 * writer then deletes a long list in slices and continues it after a crash. With a `token`, deletes
 * exactly what the preview showed, or nothing: STORE_CHANGED, as for a fact that does not match.
 * STORE_NOT_FOUND: there was nothing. The versions to match must live as `report` does. Exchanges
 * in progress that were given any of it leave nothing behind. Fills in `report` before the callback
 * fires; `report` must live until then, or until the store is closed. */
struct store_call *store_delete(struct store *store, struct user_key user,
				const struct deletion *deletion, uint64_t token, int64_t now,
				struct deletion_report *report, struct store_waiter waiter);

#endif
