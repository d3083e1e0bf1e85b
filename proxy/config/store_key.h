/* The master key of an encrypted store. A process that has had one leaves no core, and no other
 * program of its user, such as a debugger, can attach to it. */
#ifndef RECALLD_PROXY_CONFIG_STORE_KEY_H
#define RECALLD_PROXY_CONFIG_STORE_KEY_H

#include "proxy/config/config.h"
#include "storage/store.h"

#define STORE_KEY_VARIABLE "RECALLD_STORAGE_KEY"

/* Reads a key from a file that only its owner, and perhaps a group, may read. False: `why` says
 * what is wrong with it and what would be right; no message holds what stands in it. */
bool store_key_read_file(const char *path, unsigned char key[STORE_KEY_SIZE], struct buffer *why);

/* Takes RECALLD_STORAGE_KEY out of the environment, so that no child inherits it, and wipes it
 * where /proc shows it. Call it first in main(), before there are threads. */
void store_key_take_environment(void);
/* Whether there was one, sound or not; any thread. */
bool store_key_in_environment(void);

/* Reads the key of [storage] key_file, runs key_command, or gives the environment's key, once.
 * Blocks for at most about 10 s. Call it only with [storage] encrypt = on. False: as above. */
bool store_key_read(const struct config *config, unsigned char key[STORE_KEY_SIZE],
		    struct buffer *why);

#endif
