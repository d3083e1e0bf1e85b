/* A client of the stub upstream: upstream.c moves its bytes and lets it wait, upstream_reply.c says
 * what it gets. */
#ifndef RECALLD_TESTS_BENCH_UPSTREAM_H
#define RECALLD_TESTS_BENCH_UPSTREAM_H

#include "tests/bench/talk.h"
#include "tests/bench/upstream_behaviour.h"

#include <stdbool.h>

enum { LONGEST_WAIT = 10000 };

struct client {
	int fd;
	struct text in;
	struct text out;     /* what the socket is still to take */
	struct client *next; /* in the list of those that wait for the same */
	struct client **link;
	struct behaviour how;
	bool replying;
	bool streams;
	bool head_sent;
	bool breaks_off; /* once `out` is sent */
	long sent;       /* events */
};

struct upstream_options {
	struct behaviour usual; /* of a request without X-Stub */
	const char *answer;     /* to every plain chat; NULL: as X-Stub says */
	unsigned long
		learn_faults; /* each so-manieth answer of the memory model is none; 0: never */
};

extern struct upstream_options upstream_options;

/* reply_go_on() is called after so many milliseconds, at most LONGEST_WAIT; or when it is released.
 */
void client_wait(struct client *client, long milliseconds);
void client_wait_for_release(struct client *client);
void client_release_all(void);

/* Both append to `out`, or let the client wait. */
void reply_begin(struct client *client, const char *head, const char *body);
void reply_go_on(struct client *client);

#endif
