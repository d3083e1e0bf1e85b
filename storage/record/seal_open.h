/* Opens the keys of a store, or says why they do not fit it. */
#ifndef RECALLD_STORAGE_RECORD_SEAL_OPEN_H
#define RECALLD_STORAGE_RECORD_SEAL_OPEN_H

#include "storage/record/seal.h"

enum seal_state {
	SEAL_NEW,   /* the store has no records yet */
	SEAL_NONE,  /* it is not encrypted */
	SEAL_WHOLE, /* it is encrypted */
};

/* `master` NULL: there is no key. `id` is the one that the store's keys had when it was made. Makes
 * the file of a new store if `writes`. Sets `seal` to NULL if none is needed. False: `error` says
 * why. */
bool seal_open(const char *folder, const unsigned char *master, enum seal_state state, uint64_t id,
	       bool writes, struct seal **seal, char *error, size_t error_size);

/* Wraps all keys with another master key. Nobody may have the store open. False: `error` says why,
 * and nothing has changed. */
bool seal_rewrap(const char *folder, const unsigned char *from, const unsigned char *to,
		 size_t *users, char *error, size_t error_size);

/* Writes the users' keys to a descriptor, wrapped with another key, and notes the time in the
 * store's folder. The store may be open. False: `error` says why. */
bool seal_export(const char *folder, const unsigned char *from, const unsigned char *to, int out,
		 size_t *users, char *error, size_t error_size);
/* Opens a file of exported keys, to be read only. NULL: `error` says why. */
struct seal *seal_open_exported(const char *path, const unsigned char *key, char *error,
				size_t error_size);

/* The store's users, without a key: only key_file_has() may be asked. NULL: `error` says why. */
struct key_file *seal_list(const char *folder, char *error, size_t error_size);

#endif
