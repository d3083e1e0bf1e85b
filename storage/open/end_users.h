/* Overwrites the keys of users whose records are gone. */
#ifndef RECALLD_STORAGE_OPEN_END_USERS_H
#define RECALLD_STORAGE_OPEN_END_USERS_H

#include "storage/lmdb/table.h"

/* Makes up for a process that ended between the last deletion of a user's records and the erasure
 * of the user's keys. For a store without a writer, or in an operation. */
void end_users(struct store *store);

#endif
