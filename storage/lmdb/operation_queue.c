#include "storage/lmdb/operation.h"

#include <string.h>

enum { QUEUE_LIMIT = 64 * 1024 * 1024 };

void *operation_create(size_t size, operation_run *run)
{
	struct operation *operation = xcalloc(1, size);
	operation->run = run;
	operation->size = size;
	return operation;
}

void *operation_copy(struct operation *operation, const void *bytes, size_t size)
{
	operation->size += size;
	void *copy = arena_bytes(&operation->arena, size);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

struct slice operation_slice(struct operation *operation, struct slice bytes)
{
	return (struct slice){operation_copy(operation, bytes.data, bytes.size), bytes.size};
}

void operation_queue_init(struct operation_queue *queue)
{
	*queue = (struct operation_queue){.last = &queue->first};
}

bool operation_queue_fits(const struct operation_queue *queue, size_t size)
{
	return queue->bytes == 0 || (size <= QUEUE_LIMIT && queue->bytes <= QUEUE_LIMIT - size);
}

void operation_queue_add(struct operation_queue *queue, struct operation *operation)
{
	operation->next = NULL;
	*queue->last = operation;
	queue->last = &operation->next;
	queue->bytes += operation->size;
	queue->urgent += !operation->may_wait;
}

static void unlink_at(struct operation_queue *queue, struct operation **link)
{
	struct operation *operation = *link;
	*link = operation->next;
	if (queue->last == &operation->next)
		queue->last = link;
	queue->urgent -= !operation->may_wait;
}

static bool is_of_same_user(const struct operation *a, const struct operation *b)
{
	return a->user == NULL || b->user == NULL ||
	       memcmp(a->user, b->user, sizeof(*a->user)) == 0;
}

/* Operations in slices that stand before it hold it back; they are few. */
static bool is_held(const struct operation *operation, struct operation *const *holders,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_of_same_user(operation, holders[i]))
			return true;
	}
	return false;
}

size_t operation_queue_take(struct operation_queue *queue, struct operation **batch, size_t limit)
{
	enum { MOST_HOLDERS = 256 };
	struct operation *holders[MOST_HOLDERS];
	size_t holder_count = 0;
	size_t count = 0;
	struct operation **link = &queue->first;
	while (*link != NULL && count < limit && holder_count < MOST_HOLDERS) {
		struct operation *operation = *link;
		bool is_free = !is_held(operation, holders, holder_count);
		if (is_free && operation->in_slices)
			holders[holder_count++] = operation;
		if (!is_free || operation->paused) {
			link = &operation->next;
			continue;
		}
		unlink_at(queue, link);
		batch[count++] = operation;
	}
	return count;
}

void operation_queue_put_back(struct operation_queue *queue, struct operation *operation,
			      bool pause)
{
	operation->next = queue->first;
	if (queue->first == NULL)
		queue->last = &operation->next;
	queue->first = operation;
	queue->urgent += !operation->may_wait;
	operation->paused = pause;
	queue->paused += pause;
}

void operation_queue_resume(struct operation_queue *queue)
{
	for (struct operation *at = queue->first; at != NULL && queue->paused > 0; at = at->next) {
		queue->paused -= at->paused;
		at->paused = false;
	}
}

struct operation *operation_queue_pop(struct operation_queue *queue)
{
	struct operation *operation = queue->first;
	if (operation != NULL)
		unlink_at(queue, &queue->first);
	return operation;
}
