#include "storage/lmdb/engine.h"

#include <endian.h>
#include <lmdb.h>
#include <string.h>

static const char *const tree_names[TREE_COUNT] = {
	[TABLE_META] = "meta",
	[TABLE_RECEIPTS] = "receipt",
	[TABLE_RECEIPT_AGES] = "receipt_age",
	[TABLE_AUDIT] = "audit",
	[TABLE_TURNS] = "turn",
	[TABLE_JOBS] = "job",
	[TABLE_PARKED] = "parked",
	[FIRST_SHARED_TABLE] = "of_user",
	[TREE_SPACE] = "space",
};

size_t engine_tree_of(enum table table)
{
	return table < FIRST_SHARED_TABLE ? table : FIRST_SHARED_TABLE;
}

const char *engine_tree_name(size_t tree)
{
	return tree_names[tree];
}

const char *store_result_name(enum store_result result)
{
	static const char *const names[] = {
		[STORE_OK] = "ok",       [STORE_NOT_FOUND] = "not found",
		[STORE_STALE] = "stale", [STORE_CHANGED] = "changed",
		[STORE_FULL] = "full",   [STORE_FAILED] = "failed",
	};
	return names[result];
}

/* Same order as memcmp(), LMDB's default, but faster: most keys differ in the first bytes of the
 * user. */
static int compare_keys(const MDB_val *left, const MDB_val *right)
{
	uint64_t a;
	uint64_t b;
	size_t common = left->mv_size < right->mv_size ? left->mv_size : right->mv_size;
	if (common >= sizeof(a)) {
		memcpy(&a, left->mv_data, sizeof(a));
		memcpy(&b, right->mv_data, sizeof(b));
		if (a != b)
			return be64toh(a) < be64toh(b) ? -1 : 1;
	}
	int order = memcmp(left->mv_data, right->mv_data, common);
	if (order != 0)
		return order;
	return (left->mv_size > right->mv_size) - (left->mv_size < right->mv_size);
}

unsigned engine_replace(struct store *store, struct MDB_env *env)
{
	pthread_mutex_lock(&store->replacing);
	unsigned before = store->replaced++;
	store->env = env;
	pthread_mutex_unlock(&store->replacing);
	store->reserved = store->cached_singly = store->full_at = 0;
	engine_look_at_room(store);
	engine_cache_singly(store);
	return before;
}

bool engine_has_readers(struct store *store, unsigned number)
{
	pthread_mutex_lock(&store->replacing);
	bool has = store->readers[number % 2] > 0;
	pthread_mutex_unlock(&store->replacing);
	return has;
}

int engine_open_tree(struct store *store, struct MDB_txn *handle, size_t tree, unsigned flags)
{
	int code = mdb_dbi_open(handle, tree_names[tree], flags, &store->trees[tree]);
	return code == MDB_SUCCESS ? mdb_set_compare(handle, store->trees[tree], compare_keys)
				   : code;
}
