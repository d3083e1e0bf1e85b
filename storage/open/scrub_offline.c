#include "storage/open/scrub_offline.h"

#include "storage/lmdb/reader.h"
#include "storage/lmdb/store_marker.h"
#include "storage/open/scrub_copy.h"

#include <lmdb.h>
#include <stdio.h>

static int copy_all(struct copy *copy, struct reader *old)
{
	unsigned trees[TREE_COUNT];
	for (size_t i = 0; i < TREE_COUNT; i++)
		trees[i] = old->has_tree[i] ? old->store.trees[i] : 0;
	const struct copy_source source = {old->transaction.handle, trees};
	int code = MDB_SUCCESS;
	copy->erasures = (uint64_t)table_counts(&old->transaction).erasures;
	while (code == MDB_SUCCESS && !copy->is_whole)
		code = copy_slice(copy, &source);
	return code == MDB_SUCCESS ? copy_seal(copy) : code;
}

static uint64_t larger_map(struct reader *old, uint64_t map_size)
{
	MDB_envinfo info = {0};
	(void)mdb_env_info(old->store.env, &info);
	return info.me_mapsize > map_size ? info.me_mapsize : map_size;
}

static const char *scrub(const struct store *store)
{
	struct reader old;
	struct copy copy;
	const char *fault = reader_open(&old, store->path, true);
	if (fault != NULL) {
		reader_finish(&old);
		return fault;
	}
	int code = copy_begin(&copy, store->path, larger_map(&old, store->map_size));
	if (code == MDB_SUCCESS)
		code = copy_all(&copy, &old);
	reader_finish(&old);
	if (code == MDB_SUCCESS)
		code = copy_exchange(&copy);
	copy_finish(&copy);
	return code == MDB_SUCCESS ? NULL : mdb_strerror(code);
}

bool scrub_file(struct store *store, const struct store_options *options, char *error,
		size_t error_size)
{
	copy_remove_old(store->path);
	if (!options->scrubs || !store_marker_is_made(store->path))
		return true;
	const char *fault = scrub(store);
	if (fault != NULL)
		(void)snprintf(
			error, error_size,
			"cannot scrub the store in %s: %s; make room for a second copy on its "
			"disk, or start without [storage] scrub",
			store->path, fault);
	return fault == NULL;
}
