#include "proxy/learn/learner_users.h"

#include "proxy/runtime/metrics.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

void subjects_init(struct subject_list *list)
{
	*list = (struct subject_list){0};
	list->queue_end = &list->queue;
}

static size_t bucket_of(struct user_key user)
{
	return (size_t)(user.bytes[0] | user.bytes[1] << 8) % SUBJECTS_BUCKETS;
}

struct subject *subjects_find(const struct subject_list *list, struct user_key user)
{
	struct subject *subject = list->buckets[bucket_of(user)];
	while (subject != NULL && memcmp(subject->user.bytes, user.bytes, sizeof(user.bytes)) != 0)
		subject = subject->in_bucket;
	return subject;
}

/* Who only waits is found again by the learner's scan. */
static bool make_room(struct subject_list *list)
{
	for (size_t i = 0; i < SUBJECTS_BUCKETS; i++) {
		struct subject *subject = list->buckets[list->next_to_leave++ % SUBJECTS_BUCKETS];
		while (subject != NULL && subject->state != SUBJECT_PAUSED)
			subject = subject->in_bucket;
		if (subject != NULL) {
			subjects_remove(list, subject);
			return true;
		}
	}
	return false;
}

struct subject *subjects_add(struct subject_list *list, struct user_key user)
{
	if (list->count >= SUBJECTS_LIMIT && !make_room(list))
		return NULL;
	struct subject *subject = xcalloc(1, sizeof(*subject));
	struct subject **bucket = &list->buckets[bucket_of(user)];
	subject->user = user;
	subject->in_bucket = *bucket;
	*bucket = subject;
	list->count++;
	return subject;
}

void subjects_remove(struct subject_list *list, struct subject *subject)
{
	struct subject **link = &list->buckets[bucket_of(subject->user)];
	while (*link != subject)
		link = &(*link)->in_bucket;
	*link = subject->in_bucket;
	list->count--;
	event_free(subject->timer);
	free(subject);
}

struct subject *subjects_any(const struct subject_list *list)
{
	for (size_t i = 0; i < SUBJECTS_BUCKETS; i++) {
		if (list->buckets[i] != NULL)
			return list->buckets[i];
	}
	return NULL;
}

void subjects_enqueue(struct subject_list *list, struct subject *subject)
{
	subject->state = SUBJECT_QUEUED;
	subject->in_queue = NULL;
	*list->queue_end = subject;
	list->queue_end = &subject->in_queue;
	metrics_move(METRIC_LEARNER_QUEUE, 1);
}

struct subject *subjects_dequeue(struct subject_list *list)
{
	struct subject *subject = list->queue;
	if (subject == NULL)
		return NULL;
	list->queue = subject->in_queue;
	if (list->queue == NULL)
		list->queue_end = &list->queue;
	metrics_move(METRIC_LEARNER_QUEUE, -1);
	return subject;
}
