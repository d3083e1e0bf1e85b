/* The writer's queue: operations in the order they came. Those of one user run in that order, so
 * behind one in slices its user's others wait until it is over. The caller holds the writer's lock.
 */
#ifndef RECALLD_STORAGE_LMDB_OPERATION_QUEUE_H
#define RECALLD_STORAGE_LMDB_OPERATION_QUEUE_H

#include "storage/lmdb/writer.h"

struct operation_queue {
	struct operation *first;
	struct operation **last;
	size_t bytes;  /* of what is queued or being written */
	size_t urgent; /* operations that are queued and may not wait */
	size_t paused; /* operations in slices whose last one failed: they are tried again later */
};

void operation_queue_init(struct operation_queue *queue);
/* Whether one of `size` bytes fits. One that is larger than the limit by itself has to wait for an
 * empty queue. */
bool operation_queue_fits(const struct operation_queue *queue, size_t size);
void operation_queue_add(struct operation_queue *queue, struct operation *operation);
/* Takes up to `limit` operations that may run together. */
size_t operation_queue_take(struct operation_queue *queue, struct operation **batch, size_t limit);
/* Puts one that was taken back before all others, for its next slice, or to be tried again. */
void operation_queue_put_back(struct operation_queue *queue, struct operation *operation,
			      bool pause);
void operation_queue_resume(struct operation_queue *queue);
/* The first one, whatever holds it; NULL: none. */
struct operation *operation_queue_pop(struct operation_queue *queue);

#endif
