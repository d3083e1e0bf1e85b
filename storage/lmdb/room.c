/* How full the store is. */
#include "storage/lmdb/table.h"

#include <lmdb.h>
#include <string.h>
#include <sys/statvfs.h>

enum { FREE_LIST = 0 /* LMDB's own number for the list of free pages */ };

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

static uint64_t disk_free(const struct store *store)
{
	struct statvfs disk;
	return statvfs(store->path, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
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
