/* The users whose jobs are checked, and which of them the learner takes next. Used only on the
 * learner's thread. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_USERS_H
#define RECALLD_PROXY_LEARN_LEARNER_USERS_H

#include "core/memory/user_table.h"
#include "storage/store.h"

struct event;
struct learner;
struct learn_job;

/* The state says where the user is. */
enum learner_user_state {
	LEARNER_USER_QUEUED,
	LEARNER_USER_BUSY,   /* its learn_job runs */
	LEARNER_USER_PAUSED, /* its timer runs */
};

struct learner_user {
	struct user_node node;
	struct learner_user *in_queue;
	struct learner *learner;
	enum learner_user_state state;
	bool has_new_key; /* since its last learn_job: what failed with the old key is tried at once
			   */
	bool wants_room;  /* the store had no room for what its last learn_job learned */
	struct learn_job *learn_job;
	struct event *timer;
};

enum { LEARNER_USERS_LIMIT = 4096 };

struct learner_user_list {
	struct user_table table;
	struct learner_user *queue, **queue_end;
};

void learner_users_init(struct learner_user_list *list);
/* NULL: the user is not on the list. */
struct learner_user *learner_users_find(const struct learner_user_list *list, struct user_key user);
/* Adds a user who is not on the list; sets neither learner nor timer. If the list is full, a user
 * who only waits leaves it. NULL: nobody can leave. */
struct learner_user *learner_users_add(struct learner_user_list *list, struct user_key user);
/* Frees the user and its timer. The user must not be queued, unless the list is no longer used. */
void learner_users_remove(struct learner_user_list *list, struct learner_user *learner_user);
/* NULL: the list is empty. */
struct learner_user *learner_users_any(const struct learner_user_list *list);

void learner_users_enqueue(struct learner_user_list *list, struct learner_user *learner_user);
/* NULL: no user waits. */
struct learner_user *learner_users_dequeue(struct learner_user_list *list);

#endif
