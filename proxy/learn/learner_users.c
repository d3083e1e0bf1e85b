#include "proxy/learn/learner_users.h"

#include "proxy/learn/next_job.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* ---- one user ---- */

void learner_user_pause(struct learner_user *learner_user, int64_t wait)
{
	if (wait > LEARNER_LONGEST_WAIT_MS)
		wait = LEARNER_LONGEST_WAIT_MS;
	const struct timeval pause = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	learner_user->state = LEARNER_USER_PAUSED;
	evtimer_add(learner_user->timer, &pause);
}

void learner_user_pause_for(struct learner_user *learner_user, const struct next_job *next)
{
	learner_user->idles = next->idles;
	learner_user->idle = next->idle;
	learner_user->most = next->most;
	learner_user->waiting = next->waiting_count;
	learner_user_pause(learner_user, next->wait);
}

void learner_user_note_next(struct learner_user *learner_user, const struct next_job *next)
{
	if (next->facts == NULL)
		learner_user->is_pressing = false;
	else if (next->facts->tries > 0)
		learner_user->is_pressing = true;
}

int64_t learner_user_quiet_time(const struct learner_user *learner_user)
{
	if (learner_user->woken == 0)
		return INT64_MAX;
	return (int64_t)(clock_steady() - learner_user->woken) / 1000;
}

void learner_user_note_wake(struct learner_user *learner_user, enum wake_cause cause)
{
	learner_user->has_new_key |= cause == WAKE_KEY;
	learner_user->is_pressing |= cause == WAKE_PRESSING;
	if (cause != WAKE_KEY)
		learner_user->woken = clock_steady();
}

bool learner_user_goes_on_idling(struct learner_user *learner_user)
{
	if (learner_user->state != LEARNER_USER_PAUSED || !learner_user->idles ||
	    ++learner_user->waiting >= learner_user->most)
		return false;
	learner_user_pause(learner_user, learner_user->idle);
	return true;
}

/* ---- all ---- */

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
