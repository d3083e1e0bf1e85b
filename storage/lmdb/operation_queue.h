/* The writer's queue: operations in order of arrival. Operations of one user run in that order, so
 * those after an operation in slices wait until it ends. The caller holds the writer's lock. */
#ifndef RECALLD_STORAGE_LMDB_OPERATION_QUEUE_H
#define RECALLD_STORAGE_LMDB_OPERATION_QUEUE_H

#include "storage/lmdb/operation.h"

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
