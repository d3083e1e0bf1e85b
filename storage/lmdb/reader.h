/* Opens a store's directory for reading only, beside any process that has it open, and runs work on
 * it that may crash: a damaged page can lead LMDB anywhere, so such work runs in its own
 * process. */
#ifndef RECALLD_STORAGE_LMDB_READER_H
#define RECALLD_STORAGE_LMDB_READER_H

#include "storage/lmdb/table.h"

struct reader {
	struct store store; /* only the members that reading needs */
	struct transaction transaction;
	bool has_tree[TREE_COUNT];
	int lock; /* of the directory; -1: another process has it */
	bool begun;
};

/* Returns NULL on success, otherwise the reason, for "cannot read ...: %s". `is_ours`: the caller
 * holds the store's lock. Finish the reader in either case. */
const char *reader_open(struct reader *reader, const char *path, bool is_ours);
void reader_finish(struct reader *reader);
/* After it was opened: opens the keys of an encrypted store; keys are then given as they are
 * stored. False: `master` (NULL: none) does not fit, and `error` says why. */
bool reader_open_keys(struct reader *reader, const char *path, const unsigned char *master,
		      struct complaint complaint);
/* Whether the format differs from this recalld's. Even if none can be read, there may still be data
 * to save. */
bool reader_has_other_format(struct reader *reader);

/* Runs `work(cookie)` in a child process that ends with its parent. Returns its result, or one of
 * these. */
enum { APART_CRASHED = -1, APART_NOT_BEGUN = -2 };
int reader_run_apart(int (*work)(void *cookie), void *cookie);

/* Checks a store's file before it is opened: its header, its length, its list of free pages, and
 * the first and last record of each table; with `whole`, every record, as far as a few seconds
 * allow. Returns NULL if the store can be opened or does not exist yet; otherwise the fault, which
 * `is_damaged` distinguishes from an obstacle to the check. The caller holds the lock. */
const char *reader_probe(const char *path, bool whole, bool *is_damaged);

#endif
