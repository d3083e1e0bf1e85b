/* Inside store_append(). */
#ifndef RECALLD_STORAGE_ACCESS_APPEND_H
#define RECALLD_STORAGE_ACCESS_APPEND_H

#include "storage/user/memory.h"

/* Writes an exchange in the memory's transaction, which may be undone and run again, so `append` is
 * not changed. STORE_STALE: the user was forgotten, or the turn being asked again is gone. */
enum store_result append_exchange(const struct memory *memory, const struct append *append);

#endif
