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

struct learner_user *learner_users_find(const struct learner_user_list *list, struct user_key user)
{
	return (struct learner_user *)user_table_find(&list->table, user);
}

static bool only_waits(const struct user_node *node)
{
	return ((const struct learner_user *)node)->state == LEARNER_USER_PAUSED;
}

/* The learner's scan finds a user who only waits again. */
static bool make_room(struct learner_user_list *list)
{
	struct user_node *node = user_table_pick(&list->table, only_waits);
	if (node != NULL)
		learner_users_remove(list, (struct learner_user *)node);
	return node != NULL;
}

struct learner_user *learner_users_add(struct learner_user_list *list, struct user_key user)
{
	if (list->table.count >= LEARNER_USERS_LIMIT && !make_room(list))
		return NULL;
	struct learner_user *learner_user = xcalloc(1, sizeof(*learner_user));
	learner_user->node.user = user;
	user_table_add(&list->table, &learner_user->node);
	return learner_user;
}

void learner_users_remove(struct learner_user_list *list, struct learner_user *learner_user)
{
	user_table_remove(&list->table, &learner_user->node);
	event_free(learner_user->timer);
	free(learner_user);
}

struct learner_user *learner_users_any(const struct learner_user_list *list)
{
	return (struct learner_user *)user_table_next(&list->table, NULL);
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
