/* Everything that the store can be asked about "alex", written out: two stores that hold the same
 * have the same picture. It asserts nothing and allocates little, so it may be taken while memory
 * runs out. */
#ifndef RECALLD_TESTS_STORE_PICTURE_H
#define RECALLD_TESTS_STORE_PICTURE_H

#include "storage/store.h"

/* Appended to `out`. The first result that is neither OK nor "not found", else STORE_OK; then
 * the picture is whole. */
enum store_result store_picture(struct store *store, struct buffer *out);
/* The store's counts over all users. */
void store_picture_counts(struct store *store, struct buffer *out);

#endif
