/* Which records of an export were erased after it was written: a rebuild leaves them out. */
#ifndef RECALLD_STORAGE_DUMP_ERASED_H
#define RECALLD_STORAGE_DUMP_ERASED_H

#include "core/base/ids.h"
#include "storage/dump/form.h"
#include "storage/erasures/erasures.h"
#include "storage/user/memory.h"

struct erased_filter {
	struct erasures *erasures;
	struct id_list shortened; /* users of whom something was left out, by user_hash() */
	struct arena arena;
};

/* Whether the record belongs to a user who was erased. Records follow their user's. */
bool erased_user(const struct erased_filter *filter, const struct memory *memory,
		 const struct dump_line *line);
/* Whether the record itself was, or may tell of what was. A turn loses its text and stays: it keeps
 * its place in its conversation. */
bool erased_record(struct erased_filter *filter, struct dump_line *line);

#endif
