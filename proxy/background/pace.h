/* How fast a memory model is asked that does not answer in time: a server that is too slow gets
 * slower by further calls. On the learner's thread. */
#ifndef RECALLD_PROXY_BACKGROUND_PACE_H
#define RECALLD_PROXY_BACKGROUND_PACE_H

#include "core/base/bytes.h"

struct event_base;

/* After so many calls in a row that came to nothing in time, one call is made at a time, with
 * pauses between them that double from PACE_FIRST_MS on. */
enum { PACE_LATE = 3, PACE_FIRST_MS = 1000, PACE_LONGEST_MS = 5 * 60 * 1000 };

struct pace {
	struct event *timer;
	unsigned late; /* calls in a row */
	int64_t pause; /* milliseconds that it rests now; 0: it does not */
	void (*resume)(void *cookie);
	void *cookie;
};

/* `resume` is called from the loop when a pause is over. */
void pace_init(struct pace *pace, struct event_base *base, void (*resume)(void *cookie),
	       void *cookie);
void pace_finish(struct pace *pace);

/* Notes a call that was not answered in time. Logs it when pauses begin. */
void pace_note_late(struct pace *pace);
/* Notes an answer, or that another model is asked from now on. */
void pace_note_answer(struct pace *pace);

/* How many calls may be in progress at once now, of `most` otherwise. */
size_t pace_limit(const struct pace *pace, size_t most);

#endif
