/* Empty files that mark the state of a store. */
#ifndef RECALLD_STORAGE_LMDB_STORE_MARKER_H
#define RECALLD_STORAGE_LMDB_STORE_MARKER_H

#include <stdbool.h>

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
