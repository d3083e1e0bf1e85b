/* What is known about the replies that requests may continue from, by their ids. */
#ifndef RECALLD_STORAGE_USER_LINKS_H
#define RECALLD_STORAGE_USER_LINKS_H

#include "core/base/ids.h"
#include "storage/user/memory.h"

bool links_find(const struct memory *memory, struct slice id, struct chain_link *link);
void links_put(const struct memory *memory, struct slice id, const struct chain_link *link);
/* Deletes those that lead to one of the conversations, in one walk over the user's links. Sorts the
 * list. */
void links_delete(const struct memory *memory, const struct id_list *conversations);
/* Deletes the texts of pending turns that were said then or before. */
void links_drop_pending(const struct memory *memory, int64_t until);
/* The same for a bounded number of links: rising steps come round to all of them. */
void links_drop_some_pending(const struct memory *memory, int64_t until, uint64_t step);

#endif
