/* Reads the configuration for the daemon, whose log gets the messages about it, and tells when its
 * files have changed on disk: its own file, the certificate and its key, and the files that hold
 * secrets. */
#ifndef RECALLD_PROXY_DAEMON_CONFIG_WATCH_H
#define RECALLD_PROXY_DAEMON_CONFIG_WATCH_H

#include "proxy/config/config.h"

#include <sys/types.h>
#include <time.h>

/* Identifies a file's version: detects an edit in place, a rename and a swapped symlink. */
struct file_mark {
	dev_t device;
	ino_t inode; /* 0: there is no such file */
	off_t size;
	struct timespec changed;
};

enum { CONFIG_OWN_FILES = 3, CONFIG_FILES = CONFIG_OWN_FILES + CONFIG_SECRET_FILES };

struct config_watch {
	const char *file; /* the configuration's; NULL: it has none */
	struct file_mark read[CONFIG_FILES];
	struct file_mark seen[CONFIG_FILES]; /* by the last look */
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

#endif
