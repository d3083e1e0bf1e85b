/* The embedded engine: one LMDB environment, its tables, and the state that all parts of the store
 * share. Reads run on the caller's thread in a transaction that ends with the call; writes run on
 * the writer's thread. */
#ifndef RECALLD_STORAGE_LMDB_ENGINE_H
#define RECALLD_STORAGE_LMDB_ENGINE_H

#include "storage/files/files.h"
#include "storage/record/key.h"
#include "storage/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct MDB_env;
struct MDB_txn;
struct writer;
struct erasures;
struct touched;
struct seal;
struct operation;
struct transaction;
struct forget_epochs;

enum {
	TREE_SPACE = FIRST_SHARED_TABLE + 1, /* after the shared tree; see storage/lmdb/table.h */
	TREE_COUNT,
	STORE_FORMAT = 5, /* stored under "format"; see storage/open/convert.c for others */
};

/* Changes of a memory after a request has read it: see storage/lmdb/forget_epochs.h. */
enum epoch {
	EPOCH_FORGOTTEN,  /* the whole user */
	EPOCH_HIDDEN,     /* some of it was erased */
	EPOCH_TAKEN_BACK, /* some of it ceased to stand */
	EPOCHS,
};

struct store {
	/* A scrub replaces it: other threads than the writer's use only their transaction's. */
	struct MDB_env *env;
	pthread_mutex_t replacing; /* guards `env` and the two below */
	unsigned replaced;         /* how often */
	unsigned readers[2];       /* transactions of an even and of an odd environment */
	unsigned trees[TREE_COUNT];
	char *path;
	int lock;         /* locks out other processes; empty after a clean end */
	bool was_cut_off; /* the previous owner did not close it */
	uint64_t map_size;
	uint64_t receipts;
	struct store_conversion converted;
	struct erasures *erasures; /* see storage/files/erasures.h */
	struct store_lost lost;    /* as found when it was opened */
	struct seal *seal;         /* NULL: the store is not encrypted; see storage/record/seal.h */

	/* Used only by the writer. The forget_epochs on disk are public. */
	struct writer *writer;
	/* Writes an operation's entry into the audit log, in its transaction; see storage/audit.h
	 */
	void (*record_audit)(struct operation *operation, struct transaction *transaction);
	/* Tells of the entries once they are committed. */
	void (*tell_audit)(struct store *store, struct operation **operations, size_t count);
	_Atomic(audit_listener *) audit_listener;           /* NULL: nobody listens */
	_Atomic(fact_limit_listener *) fact_limit_listener; /* the same */
	struct forget_epochs *epochs[EPOCHS];
	uint64_t next_forget_epoch;
	uint64_t full_at; /* bytes used when a write found no room; 0: room has been freed since */

	struct crowd *crowd;     /* who makes room, see storage/user/make_room.c; writer only */
	struct touched *touched; /* NULL: no copy is being made */
	uint64_t reserved; /* bytes of the file that no other file's growth can take; writer only */
	uint64_t cached_singly; /* so far, see engine_cache_singly(); writer only */
	atomic_bool has_reserve;
	atomic_bool has_room;
	atomic_bool is_crowded;   /* see store_is_crowded() */
	atomic_bool is_broken;    /* LMDB found the file damaged */
	atomic_bool is_stuck;     /* LMDB begins no more transactions */
	atomic_bool ends_imports; /* see store_end_imports() */
	atomic_uint_least64_t forget_epoch;
	atomic_uint_least64_t unreadable;
	atomic_uint_least64_t commits;
	atomic_uint_least64_t writes;
	atomic_uint_least64_t audit_dropped; /* entries of reads */
};

/* Bytes of the map in use: all pages ever used except those freed since. 0: unknown at present. */
uint64_t engine_bytes_used(struct store *store);
uint64_t engine_head_room(const struct store *store);
/* Checks the map and the disk; `has_room` holds the result. */
void engine_look_at_room(struct store *store);
/* The number of free pages with a number of at least `from`. */
uint64_t engine_free_pages(struct transaction *transaction, uint64_t from);
size_t engine_tree_of(enum table table);
const char *engine_tree_name(size_t tree);
/* Returns LMDB's code. */
int engine_open_tree(struct store *store, struct MDB_txn *handle, size_t tree, unsigned flags);
/* Bytes of the disk that the store leaves free. */
uint64_t engine_disk_head_room(void);
bool engine_disk_has_room(const struct store *store);
/* Makes another environment the store's. Returns the number of the one before, for
 * engine_has_readers(). Writer only. */
unsigned engine_replace(struct store *store, struct MDB_env *env);
bool engine_has_readers(struct store *store, unsigned number);
/* Makes the file system reserve blocks for promised writes and for deletes, so that these succeed
 * even if others fill the disk. */
void engine_reserve(struct store *store);
/* Reads the pages after the last used one, one by one, before a commit writes many of them at once.
 * Linux caches a file in folios as large as the access that first touched them, and writing one
 * page again makes it walk its whole folio. Call after each commit. */
void engine_cache_singly(struct store *store);
/* How many bytes may be written between two checks of the room. */
uint64_t engine_look_distance(const struct store *store);

/* ---- opening ---- */

/* A preparation of a store's file before it is opened, while the lock is held. False: it failed,
 * and `error` says why. */
typedef bool engine_preparation(struct store *store, const struct store_options *options,
				struct complaint complaint);

/* Opens, or creates, the LMDB environment of a folder. Returns LMDB's code; close `env` unless it
 * is NULL, even if that is an error. */
int engine_open_environment(const char *folder, uint64_t map_size, unsigned flags,
			    struct MDB_env **env);
/* Opens the environment and its tables, without a writer. Returns NULL with the reason in `error`,
 * like store_open(). */
struct store *engine_open(const struct store_options *options, engine_preparation *prepare,
			  struct complaint complaint);
/* Whether the writes of opening succeeded; if not, `error` says why. */
bool engine_judge(struct store *store, enum store_result result, struct complaint complaint);
bool engine_start_writer(struct store *store, struct complaint complaint);

#endif
