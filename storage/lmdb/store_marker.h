/* What an empty file beside the store says of it. */
#ifndef RECALLD_STORAGE_LMDB_STORE_MARKER_H
#define RECALLD_STORAGE_LMDB_STORE_MARKER_H

#include <stdbool.h>

enum store_marker {
	STORE_MARKER_REBUILDING, /* it is being made of an export, and is half of one until then */
	STORE_MARKER_MAKING,     /* it is being made anew, and nothing is in it yet */
};

/* `path` is the store's directory. False and errno when it could not be put on disk. */
bool store_marker_put(const char *path, enum store_marker mark);
bool store_marker_remove(const char *path, enum store_marker mark);
bool store_marker_is_there(const char *path, enum store_marker mark);
/* Whether the store's file is there. */
bool store_marker_is_made(const char *path);
/* Renames the store's file to data.mdb.unfinished. */
void store_marker_put_aside(const char *path);
/* The name of a file that was just made or renamed is on disk only when its folder is. */
void store_marker_sync_folder(const char *path);

#endif
