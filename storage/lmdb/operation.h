/* An operation: what the writer runs in its transactions, see writer.h. */
#ifndef RECALLD_STORAGE_LMDB_OPERATION_H
#define RECALLD_STORAGE_LMDB_OPERATION_H

#include "storage/store.h"

struct memory;
struct operation;

/* Works in the memory of the operation's user, whose arena is for scratch. May run twice if the
 * first run is undone, so it must not change the operation. STORE_FULL and STORE_FAILED undo it;
 * any other result commits. */
typedef enum store_result operation_run(struct operation *operation, const struct memory *memory);

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
	bool declined;   /* STORE_FULL is this operation's own word: it has written nothing */
	bool unfinished; /* this run did a part; commit it and run it again */
	bool begun;      /* a part is on disk */
	uint64_t slices; /* how many parts are */
	bool paused;     /* owned by the queue */
	bool may_wait;   /* may wait to share a commit: it delays at most its own user's next
			  * learn_job
			  */
	struct audit_entry *audit; /* of the audit log, once it went well; NULL: none */
	struct slice audit_line;   /* what this run wrote of it; empty: nothing */
	/* Facts of its user that gave way to others, in the runs committed and in this one. */
	size_t facts_gone;
	size_t facts_gone_now;
	size_t size;
	struct arena arena; /* owns what was copied from the caller */
	struct operation *next;
	struct store_call *call; /* NULL: nobody waits */
	enum store_result result;
	size_t count; /* what store_call_count() tells */
};

/* Steps of an operation in slices per transaction: a few milliseconds. */
enum { SLICE_STEPS = 8192 };

/* Allocates `size` bytes that begin with a struct operation. */
void *operation_create(size_t size, operation_run *run);
void *operation_copy(struct operation *operation, const void *bytes, size_t size);
struct slice operation_slice(struct operation *operation, struct slice bytes);
struct receipt operation_receipt(struct operation *operation, const struct receipt *receipt);

/* The writer's queue: operations in order of arrival. Operations of one user run in that order, so
 * those after an operation in slices wait until it ends. The caller holds the writer's lock. */
struct operation_queue {
	struct operation *first;
	struct operation **last;
	size_t bytes;  /* total of queued and running operations */
	size_t urgent; /* number of queued operations that may not wait */
	size_t paused; /* number of operations in slices whose last slice failed; retried later */
};

void operation_queue_init(struct operation_queue *queue);
/* Whether an operation of `size` bytes fits. One that exceeds the limit by itself needs an empty
 * queue. */
bool operation_queue_fits(const struct operation_queue *queue, size_t size);
void operation_queue_add(struct operation_queue *queue, struct operation *operation);
/* Takes up to `limit` operations that may run together. Returns their number. */
size_t operation_queue_take(struct operation_queue *queue, struct operation **batch, size_t limit);
/* Returns an operation to the front of the queue, for its next slice or a retry. */
void operation_queue_put_back(struct operation_queue *queue, struct operation *operation,
			      bool pause);
void operation_queue_resume(struct operation_queue *queue);
/* Takes the first operation, even one that is held back. NULL: the queue is empty. */
struct operation *operation_queue_pop(struct operation_queue *queue);

#endif
