/* The lock that keeps other processes out of a store's directory, and how opening reports
 * errors. */
#ifndef RECALLD_STORAGE_LMDB_LOCK_H
#define RECALLD_STORAGE_LMDB_LOCK_H

#include "storage/lmdb/engine.h"

/* Receives the error of a failed opening. */
struct complaint {
	char *text;
	size_t size;
};

/* Always returns false. */
bool complain(const struct complaint *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes the lock, and learns whether the previous owner released it. */
bool lock_take(struct store *store, const struct complaint *complaint);
/* Call after the writer has ended. If the store was not fully opened or has a fault, leaves the
 * lock as a killed process would. */
void lock_give_back(struct store *store);

#endif
