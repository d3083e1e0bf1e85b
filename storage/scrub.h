/* Erasure on the bytes while the store is open: a part of the store's interface, see store.h.
 *
 * LMDB frees pages without clearing them, and copies whole pages, so that erased texts stay in its
 * file. A scrub copies the records, one by one, into a new file, which takes the old one's
 * place. */
#ifndef RECALLD_STORAGE_SCRUB_H
#define RECALLD_STORAGE_SCRUB_H

#include "storage/store.h"

#include <stdatomic.h>

struct store_scrub {
	struct store_progress progress;
	const atomic_bool *stops; /* true: give up soon; NULL: never */
};

/* Scrubs the store. Runs on the caller's thread, for seconds per gigabyte; others read and write
 * meanwhile, and wait once while the files are exchanged. What was erased before it began is then
 * in no file of the store. The disk needs room for a second copy. After a crash the old file is
 * unchanged or the new one is in its place. One at a time, and not while the store is closed.
 * False: `error` says why, unless `stops` was true; nothing has changed. */
bool store_scrub(struct store *store, const struct store_scrub *scrub, char *error,
		 size_t error_size);

struct store_scrubbed {
	int64_t at;   /* when the last scrub began; 0: there was none */
	bool pending; /* something was erased since */
};
/* Cheap, from any thread. */
struct store_scrubbed store_scrubbed(struct store *store);

#endif
