/* The list of erasures: what was erased must not come back with a backup, an import, or a history
 * that a client sends again.
 *
 * It holds no texts and no ids, only keyed hashes and times, and lies in a file of its own beside
 * the store, so that it outlives a restore of the store. It knows users, turns and facts. What was
 * said after the erasure is new and may be kept.
 *
 * Every function may be called from any thread. */
#ifndef RECALLD_STORAGE_FILES_ERASURES_H
#define RECALLD_STORAGE_FILES_ERASURES_H

#include "core/memory/memory.h"
#include "core/memory/user.h"

struct erasures;

/* Reads the list in a store's folder; a missing file is an empty list. Entries from before `since`
 * are dropped. Never NULL: a file that cannot be read is left alone, and nothing can be added. */
struct erasures *erasures_open(const char *folder, int64_t since);
void erasures_close(struct erasures *erasures); /* NULL is fine */

/* Adds entries; erasures_sync() puts them on the disk. */
void erasures_add_user(struct erasures *erasures, struct user_key user, int64_t at);
void erasures_add_turn(struct erasures *erasures, struct user_key user, uint64_t hash, int64_t at);
void erasures_add_fact(struct erasures *erasures, struct user_key user, const struct fact *fact,
		       int64_t at);
/* False: the file could not be written; the entries hold until the store is closed. */
bool erasures_sync(struct erasures *erasures);

/* Whether what was said at that time was erased later. */
bool erasures_hold_user(struct erasures *erasures, struct user_key user, int64_t said_at);
/* Also true if only the turn was erased. `hash` 0: only the user counts. */
bool erasures_hold_turn(struct erasures *erasures, struct user_key user, uint64_t hash,
			int64_t said_at);
bool erasures_hold_fact(struct erasures *erasures, struct user_key user, const struct fact *fact);
/* When it was erased; INT64_MIN: it was not, or said later. */
int64_t erasures_turn_at(struct erasures *erasures, struct user_key user, uint64_t hash,
			 int64_t said_at);
int64_t erasures_fact_at(struct erasures *erasures, struct user_key user, const struct fact *fact);

/* How many were ever added: a store that has seen fewer is an older copy. */
uint64_t erasures_total(struct erasures *erasures);

/* The name of its file. */
#define ERASURES_FILE "erasures"

#endif
