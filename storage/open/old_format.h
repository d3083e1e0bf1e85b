/* Layouts of stores that are converted: those of earlier formats, and today's in the clear. */
#ifndef RECALLD_STORAGE_OPEN_OLD_FORMAT_H
#define RECALLD_STORAGE_OPEN_OLD_FORMAT_H

#include "storage/lmdb/engine.h"
#include "storage/record/key.h"

enum { MOST_OLD_TREES = 16 };

struct old_tree {
	const char *name;
	enum table table; /* TABLE_COUNT: the shared tree, whose keys name the table */
};

struct old_format {
	uint64_t number;
	struct old_tree trees[MOST_OLD_TREES]; /* an entry without a name ends the list */
	enum table shared[TABLE_COUNT];        /* by the number that follows the user in a key */
	size_t shared_count;
	enum table falling[TABLE_COUNT]; /* tables of the shared tree whose keys descended */
	size_t falling_count;
};

/* NULL: it is not known. */
const struct old_format *old_format_find(uint64_t number);
/* Finds the table and the key of a record in `tree`. False: the key is invalid. */
bool old_format_read_key(const struct old_format *format, const struct old_tree *tree,
			 struct slice stored, enum table *table, struct key *key);

#endif
