/* Scrubs: one thread that frees the store's file of what was erased, on demand and by [storage]
 * scrub. See storage/scrub.h. */
#ifndef RECALLD_PROXY_BACKGROUND_SCRUBBER_H
#define RECALLD_PROXY_BACKGROUND_SCRUBBER_H

#include "proxy/config/config.h"
#include "storage/store.h"

struct scrubber;

/* NULL: the thread could not be started. */
struct scrubber *scrubber_start(struct store *store, struct config *config);
/* Breaks off a scrub and joins the thread; call before the store is closed. */
void scrubber_stop(struct scrubber *scrubber);
void scrubber_destroy(struct scrubber *scrubber); /* NULL is fine */

/* The rest is safe from any thread. */

void scrubber_configure(struct scrubber *scrubber, const struct config *config);
/* Scrubs soon, after one in progress, which may not reach what was erased since it began. */
void scrubber_ask(struct scrubber *scrubber);

enum { SCRUBBER_ERROR_SIZE = 256 };

struct scrubber_state {
	bool running; /* or about to */
	double share; /* of the one in progress, from 0 to 1 */
	int64_t last; /* when the last one began that succeeded, before a restart or since; 0: none
		       */
	bool pending; /* the file may hold what was erased since */
	int64_t due;  /* when the next one begins by itself, at most; 0: never */
	char error[SCRUBBER_ERROR_SIZE]; /* of the last one since the start; empty: it succeeded */
};
void scrubber_look(struct scrubber *scrubber, struct scrubber_state *state);

#endif
