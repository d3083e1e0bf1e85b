/* A scrub of a store that is about to be opened. */
#ifndef RECALLD_STORAGE_OPEN_SCRUB_OFFLINE_H
#define RECALLD_STORAGE_OPEN_SCRUB_OFFLINE_H

#include "storage/lmdb/environment.h"

/* Removes what an interrupted scrub left. Replaces the store's file with a copy of its records, if
 * options->scrubs asks for it and there is a file. The disk needs room for both. After a crash the
 * old file is unchanged or the new one is in its place. False: it failed, and nothing has
 * changed. */
engine_preparation scrub_file;

#endif
