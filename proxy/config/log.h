/* The configuration as the daemon reads it: what is to be said of it goes to the log. */
#ifndef RECALLD_PROXY_CONFIG_LOG_H
#define RECALLD_PROXY_CONFIG_LOG_H

#include "proxy/config/config.h"

/* Sets the log up as it says, and logs warnings so. NULL: its faults are on standard error, line by
 * line as with -t, since nobody knows yet how the log is to look. */
struct config *config_read_at_start(const char *file);
/* Logs faults, with which it is NULL, and warnings, as the log is set up. */
struct config *config_read_again(const char *file);

#endif
