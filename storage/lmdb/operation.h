/* An operation: what the writer runs in its transactions, see writer.h. */
#ifndef RECALLD_STORAGE_LMDB_OPERATION_H
#define RECALLD_STORAGE_LMDB_OPERATION_H

#include "storage/store.h"

struct transaction;
struct operation;

/* May run twice if the first run is undone, so it must not change the operation. STORE_FULL and
 * STORE_FAILED undo it; any other result commits. */
typedef enum store_result operation_run(struct operation *operation,
					struct transaction *transaction);

/* The first member of every operation's struct. */
struct operation {
	operation_run *run;
	const struct user_key *user; /* the owner; NULL: the operation concerns all users */
	bool grows;                  /* refused while the store has no room */
	bool promised;               /* never refused, however long the queue is */
	bool in_slices;              /* may leave itself unfinished */
	/* Runs instead of `run` once a slice after the first has failed, and undoes the slices;
	 * NULL: retry as it is. */
	operation_run *undo;
	bool unfinished; /* this run did a part; commit it and run it again */
	bool begun;      /* a part is on disk */
	uint64_t slices; /* how many parts are */
	bool paused;     /* owned by the queue */
	bool may_wait;   /* may wait to share a commit: it delays at most its own user's next
			  * learn_job
			  */
	struct audit_entry *audit; /* of the audit log, once it went well; NULL: none */
	struct slice audit_line;   /* what this run wrote of it; empty: nothing */
	size_t size;
	struct arena arena; /* owns what was copied from the caller */
	struct operation *next;
	struct store_call *call; /* NULL: nobody waits */
	enum store_result result;
};

/* Steps of an operation in slices per transaction: a few milliseconds. */
enum { SLICE_STEPS = 8192 };

/* Allocates `size` bytes that begin with a struct operation. */
void *operation_create(size_t size, operation_run *run);
void *operation_copy(struct operation *operation, const void *bytes, size_t size);
struct slice operation_slice(struct operation *operation, struct slice bytes);
struct receipt operation_receipt(struct operation *operation, const struct receipt *receipt);

#endif
