/* The loop's mailbox: what is posted from other threads, what comes at the end of a turn, and how
 * it stops. */
#include "proxy/runtime/loop.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <semaphore.h>

static struct loop *loop;
static char order[64];
static size_t order_size;

static void note(char mark)
{
	ck_assert_uint_lt(order_size, sizeof(order));
	order[order_size++] = mark;
}

static void assert_order(const char *expected)
{
	unit_assert_slice((struct slice){order, order_size}, expected);
}

static void run_mark(void *cookie)
{
	note(*(const char *)cookie);
}

static void post_mark(const char *mark)
{
	loop_post(loop, run_mark, (void *)(uintptr_t)mark);
}

static void later_mark(const char *mark)
{
	loop_later(loop, run_mark, (void *)(uintptr_t)mark);
}

START_TEST(what_is_posted_runs_in_its_order_and_a_stop_in_its_place)
{
	loop = loop_create();
	post_mark("a");
	post_mark("b");
	loop_stop(loop);
	loop_run(loop);
	assert_order("ab");
	post_mark("c");
	loop_stop(loop);
	loop_run(loop); /* again: a stop ends one run */
	assert_order("abc");
	loop_destroy(loop);
}
END_TEST

static void post_another(void *cookie)
{
	(void)cookie;
	post_mark("2");
	note('1');
	loop_stop(loop);
}

START_TEST(a_task_may_post_to_its_own_loop)
{
	loop = loop_create();
	loop_post(loop, post_another, NULL);
	loop_run(loop);
	assert_order("12");
	loop_destroy(loop);
}
END_TEST

static void put_off(void *cookie)
{
	(void)cookie;
	later_mark("x");
	later_mark("y");
	note('a');
}

START_TEST(what_is_put_off_waits_for_the_callers_to_return_but_for_no_other_turn)
{
	loop = loop_create();
	loop_post(loop, put_off, NULL);
	post_mark("b");
	(void)event_base_loop(loop_base(loop), EVLOOP_ONCE);
	assert_order("abxy");
	loop_destroy(loop);
}
END_TEST

static void put_off_again(void *cookie)
{
	(void)cookie;
	note('1');
	later_mark("2");
}

START_TEST(what_is_put_off_may_put_off_more)
{
	loop = loop_create();
	loop_later(loop, put_off_again, NULL);
	while (order_size < 2)
		(void)event_base_loop(loop_base(loop), EVLOOP_ONCE);
	assert_order("12");
	loop_destroy(loop);
}
END_TEST

static void post_and_put_off(void *cookie)
{
	(void)cookie;
	note('1');
	post_mark("3");
	later_mark("2");
}

START_TEST(nothing_is_lost_when_a_loop_is_destroyed)
{
	loop = loop_create();
	loop_post(loop, post_and_put_off, NULL);
	loop_destroy(loop);
	assert_order("123");
	loop = loop_create();
	later_mark("4");
	loop_destroy(loop);
	assert_order("1234");
}
END_TEST

/* ---- from other threads ---- */

enum { POSTERS = 4, POSTS = 5000 };

static size_t seen[POSTERS];
static size_t seen_all;

struct post {
	size_t poster;
	size_t number;
};

static struct post posts[POSTERS][POSTS];

static void receive(void *cookie)
{
	const struct post *post = cookie;
	ck_assert_uint_eq(post->number, seen[post->poster]);
	seen[post->poster]++;
	if (++seen_all == (size_t)POSTERS * POSTS)
		loop_stop(loop);
}

static void *post_many(void *cookie)
{
	size_t poster = *(size_t *)cookie;
	for (size_t i = 0; i < POSTS; i++) {
		posts[poster][i] = (struct post){poster, i};
		loop_post(loop, receive, &posts[poster][i]);
	}
	return NULL;
}

START_TEST(every_post_of_every_thread_arrives_once_and_in_its_threads_order)
{
	pthread_t threads[POSTERS];
	size_t numbers[POSTERS];
	loop = loop_create();
	for (size_t i = 0; i < POSTERS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &numbers[i]), 0);
	}
	loop_run(loop);
	for (size_t i = 0; i < POSTERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(seen[i], POSTS);
	}
	loop_destroy(loop);
}
END_TEST

static sem_t asleep;

static void tell(void *cookie)
{
	sem_post(cookie);
}

static void *run_loop(void *cookie)
{
	loop_run(cookie);
	return NULL;
}

START_TEST(a_sleeping_loop_wakes_for_each_post_and_for_the_store)
{
	pthread_t thread;
	loop = loop_create();
	sem_init(&asleep, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, loop), 0);
	for (size_t i = 0; i < 100; i++) {
		struct store_loop *store_loop = loop_for_store(loop);
		if (i % 2 == 0)
			loop_post(loop, tell, &asleep);
		else
			store_loop->post(store_loop, tell, &asleep);
		sem_wait(&asleep);
	}
	loop_stop(loop);
	pthread_join(thread, NULL);
	loop_destroy(loop);
}
END_TEST

UNIT_MAIN("loop", what_is_posted_runs_in_its_order_and_a_stop_in_its_place,
	  a_task_may_post_to_its_own_loop,
	  what_is_put_off_waits_for_the_callers_to_return_but_for_no_other_turn,
	  what_is_put_off_may_put_off_more, nothing_is_lost_when_a_loop_is_destroyed,
	  every_post_of_every_thread_arrives_once_and_in_its_threads_order,
	  a_sleeping_loop_wakes_for_each_post_and_for_the_store)
