/* The index of a store whose terms were read otherwise, or that has none yet, is built anew. */
#ifndef RECALLD_STORAGE_INDEX_REINDEX_H
#define RECALLD_STORAGE_INDEX_REINDEX_H

#include "storage/store.h"

/* In transactions of bounded size; one that is cut short begins anew at the next opening. */
enum store_result index_renew(struct store *store);

#endif
