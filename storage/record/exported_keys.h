/* When the users' keys were last exported: a file in the store's folder, which recallctl writes and
 * the daemon reads. Whoever exports keys notes it first, and whoever overwrites a slot looks
 * afterwards: so no export that holds the slot is missed. */
#ifndef RECALLD_STORAGE_RECORD_EXPORTED_KEYS_H
#define RECALLD_STORAGE_RECORD_EXPORTED_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define EXPORTED_FILE "keys.exported"

/* Notes an export in seconds since 1970. On the disk when it returns true; else errno is set. */
bool exported_note(const char *folder, int64_t at);
/* 0: there was none. A note that cannot be read counts as one of this moment. Any thread. */
int64_t exported_last(const char *folder);

#endif
