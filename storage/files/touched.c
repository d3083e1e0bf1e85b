#include "storage/files/touched.h"

#include <pthread.h>
#include <stdlib.h>

enum { LIMIT = 64 << 20, HEAD = 2 /* tree, size */ };

struct touched {
	struct buffer noted; /* of the transaction in progress; the writer's */
	pthread_mutex_t lock;
	struct buffer committed; /* under the lock, like `lost` */
	struct buffer taken;     /* the other thread's */
	bool lost;
};

struct touched *touched_create(void)
{
	struct touched *touched = xcalloc(1, sizeof(*touched));
	pthread_mutex_init(&touched->lock, NULL);
	buffer_init(&touched->noted, LIMIT);
	buffer_init(&touched->committed, LIMIT);
	buffer_init(&touched->taken, LIMIT);
	return touched;
}

void touched_destroy(struct touched *touched)
{
	if (touched == NULL)
		return;
	buffer_finish(&touched->taken);
	buffer_finish(&touched->committed);
	buffer_finish(&touched->noted);
	pthread_mutex_destroy(&touched->lock);
	free(touched);
}

void touched_note(struct touched *touched, size_t tree, struct slice key)
{
	if (touched == NULL)
		return;
	const char head[HEAD] = {(char)tree, (char)key.size};
	buffer_append(&touched->noted, (struct slice){head, HEAD});
	buffer_append(&touched->noted, key);
}

void touched_settle(struct touched *touched, bool committed)
{
	if (touched == NULL)
		return;
	struct buffer *noted = &touched->noted;
	if (committed) {
		pthread_mutex_lock(&touched->lock);
		if (noted->overflowed || !buffer_append(&touched->committed, buffer_slice(noted)))
			touched->lost = true;
		pthread_mutex_unlock(&touched->lock);
	}
	buffer_clear(noted);
}

bool touched_take(struct touched *touched, struct slice *taken)
{
	const struct buffer before = touched->taken;
	pthread_mutex_lock(&touched->lock);
	touched->taken = touched->committed;
	touched->committed = before;
	buffer_clear(&touched->committed);
	bool whole = !touched->lost;
	touched->lost = false;
	pthread_mutex_unlock(&touched->lock);
	*taken = buffer_slice(&touched->taken);
	return whole;
}

bool touched_next(struct slice *taken, size_t *tree, struct slice *key)
{
	if (taken->size < HEAD)
		return false;
	const size_t size = (unsigned char)taken->data[1];
	*tree = (unsigned char)taken->data[0];
	*key = slice_part(*taken, HEAD, HEAD + size);
	*taken = slice_part(*taken, HEAD + size, taken->size);
	return true;
}
