/* Preloaded into a daemon under test: its clocks run FAST_CLOCK times as fast, and so do its waits,
 * so that pauses of minutes can be tested in seconds. Below 1 they run slowly: a pause then takes
 * minutes, so that a busy machine cannot make up for one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>

enum { CLOCKS = 16, SECOND = 1000000000 };

static double speed = 1;
static long long begun[CLOCKS];

static long long real_time(clockid_t clock)
{
	static int (*real)(clockid_t, struct timespec *);
	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	struct timespec now = {0};
	(void)real(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
	const char *wanted = getenv("FAST_CLOCK");
	for (clockid_t clock = 0; clock < CLOCKS; clock++)
		begun[clock] = real_time(clock);
	if (wanted != NULL && atof(wanted) > 0)
		speed = atof(wanted);
}

static long long fast_time(clockid_t clock)
{
	long long now = real_time(clock);
	if (clock < 0 || clock >= CLOCKS)
		return now;
	return begun[clock] + (long long)((double)(now - begun[clock]) * speed);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long long time = fast_time(clock);
	*now = (struct timespec){.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
	return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	(void)zone;
	long long time = fast_time(CLOCK_REALTIME);
	*now = (struct timeval){.tv_sec = time / SECOND, .tv_usec = time % SECOND / 1000};
	return 0;
}

time_t time(time_t *out)
{
	time_t now = (time_t)(fast_time(CLOCK_REALTIME) / SECOND);
	if (out != NULL)
		*out = now;
	return now;
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);
	if (real == NULL)
		real = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
	if (timeout > 0)
		timeout = (int)(timeout / speed) + 1;
	return real(fd, events, count, timeout);
}

/* All of the daemon's are by the monotonic clock; one by another would wait too long or not at all.
 */
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
			   const struct timespec *restrict fast)
{
	long long begin = begun[CLOCK_MONOTONIC];
	long long wait = fast->tv_sec * SECOND + fast->tv_nsec - begin;
	long long until = begin + (long long)((double)wait / speed);
	struct timespec real = {.tv_sec = until / SECOND, .tv_nsec = until % SECOND};
	return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &real);
}
