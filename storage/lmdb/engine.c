#include "storage/lmdb/engine.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

/* ---- the file and the disk ---- */

enum {
	MEGABYTE = 1024 * 1024,
	DISK_HEAD_ROOM = 64 * MEGABYTE,
	RESERVE = 16 * MEGABYTE,
};

/* Room kept for deletes and for the exchanges in progress that were told there is room: 2 % of the
 * map, at least 16 MB, but at most half of a small map. */
uint64_t engine_head_room(const struct store *store)
{
	uint64_t map_size = store->map_size;
	uint64_t floor = map_size / 2 < 16 * MEGABYTE ? map_size / 2 : 16 * MEGABYTE;
	return map_size / 50 > floor ? map_size / 50 : floor;
}

uint64_t engine_look_distance(const struct store *store)
{
	uint64_t head_room = engine_head_room(store);
	return (head_room < RESERVE ? head_room : RESERVE) / 16;
}

static uint64_t bytes_in_use(const struct store *store, size_t *page)
{
	MDB_envinfo info;
	MDB_stat stat;
	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	*page = stat.ms_psize;
	return (info.me_last_pgno + 1) * stat.ms_psize;
}

void engine_reserve(struct store *store)
{
	int file;
	size_t page;
	uint64_t end = bytes_in_use(store, &page) + RESERVE;
	if (end > store->map_size)
		end = store->map_size;
	/* in steps of a quarter, not for every page */
	if (end <= store->reserved ||
	    (end < store->map_size && store->reserved > 0 && end - store->reserved < RESERVE / 4)) {
		atomic_store(&store->has_reserve, true);
		return;
	}
	int code = mdb_env_get_fd(store->env, &file);
	if (code == MDB_SUCCESS && fallocate(file, 0, 0, (off_t)end) != 0)
		code = errno;
	if (code == MDB_SUCCESS)
		store->reserved = end;
	/* Without a reserve from the file system, only the disk's free bytes count. */
	atomic_store(&store->has_reserve,
		     code == MDB_SUCCESS || code == EOPNOTSUPP || code == ENOSYS);
}

void engine_cache_singly(struct store *store)
{
	enum { AHEAD = MEGABYTE };
	int file;
	size_t page;
	char byte;
	uint64_t used = bytes_in_use(store, &page);
	uint64_t end = used + AHEAD < store->reserved ? used + AHEAD : store->reserved;
	if (used + AHEAD / 2 <= store->cached_singly || end <= store->cached_singly ||
	    mdb_env_get_fd(store->env, &file) != MDB_SUCCESS)
		return;
	uint64_t at = used > store->cached_singly ? used : store->cached_singly;
	(void)posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
	for (; at < end; at += page)
		(void)!pread(file, &byte, 1, (off_t)at);
	store->cached_singly = end;
}

uint64_t engine_disk_head_room(void)
{
	return DISK_HEAD_ROOM;
}

bool engine_disk_has_room(const struct store *store)
{
	struct statvfs disk;
	if (!atomic_load(&store->has_reserve))
		return false;
	if (statvfs(store->path, &disk) != 0)
		return true;
	return (uint64_t)disk.f_bavail * disk.f_frsize >= DISK_HEAD_ROOM;
}
