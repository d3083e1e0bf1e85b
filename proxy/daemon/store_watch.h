/* What an operator is told of the store, looked at once a second by the main loop. */
#ifndef RECALLD_PROXY_DAEMON_STORE_WATCH_H
#define RECALLD_PROXY_DAEMON_STORE_WATCH_H

#include "storage/store.h"

/* All zeroes at the start. */
struct store_watch {
	bool was_full;
	bool was_broken;
	bool was_stuck;
	uint64_t unreadable; /* so many unreadable records were told of... */
	uint64_t told_at;    /* ...then; 0: never */
};

/* Logs once when the store has run full or has room again, was found damaged or stands still, and
 * at most once a minute that records could not be read. */
void store_watch_look(struct store_watch *watch, const struct store *store);

/* From now on the process says why when a page of the store's file cannot be read, and ends. */
void store_watch_lost_pages(void);

#endif
