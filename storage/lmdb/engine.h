/* The embedded engine: one LMDB environment, its tables, and what all of the store's parts share.
 * Reads run on the caller's thread in a transaction that ends with the call, writes on the
 * writer's. */
#ifndef RECALLD_STORAGE_LMDB_ENGINE_H
#define RECALLD_STORAGE_LMDB_ENGINE_H

#include "storage/lmdb/forget_epochs.h"
#include "storage/store.h"

#include <stdatomic.h>

struct MDB_env;
struct MDB_txn;
struct writer;

/* The tables, with their keys; those of users behind the user's 16 bytes. Each of the first ones
 * has a tree of its own, because it is counted, or looked at for all users. The others share one,
 * so that what a user has lies on the same few pages, which are read and written together. In
 * pairs of them the keys of the first rise and those of the second, which "falls", fall: their
 * newest records, which an exchange writes, are neighbours, and those of which a user has but one
 * lie between them. Their numbers are in the keys: a new one goes to the end. */
enum table {
	TABLE_META,         /* by name; nobody's: "format", "first_id", "index_version", "counts" */
	TABLE_RECEIPTS,     /* receipt; nobody's */
	TABLE_RECEIPT_AGES, /* age; nobody's; the receipt */
	TABLE_TURNS,        /* turn */
	TABLE_JOBS,         /* kind, exchange */
	TABLE_PARKED,       /* kind, exchange; the jobs that wait for a person */

	TABLE_FACTS,         /* fact */
	TABLE_SUMMARIES,     /* nothing more */
	TABLE_USERS,         /* nothing more */
	TABLE_TURN_TIMES,    /* time, turn; only current turns, no value; falls */
	TABLE_EXCHANGES,     /* conversation, ordinal, exchange */
	TABLE_REPLAYS,       /* conversation, ordinal, number; the newest has the highest; falls */
	TABLE_CONVERSATIONS, /* conversation */
	TABLE_FROZEN,        /* conversation; falls */
	TABLE_SESSIONS,      /* digest of the session; the conversation */
	TABLE_ANSWERS,       /* hash, conversation, ordinal */
	TABLE_DOCUMENTS,     /* block of turns; a struct recall_document for each */
	TABLE_TERMS,         /* turn; its terms, until its block is full */
	TABLE_USER_RECEIPTS, /* receipt; no value; falls */
	TABLE_POSTINGS,      /* span of turns, term; which of them have it */
	TABLE_VECTORS,       /* block of turns */
	TABLE_EMBEDDINGS,    /* nothing more; whose vectors they are */
	TABLE_COUNT,
	FIRST_USER_TABLE = TABLE_TURNS,
	FIRST_SHARED_TABLE = TABLE_FACTS,
};

enum {
	TREE_COUNT = FIRST_SHARED_TABLE + 1, /* the last is the shared one */
	STORE_FORMAT = 5,                    /* under "format"; another's store is refused */
};

struct store {
	struct MDB_env *env;
	unsigned trees[TREE_COUNT];
	char *path;
	int lock;         /* the file that keeps other processes out; empty after a clean end */
	bool was_cut_off; /* whoever had it last did not close it */
	uint64_t map_size;
	uint64_t receipts;

	/* The writer's. The counts of forgettings that are on disk are public, as forget_epochs. */
	struct writer *writer;
	struct forget_epochs *forgotten;
	struct forget_epochs *hidden;
	struct forget_epochs *taken_back;
	uint64_t next_forget_epoch;
	uint64_t full_at; /* bytes used when a write found no room; 0: it has been freed since */

	uint64_t reserved;      /* bytes of the file that no other's growth can take from us; the
				   writer's */
	uint64_t cached_singly; /* so far, see engine_cache_singly(); the writer's */
	atomic_bool has_reserve;
	atomic_bool has_room;
	atomic_bool is_broken; /* LMDB found the file damaged */
	atomic_bool is_stuck;  /* LMDB begins no transaction any more */
	atomic_uint_least64_t forget_epoch;
	atomic_uint_least64_t unreadable;
	atomic_uint_least64_t commits;
	atomic_uint_least64_t writes;
};

/* Of the map: all pages ever used but those that are free again; 0: it cannot be told now. */
uint64_t engine_bytes_used(struct store *store);
uint64_t engine_head_room(const struct store *store);
/* Looks at the map and the disk; `has_room` tells what was seen. */
void engine_look_at_room(struct store *store);
struct transaction;
/* How many pages are free, of those from the number `from` on. */
uint64_t engine_free_pages(struct transaction *transaction, uint64_t from);
size_t engine_tree_of(enum table table);
const char *engine_tree_name(size_t tree);
/* Gives LMDB's code. */
int engine_open_tree(struct store *store, struct MDB_txn *handle, size_t tree, unsigned flags);
bool engine_disk_has_room(const struct store *store);
/* Has the file system keep blocks ready for what was promised, and for deletes, so that they still
 * go through when others fill the disk. */
void engine_reserve(struct store *store);
/* Reads the pages behind the last one that is used, one by one, before a commit writes many of them
 * at once: Linux caches a file in folios as large as what first read or wrote them, and to write
 * one page again takes it a walk over all of its folio. To be called after each commit. */
void engine_cache_singly(struct store *store);
/* How much may be written between two looks at the room. */
uint64_t engine_look_distance(const struct store *store);

/* Goes on with deletes of users that a stopped process left half done. */
void forget_resume(struct store *store);

/* Opens the environment and its tables, with no writer yet; NULL, and why in `error`, as
 * store_open().
 */
struct store *engine_open(const struct store_options *options, char *error, size_t error_size);
/* Whether what opening wrote went well; else why in `error`. */
bool engine_judge(struct store *store, enum store_result result, char *error, size_t error_size);
bool engine_start_writer(struct store *store, char *error, size_t error_size);

#endif
