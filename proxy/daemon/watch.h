/* Watches the configuration and the store, once a second. */
#ifndef RECALLD_PROXY_DAEMON_WATCH_H
#define RECALLD_PROXY_DAEMON_WATCH_H

#include "proxy/config/config.h"
#include "storage/store.h"

#include <sys/stat.h>

/* ---- config_watch.c ---- */

/* Reads the configuration for the daemon, whose log gets the messages about it, and tells when its
 * files have changed on disk: its own file, the certificate and its key, and the files that hold
 * secrets. */

enum { CONFIG_OWN_FILES = 3, CONFIG_FILES = CONFIG_OWN_FILES + CONFIG_SECRET_FILES };

struct config_watch {
	const char *file; /* the configuration's; NULL: it has none */
	/* Device, inode (0: there is no such file), size and time of change identify a file's
	 * version: an edit in place, a rename and a swapped symlink. */
	struct stat read[CONFIG_FILES];
	struct stat seen[CONFIG_FILES]; /* by the last look */
};

/* Reads FILE, configures the log accordingly, and logs warnings. Returns NULL on faults, which it
 * prints to standard error line by line, as -t does: the log's format is not known yet. */
struct config *config_read_at_start(const char *file);

/* `config` was read from `file`, which must outlive the watch, just now. */
void config_watch_start(struct config_watch *watch, const char *file, const struct config *config);
/* Reads the configuration again; `config` is the one in force. NULL: it has faults, which are in
 * the log; `fault` gets the first. */
struct config *config_watch_read(struct config_watch *watch, const struct config *config,
				 char *fault, size_t fault_size);
/* Looks at the files of the configuration in force, once a second. True: they have changed since
 * they were read, all of them exist, and none has changed since the last look. */
bool config_watch_look(struct config_watch *watch, const struct config *config);

/* ---- store_watch.c ---- */

/* Reports the store's state to the operator. The main loop calls it once a second. */

/* Zero-initialize it. */
struct store_watch {
	bool was_full;
	bool was_broken;
	bool was_stuck;
	uint64_t unreadable; /* the number of unreadable records reported */
	uint64_t told_at;    /* when they were reported; 0: never */
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

/* Reports the progress of copying a store that is converted or encrypted. */
void conversion_watch_tell(void *cookie, double share);

/* Logs what opening found: that it converted the store, or whose keys are missing. */
void store_watch_tell_of_opening(const struct store *store, const char *path);

#endif
