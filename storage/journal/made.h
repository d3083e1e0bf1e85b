/* What requests were given of a memory: which receipts hold something that leaves it. Frozen
 * contexts and replays: replays.h. */
#ifndef RECALLD_STORAGE_JOURNAL_MADE_H
#define RECALLD_STORAGE_JOURNAL_MADE_H

#include "core/base/ids.h"
#include "storage/user/memory.h"

/* Whether a receipt is the user's and holds any of it. */
bool receipt_is_made_of(const struct memory *memory, const struct leaving *leaving,
			uint64_t receipt);
/* Lists the user's receipts that hold any of it, in the memory's arena. */
void receipts_made_of(struct id_list *list, const struct memory *memory,
		      const struct leaving *leaving);
/* Deletes those stored after the one of age `after`. Returns how many. */
size_t receipts_delete_since(const struct memory *memory, const struct leaving *leaving,
			     uint64_t after);

#endif
