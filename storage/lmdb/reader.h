/* A store's folder opened for reading alone, beside whoever has it open, and work on it that may
 * crash: a damaged page can lead LMDB anywhere, so that is done in a process of its own. */
#ifndef RECALLD_STORAGE_LMDB_READER_H
#define RECALLD_STORAGE_LMDB_READER_H

#include "storage/lmdb/table.h"

struct reader {
	struct store store; /* only what reading takes */
	struct transaction transaction;
	bool has_tree[TREE_COUNT];
	int lock; /* of the folder; -1: another process has it */
	bool begun;
};

/* NULL when it went well, else what did not, for "cannot read ...: %s". `is_ours`: the caller holds
 * the store's lock. To be finished in either case. */
const char *reader_open(struct reader *reader, const char *path, bool is_ours);
void reader_finish(struct reader *reader);
/* Than this recalld's. Where none can be read, there may still be something to save. */
bool reader_has_other_format(struct reader *reader);

/* Runs `work(cookie)` in a child process, which ends with its parent. Its result, or one of these.
 */
enum { APART_CRASHED = -1, APART_NOT_BEGUN = -2 };
int reader_run_apart(int (*work)(void *cookie), void *cookie);

/* Looks at a store's file before it is opened: at its header, its length, its list of free pages,
 * and the first and last record of each table; when `whole`, at every record, as far as some
 * seconds go. NULL: it can be opened, or there is none yet; else what is wrong with it, which is
 * damage or else keeps from looking. The caller holds the lock. */
const char *reader_probe(const char *path, bool whole, bool *is_damaged);

#endif
