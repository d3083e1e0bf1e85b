/* The store's calls by which a person's memory is theirs: facts one by one, corrections, settings.
 * They work as those of store.h do. */
#ifndef RECALLD_STORAGE_RIGHTS_H
#define RECALLD_STORAGE_RIGHTS_H

#include "core/facts/change.h"
#include "core/memory/user.h"
#include "storage/store.h"

struct fact_page {
	struct fact *facts; /* by id */
	size_t count;
	bool more; /* there are further ones after the last */
};

/* At most `limit` of the facts that the filter takes. STORE_NOT_FOUND: there is no such user. */
enum store_result store_list_facts(struct store *store, struct user_key user,
				   const struct fact_filter *filter, size_t limit,
				   struct fact_page *page, struct arena *arena);

struct fact_account {
	struct fact fact;
	struct fact *older; /* the versions that it took the place of, newest first */
	size_t older_count;
	struct fact *suggested; /* what was said against it since */
	size_t suggested_count;
	uint64_t receipts;      /* that hold it */
	uint64_t conversations; /* that were given it and would be given it again */
};

/* STORE_NOT_FOUND: there is no such fact, or it is forgotten. */
enum store_result store_read_fact(struct store *store, struct user_key user, uint64_t id,
				  struct fact_account *account, struct arena *arena);

struct correction_outcome {
	enum correction_result result;
	uint64_t id; /* as in struct corrected */
};

/* Corrects a fact, with everything that holds it: frozen contexts and replays go, receipts keep its
 * id and lose its text. Creating a fact makes the user if need be. Sets `outcome`, which must live
 * until the callback fires or the store is closed, before it fires. STORE_NOT_FOUND: there is no
 * such user. */
struct store_call *store_correct(struct store *store, struct slice tenant, struct slice user,
				 const struct correction *correction,
				 struct correction_outcome *outcome, struct store_waiter waiter);

/* The facts that say the same as others, and what merging them changes; changes nothing.
 * STORE_NOT_FOUND: there is no such user. */
enum store_result store_find_duplicates(struct store *store, struct user_key user, int64_t now,
					struct fact_changes *found, struct arena *arena);

/* Merges them: see facts_settle(). Sets `gone`, how many facts others stay for, before the
 * callback fires; it must live until then. STORE_NOT_FOUND: there are none. */
struct store_call *store_dedupe(struct store *store, struct user_key user, int64_t now,
				uint64_t *gone, struct store_waiter waiter);

/* The user's settings; the default if nothing is stored. */
enum store_result store_settings(struct store *store, struct user_key user,
				 struct user_settings *settings, struct arena *arena);

/* Stores settings, also of a user without a memory. A user who is not learned from loses the jobs
 * that wait; what is in progress for them is not written. */
struct store_call *store_put_settings(struct store *store, struct user_key user,
				      const struct user_settings *settings,
				      struct store_waiter waiter);

#endif
