/* Reads the configuration for the daemon: messages about it go to the log. */
#ifndef RECALLD_PROXY_CONFIG_LOG_H
#define RECALLD_PROXY_CONFIG_LOG_H

#include "proxy/config/config.h"

/* Reads FILE, configures the log accordingly, and logs warnings. Returns NULL on faults, which it
 * prints to standard error line by line, as -t does: the log's format is not known yet. */
struct config *config_read_at_start(const char *file);
/* Reads FILE again. Logs warnings and faults in the current format. Returns NULL on faults. */
struct config *config_read_again(const char *file);

#endif
