/* Detects that a user was forgotten after a request read that user's memory.
 *
 * A forget_epoch is the count of forgettings at the time of reading. The table records at which
 * count a user was marked, for as many users as it holds. For evicted users it answers yes to any
 * forget_epoch older than the eviction, so that forgotten data never comes back. Belongs to the
 * writer thread. */
#ifndef RECALLD_STORAGE_LMDB_FORGET_EPOCHS_H
#define RECALLD_STORAGE_LMDB_FORGET_EPOCHS_H

#include "storage/store.h"

struct forget_epochs;

/* `capacity` must be a power of two. */
struct forget_epochs *forget_epochs_create(uint32_t capacity);
void forget_epochs_destroy(struct forget_epochs *forget_epochs);

void forget_epochs_record(struct forget_epochs *forget_epochs, struct user_key user, uint64_t at);
/* Whether the user was marked after the forget_epoch was issued. */
bool forget_epochs_passed(const struct forget_epochs *forget_epochs, struct user_key user,
			  uint64_t forget_epoch);

#endif
