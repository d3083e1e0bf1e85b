/* The keys that commits have changed, for a copy of the store that has to catch up with them. The
 * writer notes and settles; one other thread takes. */
#ifndef RECALLD_STORAGE_FILES_TOUCHED_H
#define RECALLD_STORAGE_FILES_TOUCHED_H

#include "core/base/bytes.h"

struct touched;

struct touched *touched_create(void);
void touched_destroy(struct touched *touched); /* NULL is fine */

/* Notes a key of up to 255 bytes in a tree of up to 255, until its transaction ends. NULL: nobody
 * asks. */
void touched_note(struct touched *touched, size_t tree, struct slice key);
/* The transaction has been committed, or undone. NULL is fine. */
void touched_settle(struct touched *touched, bool committed);

/* Takes what has been committed; valid until the next call. False: more was changed between two
 * calls than the list holds, 64 MB. */
bool touched_take(struct touched *touched, struct slice *taken);
/* Takes the next key off what was taken. False: none is left. */
bool touched_next(struct slice *taken, size_t *tree, struct slice *key);

#endif
