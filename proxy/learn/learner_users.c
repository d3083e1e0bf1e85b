#include "proxy/learn/learner_users.h"

#include "proxy/runtime/metrics.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

void learner_users_init(struct learner_user_list *list)
{
	*list = (struct learner_user_list){0};
	list->queue_end = &list->queue;
}

static size_t bucket_of(struct user_key user)
{
	return (size_t)(user.bytes[0] | user.bytes[1] << 8) % SUBJECTS_BUCKETS;
}

struct learner_user *learner_users_find(const struct learner_user_list *list, struct user_key user)
{
	struct learner_user *learner_user = list->buckets[bucket_of(user)];
	while (learner_user != NULL &&
	       memcmp(learner_user->user.bytes, user.bytes, sizeof(user.bytes)) != 0)
		learner_user = learner_user->in_bucket;
	return learner_user;
}

/* Who only waits is found again by the learner's scan. */
static bool make_room(struct learner_user_list *list)
{
	for (size_t i = 0; i < SUBJECTS_BUCKETS; i++) {
		struct learner_user *learner_user =
			list->buckets[list->next_to_leave++ % SUBJECTS_BUCKETS];
		while (learner_user != NULL && learner_user->state != LEARNER_USER_PAUSED)
			learner_user = learner_user->in_bucket;
		if (learner_user != NULL) {
			learner_users_remove(list, learner_user);
			return true;
		}
	}
	return false;
}

struct learner_user *learner_users_add(struct learner_user_list *list, struct user_key user)
{
	if (list->count >= SUBJECTS_LIMIT && !make_room(list))
		return NULL;
	struct learner_user *learner_user = xcalloc(1, sizeof(*learner_user));
	struct learner_user **bucket = &list->buckets[bucket_of(user)];
	learner_user->user = user;
	learner_user->in_bucket = *bucket;
	*bucket = learner_user;
	list->count++;
	return learner_user;
}

void learner_users_remove(struct learner_user_list *list, struct learner_user *learner_user)
{
	struct learner_user **link = &list->buckets[bucket_of(learner_user->user)];
	while (*link != learner_user)
		link = &(*link)->in_bucket;
	*link = learner_user->in_bucket;
	list->count--;
	event_free(learner_user->timer);
	free(learner_user);
}

struct learner_user *learner_users_any(const struct learner_user_list *list)
{
	for (size_t i = 0; i < SUBJECTS_BUCKETS; i++) {
		if (list->buckets[i] != NULL)
			return list->buckets[i];
	}
	return NULL;
}

void learner_users_enqueue(struct learner_user_list *list, struct learner_user *learner_user)
{
	learner_user->state = LEARNER_USER_QUEUED;
	learner_user->in_queue = NULL;
	*list->queue_end = learner_user;
	list->queue_end = &learner_user->in_queue;
	metrics_move(METRIC_LEARNER_QUEUE, 1);
}

struct learner_user *learner_users_dequeue(struct learner_user_list *list)
{
	struct learner_user *learner_user = list->queue;
	if (learner_user == NULL)
		return NULL;
	list->queue = learner_user->in_queue;
	if (list->queue == NULL)
		list->queue_end = &list->queue;
	metrics_move(METRIC_LEARNER_QUEUE, -1);
	return learner_user;
}
