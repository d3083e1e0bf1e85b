/* A store's directory: the lock that keeps other processes out of it, and the empty files that mark
 * its state. */
#ifndef RECALLD_STORAGE_LMDB_FOLDER_H
#define RECALLD_STORAGE_LMDB_FOLDER_H

#include "storage/lmdb/engine.h"

/* Takes the lock, and learns whether the previous owner released it. */
bool lock_take(struct store *store, struct complaint complaint);
/* Call after the writer has ended. If the store was not fully opened or has a fault, leaves the
 * lock as a killed process would. */
void lock_give_back(struct store *store);

enum store_marker {
	STORE_MARKER_REBUILDING, /* being built from an export; incomplete until then */
	STORE_MARKER_MAKING,     /* being created; still empty */
};

/* `path` is the store's directory. False, with errno set: the marker did not reach the disk. */
bool store_marker_put(const char *path, enum store_marker mark);
bool store_marker_remove(const char *path, enum store_marker mark);
bool store_marker_is_there(const char *path, enum store_marker mark);
/* Whether the store's file exists. */
bool store_marker_is_made(const char *path);
/* Renames the store's file to data.mdb.unfinished. */
void store_marker_put_aside(const char *path);

#endif
