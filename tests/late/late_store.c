/* A store that answers each write 20 ms later, on a later turn of its caller's loop. Code that
 * relies on a quick answer, or passes what does not live long enough, fails with it. The linker
 * puts these functions in the place of the loop's own (--wrap). */
#include "proxy/runtime/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

/* One answer on its way. */
struct late_answer {
	LIST_ENTRY(late_answer) in_list;
	struct late_loop *loop;
	struct event *timer;
	void (*run)(void *cookie);
	void *cookie;
};

/* The loop that the store is given. */
struct late_loop {
	struct store_loop for_store; /* first, so that a store_loop is a late_loop */
	LIST_ENTRY(late_loop) in_list;
	struct loop *loop;
	LIST_HEAD(, late_answer) answers; /* the loop's own */
	bool ending;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, late_loop) loops = LIST_HEAD_INITIALIZER(loops);

struct store_loop *__wrap_loop_for_store(struct loop *loop);
struct store_loop *__wrap_loop_for_audited(struct loop *loop, const struct audit_entry *entry);
void __wrap_loop_destroy(struct loop *loop);
void __real_loop_destroy(struct loop *loop);

static void answer(struct late_answer *late)
{
	if (late->timer != NULL) {
		LIST_REMOVE(late, in_list);
		event_free(late->timer);
	}
	late->run(late->cookie);
	free(late);
}

static void on_time(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	answer(cookie);
}

static void wait(void *cookie)
{
	struct late_answer *late = cookie;
	static const struct timeval delay = {.tv_usec = 20000};
	if (late->loop->ending) {
		answer(late);
		return;
	}
	LIST_INSERT_HEAD(&late->loop->answers, late, in_list);
	late->timer = evtimer_new(loop_base(late->loop->loop), on_time, late);
	evtimer_add(late->timer, &delay);
}

static void post(struct store_loop *store_loop, void (*run)(void *cookie), void *cookie)
{
	struct late_loop *loop = (struct late_loop *)store_loop;
	struct late_answer *late = xcalloc(1, sizeof(*late));
	late->loop = loop;
	late->run = run;
	late->cookie = cookie;
	loop_post(loop->loop, wait, late);
}

/* NULL: the store has never answered there. */
static struct late_loop *find(struct loop *loop)
{
	struct late_loop *late;
	LIST_FOREACH(late, &loops, in_list)
	{
		if (late->loop == loop)
			return late;
	}
	return NULL;
}

struct store_loop *__wrap_loop_for_audited(struct loop *loop, const struct audit_entry *entry)
{
	pthread_mutex_lock(&lock);
	struct late_loop *late = find(loop);
	if (late == NULL) {
		late = xcalloc(1, sizeof(*late));
		late->for_store.post = post;
		late->loop = loop;
		LIST_INIT(&late->answers);
		LIST_INSERT_HEAD(&loops, late, in_list);
	}
	pthread_mutex_unlock(&lock);
	late->for_store.audit = entry;
	return &late->for_store;
}

struct store_loop *__wrap_loop_for_store(struct loop *loop)
{
	return __wrap_loop_for_audited(loop, NULL);
}

/* Like the loop's own, it answers what is still to be answered. */
void __wrap_loop_destroy(struct loop *loop)
{
	pthread_mutex_lock(&lock);
	struct late_loop *late = find(loop);
	if (late != NULL)
		LIST_REMOVE(late, in_list);
	pthread_mutex_unlock(&lock);
	if (late != NULL) {
		late->ending = true;
		/* Answered calls have left the list; the analyzer does not see that. */
		while (!LIST_EMPTY(&late->answers))
			answer(LIST_FIRST(&late->answers)); /* NOLINT(clang-analyzer-unix.Malloc) */
	}
	__real_loop_destroy(loop);
	free(late);
}
