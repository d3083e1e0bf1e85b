#include "proxy/background/pace.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"

static void on_over(evutil_socket_t fd, short what, void *cookie)
{
	struct pace *pace = cookie;
	(void)fd;
	(void)what;
	pace->pause = 0;
	pace->resume(pace->cookie);
}

void pace_init(struct pace *pace, struct event_base *base, void (*resume)(void *cookie),
	       void *cookie)
{
	*pace = (struct pace){.resume = resume, .cookie = cookie};
	pace->timer = evtimer_new(base, on_over, pace);
}

void pace_finish(struct pace *pace)
{
	if (pace->timer != NULL)
		event_free(pace->timer);
	pace->timer = NULL;
}

static int64_t pause_after(unsigned late)
{
	unsigned doublings = late - PACE_LATE;
	int64_t pause = (int64_t)PACE_FIRST_MS << (doublings < 20 ? doublings : 20);
	return pause < PACE_LONGEST_MS ? pause : PACE_LONGEST_MS;
}

void pace_note_late(struct pace *pace)
{
	if (++pace->late < PACE_LATE)
		return;
	if (pace->late == PACE_LATE)
		log_warn("the memory model is too slow: %u calls in a row were not answered within "
			 "[model] timeout; it is asked more rarely until it answers; choose a "
			 "smaller model or a longer timeout",
			 pace->late);
	pace->pause = pause_after(pace->late);
	loop_wait(pace->timer, pace->pause);
}

void pace_note_answer(struct pace *pace)
{
	pace->late = 0;
	pace->pause = 0;
	event_del(pace->timer);
}

size_t pace_limit(const struct pace *pace, size_t most)
{
	if (pace->pause > 0)
		return 0;
	return pace->late >= PACE_LATE ? 1 : most;
}
