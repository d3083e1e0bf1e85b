/* The users whose jobs are checked, and which of them the learner takes next. Used only on the
 * learner's thread. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_USERS_H
#define RECALLD_PROXY_LEARN_LEARNER_USERS_H

#include "core/memory/user_table.h"
#include "storage/store.h"

/* The longest pause of a user, in milliseconds. */
enum { LEARNER_LONGEST_WAIT_MS = 30000 };

struct event;
struct next_job;
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
	bool is_pressing; /* an exchange that waits asks to forget or corrects something */
	uint64_t woken;   /* when its last exchange came, steady, in microseconds; 0: before */
	bool idles;       /* paused until it is quiet for `idle` ms or `most` exchanges wait */
	int64_t idle;
	size_t most;
	size_t waiting; /* at least so many do */
	struct learn_job *learn_job;
	struct event *timer;
};

enum wake_cause {
	WAKE_EXCHANGE,
	WAKE_PRESSING, /* an exchange that is to be learned from at once */
	WAKE_KEY,
};

/* Pauses a user who is not queued, for so many milliseconds at most. */
void learner_user_pause(struct learner_user *learner_user, int64_t wait);
/* The same until the next job is due, or more exchanges make it so. */
void learner_user_pause_for(struct learner_user *learner_user, const struct next_job *next);
/* What waited with an exchange that failed has waited long enough. */
void learner_user_note_next(struct learner_user *learner_user, const struct next_job *next);
/* Milliseconds since the user's last exchange woke the learner; INT64_MAX: none has. */
int64_t learner_user_quiet_time(const struct learner_user *learner_user);
void learner_user_note_wake(struct learner_user *learner_user, enum wake_cause cause);
/* Whether one more exchange changes nothing for a user whose exchanges wait for each other, so that
 * the jobs need not be read again; the pause then begins anew. */
bool learner_user_goes_on_idling(struct learner_user *learner_user);

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
