/* A scrub's copy: a new environment in the folder "scrub" of the store's, which receives the
 * records in slices, and what has changed of them meanwhile. Functions return LMDB's codes. */
#ifndef RECALLD_STORAGE_OPEN_SCRUB_COPY_H
#define RECALLD_STORAGE_OPEN_SCRUB_COPY_H

#include "storage/lmdb/table.h"

struct MDB_env;
struct MDB_txn;

enum { COPY_KEY_MAX = 511 }; /* LMDB's limit */

struct copy {
	const char *from;   /* the store's folder */
	char *folder;       /* of the copy */
	struct store fresh; /* only its environment and trees are used */
	struct MDB_txn *writing;
	size_t tree; /* where the next slice begins: behind `key` in this tree */
	unsigned char key[COPY_KEY_MAX];
	size_t key_size; /* 0: at the tree's first */
	bool is_whole;   /* all records have been copied once */
	uint64_t copied; /* bytes */
	int64_t begun_at;
	uint64_t erasures; /* that the store had counted before the first slice */
};

/* What to copy from: a transaction and its trees; tree 0: there is none. */
struct copy_source {
	struct MDB_txn *transaction;
	const unsigned *trees;
};

/* Removes what a stopped process left in the store's folder. */
void copy_remove_old(const char *folder);
/* Call copy_finish() in any case. */
int copy_begin(struct copy *copy, const char *folder, uint64_t map_size);
/* Copies the next records, a few megabytes. */
int copy_slice(struct copy *copy, const struct copy_source *source);
/* Copies what has changed among the records that have been copied; `touched` is a list of
 * touched_take(). */
int copy_again(struct copy *copy, const struct copy_source *source, struct slice touched);
/* Notes in the copy what it is, and makes it durable. */
int copy_seal(struct copy *copy);
/* Puts the copy in the store's place. The copy's environment, if it is still open, is then the
 * store's. */
int copy_exchange(const struct copy *copy);
/* Closes the copy's environment unless it was taken out, and removes its folder. */
void copy_finish(struct copy *copy);

/* What copy_seal() notes. */
struct copy_note {
	int64_t at;
	uint64_t erasures;
};
bool copy_read_note(struct transaction *transaction, struct copy_note *note);

#endif
