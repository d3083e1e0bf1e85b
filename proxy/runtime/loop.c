#include "proxy/runtime/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct task {
	struct task *next;
	void (*run)(void *cookie);
	void (*run_with)(void *cookie, void *with); /* instead of `run`; NULL: not */
	void *cookie, *with;
};

struct task_list {
	struct task *first;
	struct task **end;
};

struct loop {
	struct store_loop for_store; /* first, so that a store_loop is a loop */
	struct event_base *base;
	int wake_fd;
	struct event *wake;
	struct event *turn_end;
	pthread_mutex_t lock;
	struct task_list posted; /* under the lock */
	struct task_list later;  /* only the loop's thread */
};

static void tasks_init(struct task_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void tasks_add(struct task_list *list, struct task added)
{
	struct task *task = xmalloc(sizeof(*task));
	*task = added;
	*list->end = task;
	list->end = &task->next;
}

static void tasks_run(struct task *task)
{
	while (task != NULL) {
		struct task *next = task->next;
		if (task->run_with != NULL)
			task->run_with(task->cookie, task->with);
		else
			task->run(task->cookie);
		free(task);
		task = next;
	}
}

static struct task *take_posted(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	struct task *first = loop->posted.first;
	tasks_init(&loop->posted);
	pthread_mutex_unlock(&loop->lock);
	return first;
}

static void on_wake(evutil_socket_t fd, short what, void *cookie)
{
	struct loop *loop = cookie;
	(void)what;
	uint64_t count;
	if (read(fd, &count, sizeof(count)) < 0)
		return; /* nothing to read: a spurious wake-up */
	tasks_run(take_posted(loop));
}

static void on_turn_end(evutil_socket_t fd, short what, void *cookie)
{
	struct loop *loop = cookie;
	(void)fd;
	(void)what;
	struct task *first = loop->later.first;
	tasks_init(&loop->later);
	tasks_run(first);
}

static void post_for_store(struct store_loop *store_loop, void (*run)(void *cookie), void *cookie)
{
	loop_post((struct loop *)store_loop, run, cookie);
}

struct loop *loop_create(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	loop->for_store.post = post_for_store;
	struct event_config *config = event_config_new();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->base == NULL || loop->wake_fd < 0)
		abort(); /* no descriptors at startup: nothing can be served */
	pthread_mutex_init(&loop->lock, NULL);
	tasks_init(&loop->posted);
	tasks_init(&loop->later);
	loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
	loop->turn_end = event_new(loop->base, -1, 0, on_turn_end, loop);
	event_add(loop->wake, NULL);
	return loop;
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	struct task *posted;
	while ((posted = take_posted(loop)) != NULL || loop->later.first != NULL) {
		tasks_run(posted);
		on_turn_end(-1, 0, loop);
	}
	event_free(loop->turn_end);
	event_free(loop->wake);
	close(loop->wake_fd);
	event_base_free(loop->base);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

struct store_loop *loop_for_store(struct loop *loop)
{
	loop->for_store.audit = NULL;
	return &loop->for_store;
}

struct store_loop *loop_for_audited(struct loop *loop, const struct audit_entry *entry)
{
	loop->for_store.audit = entry;
	return &loop->for_store;
}

void loop_run(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void stop(void *cookie)
{
	struct loop *loop = cookie;
	event_base_loopbreak(loop->base);
}

void loop_stop(struct loop *loop)
{
	loop_post(loop, stop, loop);
}

static void post(struct loop *loop, struct task task)
{
	pthread_mutex_lock(&loop->lock);
	bool idle = loop->posted.first == NULL;
	tasks_add(&loop->posted, task);
	pthread_mutex_unlock(&loop->lock);
	if (idle) {
		uint64_t one = 1;
		/* fails only when the counter is full, and then the loop is awake anyway */
		ssize_t written = write(loop->wake_fd, &one, sizeof(one));
		(void)written;
	}
}

void loop_post(struct loop *loop, void (*run)(void *cookie), void *cookie)
{
	post(loop, (struct task){.run = run, .cookie = cookie});
}

void loop_post_with(struct loop *loop, void (*run)(void *cookie, void *with), void *cookie,
		    void *with)
{
	post(loop, (struct task){.run_with = run, .cookie = cookie, .with = with});
}

void loop_later(struct loop *loop, void (*run)(void *cookie), void *cookie)
{
	tasks_add(&loop->later, (struct task){.run = run, .cookie = cookie});
	event_active(loop->turn_end, EV_TIMEOUT, 0);
}

void loop_wait(struct event *event, int64_t milliseconds)
{
	const struct timeval time = {.tv_sec = milliseconds / 1000,
				     .tv_usec = milliseconds % 1000 * 1000};
	event_add(event, &time);
}

int64_t clock_wall(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_steady(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
