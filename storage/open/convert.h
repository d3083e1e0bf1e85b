/* Converts a store of an earlier format. */
#ifndef RECALLD_STORAGE_OPEN_CONVERT_H
#define RECALLD_STORAGE_OPEN_CONVERT_H

#include "storage/lmdb/environment.h"

/* If the directory holds a store of a convertible format, replaces it with a converted copy; the
 * old file stays beside it as data.mdb.format-N, and store->converted says so. Records with keys
 * that nobody can read are left out and counted. After a crash the old store is unchanged, and the
 * next start begins again. False: it failed, and nothing has changed. */
engine_preparation convert_old_format;

#endif
