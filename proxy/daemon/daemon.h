/* The daemon's life: start, reload, drain, stop. */
#ifndef RECALLD_PROXY_DAEMON_DAEMON_H
#define RECALLD_PROXY_DAEMON_DAEMON_H

#include "proxy/config/config.h"

/* Serves until a signal ends it. Takes the reference to `config`. A reload reads `file`; NULL:
 * there is none. SIGTERM, SIGINT and SIGHUP may be blocked when it is called; it unblocks them once
 * it handles them. Returns the process's exit status. */
int daemon_run(const char *file, struct config *config);
/* Whether the process may open enough descriptors for max_connections. If not, `warning` says what
 * it does with fewer. */
bool daemon_describe_limits(const struct config *config, char *warning, size_t warning_size);

#endif
