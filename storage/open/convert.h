/* Brings a store of an earlier format into today's. */
#ifndef RECALLD_STORAGE_OPEN_CONVERT_H
#define RECALLD_STORAGE_OPEN_CONVERT_H

#include "storage/lmdb/environment.h"

/* If the directory holds a store of a format that can be converted, puts a converted copy into its
 * place; the old file stays beside it as data.mdb.format-N, and store->converted_from is N. A crash
 * leaves the old store as it was, and the next start begins anew. False: it failed, and nothing has
 * changed. */
engine_preparation convert_old_format;

#endif
