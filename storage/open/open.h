/* The steps of opening a store. */
#ifndef RECALLD_STORAGE_OPEN_OPEN_H
#define RECALLD_STORAGE_OPEN_OPEN_H

#include "storage/lmdb/engine.h"

/* If the directory holds a store of a convertible format, replaces it with a converted copy; the
 * old file stays beside it as data.mdb.format-N, and store->converted says so. Records with keys
 * that nobody can read are left out and counted. After a crash the old store is unchanged, and the
 * next start begins again. False: it failed, and nothing has changed. */
engine_preparation convert_old_format;

/* Removes what an interrupted scrub left. Replaces the store's file with a copy of its records, if
 * options->scrubs asks for it and there is a file. The disk needs room for both. After a crash the
 * old file is unchanged or the new one is in its place. False: it failed, and nothing has
 * changed. */
engine_preparation scrub_file;

/* Puts the audit log's hook into a store. */
void audit_install(struct store *store);

#endif
