/* The daemon's life: start, reload, drain, stop. */
#ifndef RECALLD_PROXY_DAEMON_DAEMON_H
#define RECALLD_PROXY_DAEMON_DAEMON_H

#include "proxy/config/config.h"

/* Serves until a signal ends it; takes the reference to `config`. `file` is what a reload reads
 * again; NULL: there is none. SIGTERM, SIGINT and SIGHUP may be blocked until it hears them.
 * Returns the process's exit status. */
int daemon_run(const char *file, struct config *config);
/* Whether this process may open descriptors for max_connections; if not, `warning` says what it
 * does with less. */
bool daemon_describe_limits(const struct config *config, char *warning, size_t warning_size);

#endif
