/* Rebuilds the index of a store that has none or whose terms were extracted by other rules. */
#ifndef RECALLD_STORAGE_INDEX_REINDEX_H
#define RECALLD_STORAGE_INDEX_REINDEX_H

#include "storage/store.h"

/* Runs in transactions of bounded size. An interrupted rebuild starts over at the next opening. */
enum store_result index_renew(struct store *store, const struct store_progress *progress);

#endif
