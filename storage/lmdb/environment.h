/* Opens the engine: the lock of its directory, the LMDB environment, the tables and the writer. */
#ifndef RECALLD_STORAGE_LMDB_ENVIRONMENT_H
#define RECALLD_STORAGE_LMDB_ENVIRONMENT_H

#include "storage/lmdb/engine.h"

/* Resumes deletions of users that a stopped process left unfinished. */
void forget_resume(struct store *store);
/* The same for deletions of parts of a memory. */
void deletions_resume(struct store *store);

/* What may be done to a store's file before it is opened, while the lock is held. False: it failed,
 * and `error` says why. */
typedef bool engine_preparation(struct store *store, const struct store_options *options,
				char *error, size_t error_size);

/* Opens, or creates, the LMDB environment of a folder. Returns LMDB's code; close `env` unless it
 * is NULL, even if that is an error. */
int engine_open_environment(const char *folder, uint64_t map_size, unsigned flags,
			    struct MDB_env **env);
/* Opens the environment and its tables, without a writer. Returns NULL with the reason in `error`,
 * like store_open(). */
struct store *engine_open(const struct store_options *options, engine_preparation *prepare,
			  char *error, size_t error_size);
/* Whether the writes of opening succeeded; if not, `error` says why. */
bool engine_judge(struct store *store, enum store_result result, char *error, size_t error_size);
bool engine_start_writer(struct store *store, char *error, size_t error_size);

#endif
