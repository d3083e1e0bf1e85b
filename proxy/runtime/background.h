/* A thread for work that takes too long for an event loop, one piece after the other. */
#ifndef RECALLD_PROXY_RUNTIME_BACKGROUND_H
#define RECALLD_PROXY_RUNTIME_BACKGROUND_H

#include <stdbool.h>

struct background;

/* NULL: there is no thread. */
struct background *background_start(const char *name);
/* Any thread. Runs `work(cookie)` on the thread, in the order of the calls; the work posts its
 * result to a loop itself. */
void background_run(struct background *background, void (*work)(void *cookie), void *cookie);
/* Asks the work to end early; what waits is run, too. */
void background_hurry(struct background *background);
/* Whether the work is to end early. */
bool background_hurries(const struct background *background);
/* Hurries, and returns once all work has ended. */
void background_stop(struct background *background);
void background_destroy(struct background *background);

#endif
