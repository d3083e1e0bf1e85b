/* The writer: one thread that owns every write.
 *
 * Operations wait in a queue that is bounded by their bytes. The writer takes what is there, runs
 * it in one transaction, commits with one sync, and only then has the callbacks posted: a caller
 * that hears STORE_OK may rely on the disk. When a batch fails it is undone and its operations run
 * one by one, so that a small one, or a delete, still succeeds where a large one cannot.
 *
 * An operation that may take long runs in slices, one to a transaction, so that it holds up the
 * other users for a slice and never for the whole. Each slice spends transaction->spare and sets
 * `unfinished` when it leaves a rest. What it has done so far must be of no harm alone, and a mark
 * on the disk must have a crash in between finished at the next start. The user's own operations
 * wait until it is over: none of them sees a part. */
#ifndef RECALLD_STORAGE_LMDB_WRITER_H
#define RECALLD_STORAGE_LMDB_WRITER_H

#include "storage/store.h"

struct writer;
struct transaction;
struct operation;

/* May run twice, the first time undone: it changes nothing of the operation. STORE_FULL and
 * STORE_FAILED undo it, any other result commits what it did. */
typedef enum store_result operation_run(struct operation *operation,
					struct transaction *transaction);

/* The first member of what an operation carries. */
struct operation {
	operation_run *run;
	const struct user_key *user; /* whose it is; NULL: everybody's */
	bool grows;                  /* refused while the store has no room */
	bool promised;               /* never refused, however much waits */
	bool in_slices;              /* it may leave itself unfinished */
	/* Runs in its place once a slice after the first has failed, and undoes it; NULL: it is
	 * tried again as it is. */
	operation_run *undo;
	bool unfinished; /* this run did a part; commit it, and run it again */
	bool begun;      /* a part is on the disk */
	bool paused;     /* the queue's */
	bool may_wait; /* for others, to share their commit: at most its user's next lesson waits */
	size_t size;
	struct arena arena; /* what it copied from its caller */
	struct operation *next;
	struct store_call *call; /* NULL: nobody waits */
	enum store_result result;
};

/* Steps of an operation in slices that one transaction takes: some milliseconds. */
enum { SLICE_STEPS = 8192 };

/* `size` bytes that begin with a struct operation. */
void *operation_create(size_t size, operation_run *run);
void *operation_copy(struct operation *operation, const void *bytes, size_t size);
struct slice operation_slice(struct operation *operation, struct slice bytes);
struct receipt operation_receipt(struct operation *operation, const struct receipt *receipt);

/* NULL: no thread could be started. */
struct writer *writer_start(struct store *store);
/* Runs what is queued, then ends the thread. */
void writer_stop(struct writer *writer);
/* Takes the operation over. `user` lives as long as it. */
struct store_call *writer_submit(struct writer *writer, struct operation *operation,
				 const struct user_key *user, struct store_loop *loop,
				 store_done *callback, void *cookie);
/* For one that a stopped process left unfinished: nobody waits for it. */
void writer_resume(struct writer *writer, struct operation *operation, const struct user_key *user);
/* Whether what is queued leaves no room for more that is not promised. */
bool writer_is_full(struct writer *writer);

#endif
