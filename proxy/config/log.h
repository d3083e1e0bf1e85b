/* Reads the configuration for the daemon: messages about it go to the log. */
#ifndef RECALLD_PROXY_CONFIG_LOG_H
#define RECALLD_PROXY_CONFIG_LOG_H

#include "proxy/config/config.h"

/* Reads FILE, configures the log accordingly, and logs warnings. Returns NULL on faults, which it
 * prints to standard error line by line, as -t does: the log's format is not known yet. */
struct config *config_read_at_start(const char *file);
/* What a reading says: lines, each with its end. */
struct config_messages {
	char *faults;
	char *warnings;
};

/* Reads FILE again. Returns NULL on faults. */
struct config *config_read_again(const char *file, struct config_messages *messages);
/* Logs the faults and warnings in the current format and frees them; copies the first fault. */
void config_messages_log(struct config_messages *messages, char *fault, size_t fault_size);
void config_messages_free(struct config_messages *messages);

#endif
