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

#include "storage/lmdb/operation.h"

struct writer;

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
/* Runs `run(cookie)` on the writer's thread between two transactions, and returns afterwards. Not
 * while the writer stops, and one caller at a time. */
void writer_run_between(struct writer *writer, void (*run)(void *cookie), void *cookie);
/* Whether the queue has no room for further operations that are not promised. */
bool writer_is_full(struct writer *writer);

#endif
