#include "proxy/service/queue.h"

#include <stdlib.h>

/* The spans of one exchange. */
struct span_bundle {
	struct span_bundle *next;
	size_t count;
	size_t size;
	char bytes[];
};

void span_queue_init(struct span_queue *queue)
{
	*queue = (struct span_queue){.end = &queue->first};
	pthread_mutex_init(&queue->lock, NULL);
}

void span_queue_finish(struct span_queue *queue)
{
	(void)span_queue_clear(queue);
	pthread_mutex_destroy(&queue->lock);
}

static struct span_bundle *make_bundle(struct slice spans, size_t count)
{
	struct span_bundle *bundle = xmalloc(sizeof(*bundle) + spans.size);
	*bundle = (struct span_bundle){.count = count, .size = spans.size};
	memcpy(bundle->bytes, spans.data, spans.size);
	return bundle;
}

bool span_queue_put(struct span_queue *queue, struct slice spans, size_t count)
{
	struct span_bundle *bundle = make_bundle(spans, count);
	pthread_mutex_lock(&queue->lock);
	bool fits = queue->spans + count <= QUEUE_SPANS && queue->bytes + spans.size <= QUEUE_BYTES;
	if (fits) {
		*queue->end = bundle;
		queue->end = &bundle->next;
		queue->spans += count;
		queue->bytes += spans.size;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!fits)
		free(bundle);
	return fits;
}

/* Takes the first bundles off the queue: a list of its own, which the caller frees. */
static struct span_bundle *take_first(struct span_queue *queue, size_t most)
{
	size_t count = 0;
	pthread_mutex_lock(&queue->lock);
	struct span_bundle *first = queue->first;
	struct span_bundle **end = &queue->first;
	while (*end != NULL && (end == &queue->first || count + (*end)->count <= most)) {
		count += (*end)->count;
		queue->spans -= (*end)->count;
		queue->bytes -= (*end)->size;
		end = &(*end)->next;
	}
	if (end != &queue->first) {
		queue->first = *end;
		if (*end == NULL)
			queue->end = &queue->first;
		*end = NULL;
	}
	pthread_mutex_unlock(&queue->lock);
	return first;
}

size_t span_queue_take(struct span_queue *queue, size_t most, struct buffer *out)
{
	struct span_bundle *bundle = take_first(queue, most);
	size_t count = 0;
	while (bundle != NULL) {
		struct span_bundle *next = bundle->next;
		if (count > 0)
			buffer_append_byte(out, ',');
		buffer_append(out, (struct slice){bundle->bytes, bundle->size});
		count += bundle->count;
		free(bundle);
		bundle = next;
	}
	return count;
}

size_t span_queue_clear(struct span_queue *queue)
{
	size_t count = 0;
	struct span_bundle *bundle;
	while ((bundle = take_first(queue, SIZE_MAX)) != NULL) {
		while (bundle != NULL) {
			struct span_bundle *next = bundle->next;
			count += bundle->count;
			free(bundle);
			bundle = next;
		}
	}
	return count;
}
