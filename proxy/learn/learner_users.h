/* The users whose jobs are looked at, and which of them the learner takes next. All belongs to the
 * learner's thread. */
#ifndef RECALLD_PROXY_LEARN_LEARNER_USERS_H
#define RECALLD_PROXY_LEARN_LEARNER_USERS_H

#include "storage/store.h"

struct event;
struct learner;
struct lesson;

/* The state says where it is. */
enum subject_state {
	SUBJECT_QUEUED,
	SUBJECT_BUSY,   /* its lesson runs */
	SUBJECT_PAUSED, /* its timer runs */
};

struct subject {
	struct subject *in_bucket;
	struct subject *in_queue;
	struct learner *learner;
	struct user_key user;
	enum subject_state state;
	bool has_new_key; /* since its last lesson: what failed with the old one is tried at once */
	bool wants_room;  /* there was none for what its last lesson learned */
	struct lesson *lesson;
	struct event *timer;
};

enum { SUBJECTS_LIMIT = 4096, SUBJECTS_BUCKETS = 1024 };

struct subject_list {
	struct subject *buckets[SUBJECTS_BUCKETS];
	size_t count;
	size_t next_to_leave; /* the bucket where room is looked for first */
	struct subject *queue, **queue_end;
};

void subjects_init(struct subject_list *list);
/* NULL: it is not on the list. */
struct subject *subjects_find(const struct subject_list *list, struct user_key user);
/* One that is not on it, of no learner and without a timer yet. When the list is full, one that
 * only waits leaves it. NULL: there is none. */
struct subject *subjects_add(struct subject_list *list, struct user_key user);
/* Frees it, and its timer. It is not queued, or the list is used no more. */
void subjects_remove(struct subject_list *list, struct subject *subject);
/* NULL: the list is empty. */
struct subject *subjects_any(const struct subject_list *list);

void subjects_enqueue(struct subject_list *list, struct subject *subject);
/* NULL: none waits. */
struct subject *subjects_dequeue(struct subject_list *list);

#endif
