/* An event loop with a mailbox: one thread runs it, any thread may post to it. */
#ifndef RECALLD_PROXY_RUNTIME_LOOP_H
#define RECALLD_PROXY_RUNTIME_LOOP_H

#include "storage/store.h"

#include <event2/event.h>

struct loop;

struct loop *loop_create(void);
/* Runs the remaining posted tasks, then frees. No thread may be inside loop_run(). */
void loop_destroy(struct loop *loop);

struct event_base *loop_base(struct loop *loop);
/* This loop as the store needs it for its callbacks. */
struct store_loop *loop_for_store(struct loop *loop);
/* A loop for one write that the audit log records; only on the loop's own thread. */
struct store_loop *loop_for_audited(struct loop *loop, const struct audit_entry *entry);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
/* Any thread. loop_run() returns after the current turn. */
void loop_stop(struct loop *loop);
/* Any thread. The loop calls `run(cookie)`, in the order of the posts. */
void loop_post(struct loop *loop, void (*run)(void *cookie), void *cookie);
/* Posts a call with a second argument. */
void loop_post_with(struct loop *loop, void (*run)(void *cookie, void *with), void *cookie,
		    void *with);
/* Only the loop's own thread. Calls `run(cookie)` at the end of this turn, without a system
 * call. */
void loop_later(struct loop *loop, void (*run)(void *cookie), void *cookie);

/* Makes the event happen in so many milliseconds; a later call takes the place of an earlier one.
 */
void loop_wait(struct event *event, int64_t milliseconds);

/* Milliseconds since 1970; microseconds of a clock that never goes back. */
int64_t clock_wall(void);
uint64_t clock_steady(void);

#endif
