/* Tables and transactions. A transaction keeps its first failure: later calls do nothing and find
 * nothing, and the commit returns that failure, so callers need not check each call. */
#ifndef RECALLD_STORAGE_LMDB_TABLE_H
#define RECALLD_STORAGE_LMDB_TABLE_H
#include "core/base/digest_table.h"
#include "storage/lmdb/engine.h"
#include "storage/record/key.h"
#include "storage/record/seal.h"
#include "storage/record/seal_form.h"
#include "storage/record/stored.h"

struct MDB_txn;
struct MDB_cursor;

/* Record counts of the shared tables that report a size, and of commits that erased something. */
struct table_counts {
	int64_t users;
	int64_t facts;
	int64_t erasures;
};

/* The account of space: how many bytes of the store's file each user takes. Each record that is put
 * or deleted is added up, and the commit writes the sums, so that the account is right whoever
 * writes. It has a tree of its own, by the users' keys as they are stored. */
struct space {
	int64_t all;       /* bytes of all of a user's records, pages filled as usual */
	int64_t given;     /* of these: receipts, frozen contexts and replays */
	uint64_t is_whole; /* 0: an earlier version wrote some of them, which are not counted */
};

/* A transaction's changes of the account of space. Zeroed: none. */
struct space_change {
	struct user_key user; /* as it is stored */
	struct space add;     /* is_whole: the account is from now on */
};
struct space_changes {
	struct space_change *list;
	size_t count;
	size_t capacity;
	struct digest_table index; /* from a user to the place in the list */
};

struct transaction {
	struct store *store;
	struct MDB_txn *handle;
	enum store_result result;
	struct buffer scratch; /* builds a record before it is written */
	bool reads;
	bool writes;          /* something was put or deleted */
	unsigned environment; /* its number, see struct store */
	size_t spare;         /* steps left for operations in slices; otherwise unlimited */
	struct table_counts
		came; /* what the transaction adds to the counts; the commit writes them */
	struct space_changes space;
	struct MDB_cursor *idle[TREE_COUNT]; /* read transactions only: see cursor_take() */
	struct sealer *sealer;               /* NULL: the store is not encrypted */
	bool hides_nothing; /* its callers know keys as they are stored; values are opened */
	bool leaves_clear;  /* settings are put in the clear */
	size_t facts_gone;  /* those that the operation let give way to others */
	size_t opened;      /* the mark of the sealer's room before a value was sealed */
	bool ends_user;     /* the commit makes the keys of this user worthless */
	struct user_key ended;
};

/* A user's memory in a transaction, see storage/user/memory.h. */
struct memory {
	struct transaction *transaction;
	struct user_key user;
	struct arena *arena; /* receives copies of what is read */
};

/* False: it did not begin; `result` says why, and there is nothing to end. */
bool transaction_begin_read(struct transaction *transaction, struct store *store);
bool transaction_begin_write(struct transaction *transaction, struct store *store);
/* Aborts instead if an earlier call failed. */
enum store_result transaction_commit(struct transaction *transaction);
void transaction_abort(struct transaction *transaction);
/* For these two: what follows the end of LMDB's transaction. */
void transaction_end(struct transaction *transaction, bool committed);
/* The result of a reading call: its failure, or whether it found its record. */
enum store_result transaction_outcome(const struct transaction *transaction, bool found);
/* Counts the commit among those that erase something, see storage/scrub.h. */
void transaction_erases(struct transaction *transaction);
/* For a record that must be readable but is not. */
void transaction_fail(struct transaction *transaction);
/* Interprets LMDB's code: "not found" is a valid answer, any other error fails the transaction. */
bool transaction_went_well(struct transaction *transaction, int code);
enum store_result engine_result(struct store *store, int code);

/* Whether the store is encrypted, and the id of its keys. Its tables are open. */
enum seal_state transaction_seal_state(struct transaction *transaction, uint64_t *id);
/* A key as it is stored, of a transaction that hides nothing, as the table's users know it. */
struct key transaction_show_key(struct transaction *transaction, enum table table,
				struct slice key);
/* A value as it was put; in the sealer's room, unless it is clear. */
static inline struct slice transaction_open(const struct transaction *transaction, enum table table,
					    struct slice place, struct slice value)
{
	return transaction->sealer == NULL ? value
					   : form_open(transaction->sealer, table, place, value);
}
/* When the user got the keys of an encrypted store, in milliseconds since 1970; INT64_MAX: the user
 * has none. */
int64_t transaction_keyed_since(struct transaction *transaction, struct user_key user);
/* In an encrypted store, whoever commits it overwrites the user's keys once all of the user's
 * records but the settings are deleted. Settings that need the keys keep them. */
void transaction_ends_user(struct transaction *transaction, struct user_key user);

/* Values read since the mark are not needed any more. For long loops: opened values take memory. */
static inline size_t transaction_mark(const struct transaction *transaction)
{
	return transaction->sealer == NULL ? 0 : transaction->sealer->room.taken;
}
static inline void transaction_let_go(const struct transaction *transaction, size_t mark)
{
	if (transaction->sealer != NULL)
		room_return(&transaction->sealer->room, mark);
}

/* Returned values point into the map, or to where they were opened, until the next write or the end
 * of the transaction. */
bool table_get(struct transaction *transaction, enum table table, struct key key,
	       struct slice *value);
/* Opens a value that was read otherwise, with the key that it is stored under. */
struct slice table_open(struct transaction *transaction, enum table table, struct key key,
			struct slice value);
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
	bool opens_none; /* its functions open no value but scan_open() */
	bool lets_go;
	size_t mark;
	struct key key;     /* the current position */
	struct slice place; /* the same as it is in the tree; as long valid as the value */
	/* The key, valid until the next step, and the value. */
	struct slice at;
	struct slice value;
};

void scan_begin(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction);
/* Starts at the first key not before `from`, or backward from the last key before it. Across all
 * users: forward only, and not for a descending table. */
void scan_begin_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction);
/* Values read in the transaction from now on are valid until the scan's next step or end only. For
 * scans of more than a few records: opened values take memory. */
void scan_let_go(struct scan *scan);
/* Goes to the next record: scan->at and scan->value. False: there is none. */
bool scan_step(struct scan *scan);
/* Goes to the next record that can be read, and reads it into `noun`, of `size` bytes, which are
 * zeroed first. */
bool scan_read(struct scan *scan, record_fields *fields, void *noun, size_t size,
	       struct arena *arena);
/* A scan that ends with its first record, of which it opens no value: scan->at and scan->value stay
 * valid until the next write. False: there is none. */
bool scan_first(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction);
bool scan_first_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction);
/* Opens a value of where the scan stands, which was not. */
struct slice scan_open(struct scan *scan, struct slice value);
/* The size that it will have then. */
size_t scan_opened_size(const struct scan *scan, struct slice value);
/* Like table_get(), but cheaper if the key lies near the last one found: scan->value. scan_step()
 * continues from there. */
bool scan_find(struct scan *scan, struct key key);
/* Deletes the current record; scan_step() continues after it. */
void scan_delete(struct scan *scan);
void scan_end(struct scan *scan);

/* ---- the account of space ---- */

/* A record is put (`sign` 1) or deleted (-1): key and value as they are stored. */
void space_note(struct transaction *transaction, enum table table, struct slice key,
		struct slice value, int sign);
/* Adds a record's bytes to a sum. */
void space_add(struct space *space, enum table table, struct slice key, struct slice value,
	       int sign);
/* The transaction's changes of a user's account, as stored; valid until another is asked for. */
struct space_change *space_change_of(struct transaction *transaction, const unsigned char *user);
void space_forget(struct transaction *transaction); /* the changes */

/* Each commit leaves its number there (stored_number_fields). One that did not is of an earlier
 * version, which knows of no account: space_check(), at the begin of the first transaction, then
 * deletes the account, and all users are counted again. */
struct key space_written_key(void);
void space_check(struct transaction *transaction);

/* The user's account with the transaction's changes. */
struct space space_of(struct transaction *transaction, struct user_key user);

/* Whether all users are counted, so that who is not in the account takes nothing. */
bool space_counts_all(struct transaction *transaction);
void space_note_all_counted(struct transaction *transaction);
/* Counts a user's records one by one. Reads only. */
struct space space_count(struct transaction *transaction, struct user_key user);
/* Makes an account whole that had `before` when `counted` was counted. */
void space_complete(struct transaction *transaction, struct user_key user, struct space before,
		    struct space counted);

/* The users who take most by `given`, or else by `all`, in descending order: at most `most`.
 * Returns how many. Reads the whole account. */
struct space_rank {
	struct user_key user;
	int64_t bytes;
};
size_t space_largest(struct transaction *transaction, bool given, struct space_rank *ranks,
		     size_t most);

/* Walks the users in the order of their keys as they are stored: those in the account or, unless
 * all are counted, those with records. `at` is the last one, at first zeroed. False: that was the
 * last. */
bool space_next(struct transaction *transaction, struct user_key *at, struct space *space);
/* The user as others know it. */
struct user_key space_shown(struct transaction *transaction, struct user_key at);

#endif
