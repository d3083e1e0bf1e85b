/* Tables and transactions. A transaction keeps its first failure: later calls do nothing and find
 * nothing, and the commit returns that failure, so callers need not check each call. */
#ifndef RECALLD_STORAGE_LMDB_TABLE_H
#define RECALLD_STORAGE_LMDB_TABLE_H

#include "storage/lmdb/engine.h"
#include "storage/record/key.h"
#include "storage/record/stored.h"

struct MDB_txn;
struct MDB_cursor;

/* Record counts of the shared tables that report a size. */
struct table_counts {
	int64_t users;
	int64_t facts;
};

struct transaction {
	struct store *store;
	struct MDB_txn *handle;
	enum store_result result;
	struct buffer scratch; /* builds a record before it is written */
	bool reads;
	size_t spare; /* steps left for operations in slices; otherwise unlimited */
	struct table_counts
		came; /* what the transaction adds to the counts; the commit writes them */
	struct MDB_cursor *idle[TREE_COUNT]; /* read transactions only: see cursor_take() */
};

/* False: it did not begin; `result` says why, and there is nothing to end. */
bool transaction_begin_read(struct transaction *transaction, struct store *store);
bool transaction_begin_write(struct transaction *transaction, struct store *store);
/* Aborts instead if an earlier call failed. */
enum store_result transaction_commit(struct transaction *transaction);
void transaction_abort(struct transaction *transaction);
/* For a record that must be readable but is not. */
void transaction_fail(struct transaction *transaction);
/* Interprets LMDB's code: "not found" is a valid answer, any other error fails the transaction. */
bool transaction_went_well(struct transaction *transaction, int code);
enum store_result engine_result(struct store *store, int code);

/* Returned values point into the map until the next write or the end of the transaction. */
bool table_get(struct transaction *transaction, enum table table, struct key key,
	       struct slice *value);
void table_put(struct transaction *transaction, enum table table, struct key key,
	       struct slice value);
bool table_delete(struct transaction *transaction, enum table table, struct key key);
/* Reads the count from a tree's root; walks all keys of a shared table. */
uint64_t table_count(struct transaction *transaction, enum table table);
/* The stored counts, including this transaction's changes. */
struct table_counts table_counts(struct transaction *transaction);
/* Deletes all records whose keys begin with `prefix`; returns their number. In a shared table, the
 * records of all users may be too many for one transaction. */
size_t table_delete_all(struct transaction *transaction, enum table table, struct key prefix);
/* Deletes at most `*steps` of them, one step each. False: some are left. */
bool table_delete_some(struct transaction *transaction, enum table table, struct key prefix,
		       size_t *steps);

/* Records. Reading treats an unreadable record as absent and counts it. */
bool table_read(struct transaction *transaction, enum table table, struct key key,
		record_fields *fields, void *noun, struct arena *arena);
void table_write(struct transaction *transaction, enum table table, struct key key,
		 record_fields *fields, void *noun);
bool table_decode(struct transaction *transaction, struct slice value, record_fields *fields,
		  void *noun, struct arena *arena);

/* Walks the keys that begin with a prefix. */
enum direction { FORWARD, BACKWARD };

struct scan {
	struct transaction *transaction;
	struct MDB_cursor *cursor;
	enum table table;
	struct key prefix;
	struct key from;
	enum direction direction;
	bool begun;
	struct key key; /* the current position */
};

void scan_begin(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction);
/* Starts at the first key not before `from`, or backward from the last key before it. Across all
 * users: forward only, and not for a descending table. */
void scan_begin_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction);
/* The key is valid until the next step. */
bool scan_next(struct scan *scan, struct slice *key, struct slice *value);
/* Like table_get(), but cheaper if the key lies near the last one found. scan_next() continues from
 * there. */
bool scan_find(struct scan *scan, struct key key, struct slice *value);
void scan_delete(
	struct scan *scan); /* deletes the current record; scan_next() continues after it */
void scan_end(struct scan *scan);

#endif
