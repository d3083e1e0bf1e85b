/* What a deletion in slices leaves on disk until its end, so that the next start completes it. */
#ifndef RECALLD_STORAGE_ERASE_DELETION_MARK_H
#define RECALLD_STORAGE_ERASE_DELETION_MARK_H

#include "core/base/ids.h"
#include "storage/user/memory.h"

struct unfinished_deletion {
	int64_t now; /* when it was asked for */
	uint64_t conversation;
	struct id_list turns; /* ascending */
	struct arena *arena;  /* for reading */
};
record_fields unfinished_deletion_fields;

/* The keys of all marks begin with it; the user follows. */
struct key deletion_mark_prefix(void);
void deletion_mark_put(const struct memory *memory, struct unfinished_deletion *unfinished);
void deletion_mark_remove(const struct memory *memory);

#endif
