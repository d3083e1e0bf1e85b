/* The embedded engine: one LMDB environment, its tables, and the state that all parts of the store
 * share. Reads run on the caller's thread in a transaction that ends with the call; writes run on
 * the writer's thread. */
#ifndef RECALLD_STORAGE_LMDB_ENGINE_H
#define RECALLD_STORAGE_LMDB_ENGINE_H

#include "storage/lmdb/forget_epochs.h"
#include "storage/store.h"

#include <stdatomic.h>

struct MDB_env;
struct MDB_txn;
struct writer;

/* The tables and their keys; in tables of users the key starts with the user's 16 bytes. Each of
 * the first tables has its own tree, because it is counted or scanned over all users. The others
 * share one tree, so that a user's records lie on the same few pages, which are read and written
 * together. These come in pairs: keys ascend in the first table of a pair and descend in the second
 * (marked "descending"), so that the newest records of both, which an exchange writes, are
 * neighbours; tables with one record per user lie between them. The numbers are part of the keys:
 * add a new table at the end. */
enum table {
	TABLE_META,         /* by name, no user: "format", "first_id", "index_version", "counts" */
	TABLE_RECEIPTS,     /* receipt; no user */
	TABLE_RECEIPT_AGES, /* age; no user; holds the receipt */
	TABLE_TURNS,        /* turn */
	TABLE_JOBS,         /* kind, exchange */
	TABLE_PARKED,       /* kind, exchange; jobs that wait for a person */

	TABLE_FACTS,         /* fact */
	TABLE_SUMMARIES,     /* user only */
	TABLE_USERS,         /* user only */
	TABLE_TURN_TIMES,    /* time, turn; only current turns, no value; descending */
	TABLE_EXCHANGES,     /* conversation, ordinal, exchange */
	TABLE_REPLAYS,       /* conversation, ordinal, number; the newest has the highest number;
				descending */
	TABLE_CONVERSATIONS, /* conversation */
	TABLE_FROZEN,        /* conversation; descending */
	TABLE_SESSIONS,      /* digest of the session; holds the conversation */
	TABLE_ANSWERS,       /* hash, conversation, ordinal */
	TABLE_DOCUMENTS,     /* block of turns; a struct recall_document for each */
	TABLE_TERMS,         /* turn; its terms, until its block is full */
	TABLE_USER_RECEIPTS, /* receipt; no value; descending */
	TABLE_POSTINGS,      /* span of turns, term; holds the turns that have it */
	TABLE_VECTORS,       /* block of turns */
	TABLE_EMBEDDINGS,    /* user only; the model of the user's vectors */
	TABLE_LINKS,         /* digest of the id of a reply that requests may continue from */
	TABLE_COUNT,
	FIRST_USER_TABLE = TABLE_TURNS,
	FIRST_SHARED_TABLE = TABLE_FACTS,
};

enum {
	TREE_COUNT = FIRST_SHARED_TABLE + 1, /* the last tree is the shared one */
	STORE_FORMAT = 5, /* stored under "format"; see storage/open/convert.h for others */
};

struct store {
	struct MDB_env *env;
	unsigned trees[TREE_COUNT];
	char *path;
	int lock;         /* locks out other processes; empty after a clean end */
	bool was_cut_off; /* the previous owner did not close it */
	uint64_t map_size;
	uint64_t receipts;
	uint64_t converted_from; /* the format that it had; 0: it had this one */

	/* Used only by the writer. The forget_epochs on disk are public. */
	struct writer *writer;
	struct forget_epochs *forgotten;
	struct forget_epochs *hidden;
	struct forget_epochs *taken_back;
	uint64_t next_forget_epoch;
	uint64_t full_at; /* bytes used when a write found no room; 0: room has been freed since */

	uint64_t reserved; /* bytes of the file that no other file's growth can take; writer only */
	uint64_t cached_singly; /* so far, see engine_cache_singly(); writer only */
	atomic_bool has_reserve;
	atomic_bool has_room;
	atomic_bool is_broken; /* LMDB found the file damaged */
	atomic_bool is_stuck;  /* LMDB begins no more transactions */
	atomic_uint_least64_t forget_epoch;
	atomic_uint_least64_t unreadable;
	atomic_uint_least64_t commits;
	atomic_uint_least64_t writes;
};

/* Bytes of the map in use: all pages ever used except those freed since. 0: unknown at present. */
uint64_t engine_bytes_used(struct store *store);
uint64_t engine_head_room(const struct store *store);
/* Checks the map and the disk; `has_room` holds the result. */
void engine_look_at_room(struct store *store);
struct transaction;
/* The number of free pages with a number of at least `from`. */
uint64_t engine_free_pages(struct transaction *transaction, uint64_t from);
size_t engine_tree_of(enum table table);
const char *engine_tree_name(size_t tree);
/* Returns LMDB's code. */
int engine_open_tree(struct store *store, struct MDB_txn *handle, size_t tree, unsigned flags);
bool engine_disk_has_room(const struct store *store);
/* Makes the file system reserve blocks for promised writes and for deletes, so that these succeed
 * even if others fill the disk. */
void engine_reserve(struct store *store);
/* Reads the pages after the last used one, one by one, before a commit writes many of them at once.
 * Linux caches a file in folios as large as the access that first touched them, and writing one
 * page again makes it walk its whole folio. Call after each commit. */
void engine_cache_singly(struct store *store);
/* How many bytes may be written between two checks of the room. */
uint64_t engine_look_distance(const struct store *store);

#endif
