/* A thread for work that takes too long for an event loop. Jobs run one after the other; a job has
 * one piece of work or several, and other threads may do their part of it in between. */
#ifndef RECALLD_PROXY_RUNTIME_BACKGROUND_H
#define RECALLD_PROXY_RUNTIME_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

struct background;

/* NULL: there is no thread. */
struct background *background_start(const char *name);
/* Any thread, as are the next two. Begins a job by `work(cookie)` on the thread once those before
 * have ended; the work posts its result to a loop itself. False: the jobs that wait hold so many
 * bytes that this one, of so many, finds no room. */
bool background_begin(struct background *background, size_t bytes, void (*work)(void *cookie),
		      void *cookie);
/* The job goes on with further work. */
void background_go_on(struct background *background, void (*work)(void *cookie), void *cookie);
/* The job has ended. */
void background_end(struct background *background);
/* Asks the work to end early; what waits is run, too. */
void background_hurry(struct background *background);
/* Whether the work is to end early. */
bool background_hurries(const struct background *background);
/* Hurries, and returns once all work has ended. */
void background_stop(struct background *background);
void background_destroy(struct background *background);

#endif
