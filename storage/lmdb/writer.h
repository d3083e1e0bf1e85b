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

struct memory;
struct operation;
struct writer;

/* Works in the memory of the operation's user, whose arena is for scratch. May run twice if the
 * first run is undone, so it must not change the operation. STORE_FULL and STORE_FAILED undo it;
 * any other result commits. */
typedef enum store_result operation_run(struct operation *operation, const struct memory *memory);

/* An operation that the writer runs in its transactions. The first member of the struct of one that
 * needs more than this. */
struct operation {
	operation_run *run;
	struct user_key user; /* the owner */
	bool has_user;        /* false: the operation concerns all users */
	bool grows;           /* refused while the store has no room */
	bool promised;        /* never refused, however long the queue is */
	bool in_slices;       /* may leave itself unfinished */
	/* Runs instead of `run` once a slice after the first has failed, and undoes the slices;
	 * NULL: retry as it is. */
	operation_run *undo;
	bool declined;   /* STORE_FULL is this operation's own word: it has written nothing */
	bool unfinished; /* this run did a part; commit it and run it again */
	bool begun;      /* a part is on disk */
	uint64_t slices; /* how many parts are */
	bool paused;     /* owned by the queue */
	bool may_wait;   /* may wait to share a commit: it delays at most its own user's next
			  * learn_job */
	/* For its function: its input (copied), a time, a number of bytes, and where the caller
	 * finds the outcome. */
	const void *input;
	int64_t now;
	uint64_t limit;
	void *outcome;
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

/* Allocates `size` bytes that begin with a struct operation. `user` NULL: it concerns all. */
void *operation_create(size_t size, operation_run *run, const struct user_key *user);
void *operation_copy(struct operation *operation, const void *bytes, size_t size);
struct slice operation_slice(struct operation *operation, struct slice bytes);

/* NULL: the thread could not be started. */
struct writer *writer_start(struct store *store);
/* Runs everything queued, then ends the thread. */
void writer_stop(struct writer *writer);
/* Takes ownership of the operation. */
struct store_call *writer_submit(struct writer *writer, struct operation *operation,
				 struct store_waiter waiter);
/* Submits an operation that a stopped process left unfinished: nobody waits for it. */
void writer_resume(struct writer *writer, struct operation *operation);
/* Runs `run(cookie)` on the writer's thread between two transactions, and returns afterwards. Not
 * while the writer stops, and one caller at a time. */
void writer_run_between(struct writer *writer, void (*run)(void *cookie), void *cookie);
/* Whether the queue has no room for further operations that are not promised. */
bool writer_is_full(struct writer *writer);

#endif
