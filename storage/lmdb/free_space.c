#include "storage/lmdb/engine.h"
#include "storage/lmdb/table.h"
#include "storage/lmdb/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	MEGABYTE = 1024 * 1024,
	DISK_HEAD_ROOM = 64 * MEGABYTE,
	RESERVE = 16 * MEGABYTE,
	FREE_LIST = 0, /* LMDB's own number for the list of free pages */
};

/* Room kept for deletes and for the exchanges in progress that were told there is room: 2 % of the
 * map, at least 16 MB, but at most half of a small map. */
uint64_t engine_head_room(const struct store *store)
{
	uint64_t map_size = store->map_size;
	uint64_t floor = map_size / 2 < 16 * MEGABYTE ? map_size / 2 : 16 * MEGABYTE;
	return map_size / 50 > floor ? map_size / 50 : floor;
}

/* One record holds a count and then that many page numbers. */
static uint64_t count_from(MDB_val value, uint64_t from)
{
	uint64_t pages = 0;
	size_t count = 0;
	if (value.mv_size >= sizeof(count))
		memcpy(&count, value.mv_data, sizeof(count));
	/* a damaged record claims more than it holds */
	if (count >= value.mv_size / sizeof(count))
		count = value.mv_size / sizeof(count) - (value.mv_size >= sizeof(count));
	if (from == 0)
		return count;
	for (size_t i = 1; i <= count; i++) {
		size_t page;
		memcpy(&page, (const char *)value.mv_data + i * sizeof(page), sizeof(page));
		pages += page >= from;
	}
	return pages;
}

/* A damaged list may form a cycle. */
static bool goes_up(MDB_val key, size_t *last)
{
	size_t number;
	if (key.mv_size != sizeof(number))
		return false;
	memcpy(&number, key.mv_data, sizeof(number));
	bool is_higher = number > *last;
	*last = number;
	return is_higher;
}

/* Each record of the free list is a list of pages preceded by its length. */
uint64_t engine_free_pages(struct transaction *transaction, uint64_t from)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	uint64_t pages = 0;
	size_t last = 0;
	if (mdb_cursor_open(transaction->handle, FREE_LIST, &cursor) != MDB_SUCCESS) {
		transaction_fail(transaction);
		return 0;
	}
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
		if (!goes_up(key, &last)) {
			atomic_store(&transaction->store->is_broken, true);
			transaction_fail(transaction);
			break;
		}
		pages += count_from(value, from);
	}
	mdb_cursor_close(cursor);
	return pages;
}

uint64_t engine_bytes_used(struct store *store)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, store))
		return 0;
	uint64_t free_pages = engine_free_pages(&transaction, 0);
	/* Read last: the file may have grown meanwhile, and never shrinks below what was
	 * counted. */
	mdb_env_info(mdb_txn_env(transaction.handle), &info);
	mdb_env_stat(mdb_txn_env(transaction.handle), &stat);
	transaction_abort(&transaction);
	if (transaction.result != STORE_OK)
		return 0;
	return (info.me_last_pgno + 1 - free_pages) * stat.ms_psize;
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

static uint64_t disk_free(const struct store *store)
{
	struct statvfs disk;
	return statvfs(store->path, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
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

void engine_look_at_room(struct store *store)
{
	int dead;
	/* Otherwise a killed export would keep the pages that it read from being reused. */
	(void)mdb_reader_check(store->env, &dead);
	uint64_t used = engine_bytes_used(store);
	engine_reserve(store);
	if (used == 0)
		return; /* out of memory, not out of room: keep the last result */
	/* where one write found no room, the next would not either */
	if (used < store->full_at)
		store->full_at = 0;
	bool room = store->full_at == 0 && used + engine_head_room(store) <= store->map_size &&
		    engine_disk_has_room(store);
	atomic_store(&store->has_room, room);
	/* half of the head-room before there is none left for writes */
	atomic_store(&store->is_crowded, used + engine_head_room(store) / 2 * 3 > store->map_size);
}

bool store_is_crowded(const struct store *store)
{
	return atomic_load(&store->is_crowded);
}

bool store_has_room(const struct store *store)
{
	return atomic_load(&store->has_room);
}

bool store_is_behind(const struct store *store)
{
	return writer_is_full(store->writer);
}

uint64_t store_unreadable(const struct store *store)
{
	return atomic_load(&store->unreadable);
}

bool store_is_broken(const struct store *store)
{
	return atomic_load(&store->is_broken);
}

bool store_is_stuck(const struct store *store)
{
	return atomic_load(&store->is_stuck);
}

void store_statistics(struct store *store, struct store_statistics *statistics)
{
	*statistics = (struct store_statistics){
		.bytes_used = engine_bytes_used(store),
		.bytes_mapped = store->map_size,
		.disk_free = disk_free(store),
		.commits = atomic_load(&store->commits),
		.writes = atomic_load(&store->writes),
		.unreadable = atomic_load(&store->unreadable),
	};
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, store))
		return;
	const struct table_counts counts = table_counts(&transaction);
	statistics->users = (uint64_t)counts.users;
	statistics->facts = (uint64_t)counts.facts;
	statistics->turns = table_count(&transaction, TABLE_TURNS);
	statistics->jobs = table_count(&transaction, TABLE_JOBS);
	statistics->parked = table_count(&transaction, TABLE_PARKED);
	statistics->receipts = table_count(&transaction, TABLE_RECEIPTS);
	transaction_abort(&transaction);
}
