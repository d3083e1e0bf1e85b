/* Tombstones, settings and changes of facts in their tables. */
#ifndef RECALLD_STORAGE_USER_RIGHTS_H
#define RECALLD_STORAGE_USER_RIGHTS_H

#include "core/base/ids.h"
#include "core/facts/change.h"
#include "core/memory/user.h"
#include "storage/user/memory.h"

struct tombstones memory_tombstones(const struct memory *memory);
/* For the fact's value, under its entity and key. */
void memory_bury(const struct memory *memory, const struct fact *fact, int64_t at);
/* Under every key: for the values of the fact and of those it superseded, which have lower ids,
 * among these, ascending. */
void memory_bury_chain(const struct memory *memory, const struct id_list *facts, uint64_t id,
		       int64_t at);
/* The same for the values of these facts. */
void memory_bury_all(const struct memory *memory, const struct id_list *facts, int64_t at);
/* Deletes those of the fact's value, whatever synonym of its key they are under. */
void memory_lift(const struct memory *memory, const struct fact *fact);
/* Stores a tombstone of an export. */
void memory_put_tombstone(const struct memory *memory, uint64_t value, uint64_t subject,
			  struct tombstone *tombstone);

/* The default if none are stored. */
struct user_settings memory_settings(const struct memory *memory);
void memory_put_settings(const struct memory *memory, const struct user_settings *settings);
/* Leaves only what outlives the user's memory. */
void memory_forget_settings(const struct memory *memory);

#endif
