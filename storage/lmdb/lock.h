/* The lock that keeps other processes out of a store's folder, and how an opening says what went
 * wrong. */
#ifndef RECALLD_STORAGE_LMDB_LOCK_H
#define RECALLD_STORAGE_LMDB_LOCK_H

#include "storage/lmdb/engine.h"

/* Where an opening goes wrong it says so here. */
struct complaint {
	char *text;
	size_t size;
};

/* Gives false. */
bool complain(const struct complaint *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Learns, too, whether the process that had it last gave it back. */
bool lock_take(struct store *store, const struct complaint *complaint);
/* To be called when the writer has ended; of a store that was not opened wholly, or has a fault,
 * the lock is left as if its process had been killed. */
void lock_give_back(struct store *store);

#endif
