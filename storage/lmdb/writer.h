/* The writer: one thread that performs every write.
 *
 * Operations wait in a queue bounded by their bytes. The writer takes what is queued, runs it in
 * one transaction, commits with one sync, and only then posts the callbacks: a caller that receives
 * STORE_OK may rely on the disk. If a batch fails, it is undone and its operations run one by one,
 * so that a small one, or a delete, still succeeds where a large one cannot.
 *
 * A long operation runs in slices, one per transaction, so that it delays other users by one slice
 * at a time. Each slice spends transaction->spare and sets `unfinished` if work is left. The
 * finished part must be harmless by itself, and a mark on disk must make the next start complete it
 * after a crash. The user's own operations wait until the last slice: none of them sees a part. */
#ifndef RECALLD_STORAGE_LMDB_WRITER_H
#define RECALLD_STORAGE_LMDB_WRITER_H

#include "storage/store.h"

struct writer;
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
	bool paused;     /* owned by the queue */
	bool may_wait;   /* may wait to share a commit: it delays at most its own user's next lesson
			  */
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

/* NULL: the thread could not be started. */
struct writer *writer_start(struct store *store);
/* Runs everything queued, then ends the thread. */
void writer_stop(struct writer *writer);
/* Takes ownership of the operation. `user` must live as long. */
struct store_call *writer_submit(struct writer *writer, struct operation *operation,
				 const struct user_key *user, struct store_loop *loop,
				 store_done *callback, void *cookie);
/* Submits an operation that a stopped process left unfinished: nobody waits for it. */
void writer_resume(struct writer *writer, struct operation *operation, const struct user_key *user);
/* Whether the queue has no room for further operations that are not promised. */
bool writer_is_full(struct writer *writer);

#endif
