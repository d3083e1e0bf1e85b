/* Reports the store's state to the operator. The main loop calls it once a second. */
#ifndef RECALLD_PROXY_DAEMON_STORE_WATCH_H
#define RECALLD_PROXY_DAEMON_STORE_WATCH_H

#include "storage/store.h"

/* Zero-initialize it. */
struct store_watch {
	bool was_full;
	bool was_broken;
	bool was_stuck;
	uint64_t unreadable; /* number of unreadable records reported... */
	uint64_t told_at;    /* ...at this time; 0: never */
	uint64_t rotate_told_at;
};

/* Logs once when the store becomes full, has room again, is found damaged or stops working, at most
 * once a minute that records are unreadable, and once a day that the master key is older than
 * `rotate` (milliseconds; 0: it never is). */
void store_watch_look(struct store_watch *watch, const struct store *store, uint64_t rotate);

/* Installs a handler: when a page of the store's file cannot be read, the process says why and
 * ends. */
void store_watch_lost_pages(void);

/* An old or missing index of words is rebuilt before the first request, which may take minutes: the
 * log reports the remaining time every few seconds. A struct store_progress with this cookie. */
struct indexing_watch {
	uint64_t begun_at, told_at;
};

struct indexing_watch indexing_watch_begin(void);
void indexing_watch_tell(void *cookie, double share);

/* The same for the copying of a store that is converted or encrypted. */
void conversion_watch_tell(void *cookie, double share);

/* Logs what opening found: that it converted the store, or whose keys are missing. */
void store_watch_tell_of_opening(const struct store *store, const char *path);

#endif
