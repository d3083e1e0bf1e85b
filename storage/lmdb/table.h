/* Tables and transactions. A transaction keeps its first failure: what is asked of it afterwards
 * does nothing, finds nothing, and the commit gives that failure. So its users need not ask each
 * time. */
#ifndef RECALLD_STORAGE_LMDB_TABLE_H
#define RECALLD_STORAGE_LMDB_TABLE_H

#include "storage/lmdb/engine.h"
#include "storage/record/key.h"
#include "storage/record/stored.h"

struct MDB_txn;
struct MDB_cursor;

/* Of the shared tables that are asked for their size. */
struct table_counts {
	int64_t users;
	int64_t facts;
};

struct transaction {
	struct store *store;
	struct MDB_txn *handle;
	enum store_result result;
	struct buffer scratch; /* a record on its way into a table */
	bool reads;
	size_t spare; /* steps that are left to operations in slices; else without end */
	struct table_counts came; /* what it adds to the counts; the commit writes them */
	struct MDB_cursor *idle[TREE_COUNT]; /* while it reads: see cursor_take() */
};

/* False: it did not begin; `result` says why, and there is nothing to end. */
bool transaction_begin_read(struct transaction *transaction, struct store *store);
bool transaction_begin_write(struct transaction *transaction, struct store *store);
/* Aborts instead when something failed before. */
enum store_result transaction_commit(struct transaction *transaction);
void transaction_abort(struct transaction *transaction);
/* For a record that must be readable and is not. */
void transaction_fail(struct transaction *transaction);
/* Of what LMDB gave: "not found" is an answer, all else the transaction's failure. */
bool transaction_went_well(struct transaction *transaction, int code);
enum store_result engine_result(struct store *store, int code);

/* Values that are read point into the map until the next write or the transaction's end. */
bool table_get(struct transaction *transaction, enum table table, struct key key,
	       struct slice *value);
void table_put(struct transaction *transaction, enum table table, struct key key,
	       struct slice value);
bool table_delete(struct transaction *transaction, enum table table, struct key key);
/* A look at a tree's root, or at all of a shared table's keys. */
uint64_t table_count(struct transaction *transaction, enum table table);
/* What the store keeps of their sizes, with what this transaction adds. */
struct table_counts table_counts(struct transaction *transaction);
/* Deletes all whose keys begin with `prefix`; gives how many there were. Of everybody in a shared
 * table they may be too many for one transaction. */
size_t table_delete_all(struct transaction *transaction, enum table table, struct key prefix);
/* The same for at most `*steps` of them, each of which takes a step. False: a rest is left. */
bool table_delete_some(struct transaction *transaction, enum table table, struct key prefix,
		       size_t *steps);

/* Records. Reading one that is unreadable finds nothing and counts it. */
bool table_read(struct transaction *transaction, enum table table, struct key key,
		record_fields *fields, void *noun, struct arena *arena);
void table_write(struct transaction *transaction, enum table table, struct key key,
		 record_fields *fields, void *noun);
bool table_decode(struct transaction *transaction, struct slice value, record_fields *fields,
		  void *noun, struct arena *arena);

/* Walks over the keys that begin with a prefix. */
enum direction { FORWARD, BACKWARD };

struct scan {
	struct transaction *transaction;
	struct MDB_cursor *cursor;
	enum table table;
	struct key prefix;
	struct key from;
	enum direction direction;
	bool begun;
	struct key key; /* where it stands */
};

void scan_begin(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction);
/* From the first key that is not before `from`, or backward from the last one before it. Over all
 * users only forward, of one not in a table whose keys fall. */
void scan_begin_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction);
/* The key stands until the next step. */
bool scan_next(struct scan *scan, struct slice *key, struct slice *value);
/* As table_get(), but less work where the key lies near the one that was found last. From what it
 * found scan_next() goes on. */
bool scan_find(struct scan *scan, struct key key, struct slice *value);
void scan_delete(struct scan *scan); /* where it stands; scan_next() goes on behind it */
void scan_end(struct scan *scan);

#endif
