/* Opens the store as the configuration says, and logs what takes long. */
#ifndef RECALLD_PROXY_DAEMON_OPEN_STORE_H
#define RECALLD_PROXY_DAEMON_OPEN_STORE_H

#include "proxy/config/config.h"
#include "storage/store.h"

/* NULL: `error` says why. */
struct store *open_store(const struct config *config, char *error, size_t error_size);

#endif
