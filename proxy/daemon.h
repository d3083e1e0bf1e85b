/* The daemon's life: start, reload, drain, stop. */
#ifndef RECALLD_PROXY_DAEMON_H
#define RECALLD_PROXY_DAEMON_H

#include "proxy/config.h"

/* Serves until a signal ends it; takes the reference to `config`. `file` is what a reload reads
 * again; NULL: there is none. Returns the process's exit status. */
int daemon_run(const char *file, struct config *config);

#endif
