#include "storage/open/open.h"

#include "storage/files/files.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/table.h"
#include "storage/record/key.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OLD_TREES = 16 };

struct old_tree {
	const char *name;
	enum table table; /* TABLE_COUNT: the shared tree, whose keys name the table */
};

struct old_format {
	uint64_t number;
	struct old_tree trees[MOST_OLD_TREES]; /* an entry without a name ends the list */
	enum table shared[TABLE_COUNT];        /* by the number that follows the user in a key */
	size_t shared_count;
	enum table falling[TABLE_COUNT]; /* tables of the shared tree whose keys descended */
	size_t falling_count;
};

/* Layouts of stores that are converted: those of earlier formats, and today's in the clear. */

enum { TABLE_AT = sizeof(struct user_key) };

static const struct old_format old_formats[] = {
	{
		.number = 4, /* users and facts had their own trees */
		.trees = {{"meta", TABLE_META},
			  {"receipt", TABLE_RECEIPTS},
			  {"receipt_age", TABLE_RECEIPT_AGES},
			  {"user", TABLE_USERS},
			  {"turn", TABLE_TURNS},
			  {"fact", TABLE_FACTS},
			  {"job", TABLE_JOBS},
			  {"parked", TABLE_PARKED},
			  {"of_user", TABLE_COUNT}},
		.shared = {TABLE_TURN_TIMES, TABLE_USER_RECEIPTS, TABLE_EXCHANGES, TABLE_REPLAYS,
			   TABLE_CONVERSATIONS, TABLE_FROZEN, TABLE_SESSIONS, TABLE_ANSWERS,
			   TABLE_SUMMARIES, TABLE_DOCUMENTS, TABLE_TERMS, TABLE_POSTINGS,
			   TABLE_VECTORS, TABLE_EMBEDDINGS},
		.shared_count = 14,
		.falling = {TABLE_USER_RECEIPTS, TABLE_REPLAYS, TABLE_FROZEN},
		.falling_count = 3,
	},
	{
		.number = STORE_FORMAT, /* only to be encrypted */
		.trees = {{"meta", TABLE_META},
			  {"receipt", TABLE_RECEIPTS},
			  {"receipt_age", TABLE_RECEIPT_AGES},
			  {"audit", TABLE_AUDIT},
			  {"turn", TABLE_TURNS},
			  {"job", TABLE_JOBS},
			  {"parked", TABLE_PARKED},
			  {"of_user", TABLE_COUNT}},
		.shared = {TABLE_FACTS,         TABLE_SUMMARIES, TABLE_USERS,
			   TABLE_TURN_TIMES,    TABLE_EXCHANGES, TABLE_REPLAYS,
			   TABLE_CONVERSATIONS, TABLE_FROZEN,    TABLE_SESSIONS,
			   TABLE_ANSWERS,       TABLE_DOCUMENTS, TABLE_TERMS,
			   TABLE_USER_RECEIPTS, TABLE_POSTINGS,  TABLE_VECTORS,
			   TABLE_EMBEDDINGS,    TABLE_LINKS,     TABLE_TOMBSTONES,
			   TABLE_SETTINGS,      TABLE_DECLINED},
		.shared_count = TABLE_COUNT - FIRST_SHARED_TABLE,
		.falling = {TABLE_TURN_TIMES, TABLE_USER_RECEIPTS, TABLE_REPLAYS, TABLE_FROZEN},
		.falling_count = 4,
	},
};

/* NULL: it is not known. */
static const struct old_format *old_format_find(uint64_t number)
{
	for (size_t i = 0; i < sizeof(old_formats) / sizeof(old_formats[0]); i++) {
		if (old_formats[i].number == number)
			return &old_formats[i];
	}
	return NULL;
}

static bool fell(const struct old_format *format, enum table table)
{
	for (size_t i = 0; i < format->falling_count; i++) {
		if (format->falling[i] == table)
			return true;
	}
	return false;
}

/* Finds the table and the key of a record in `tree`. False: the key is invalid. */
static bool old_format_read_key(const struct old_format *format, const struct old_tree *tree,
				struct slice stored, enum table *table, struct key *key)
{
	const unsigned char *bytes = (const unsigned char *)stored.data;
	bool is_shared = tree->table == TABLE_COUNT;
	*table = tree->table;
	key->size = stored.size - is_shared;
	if (stored.size > KEY_MAX || (is_shared && stored.size <= TABLE_AT))
		return false;
	if (!is_shared) {
		memcpy(key->bytes, bytes, key->size);
		return true;
	}
	if (bytes[TABLE_AT] >= format->shared_count)
		return false;
	*table = format->shared[bytes[TABLE_AT]];
	memcpy(key->bytes, bytes, TABLE_AT);
	memcpy(key->bytes + TABLE_AT, bytes + TABLE_AT + 1, key->size - TABLE_AT);
	for (size_t i = TABLE_AT; fell(format, *table) && i < key->size; i++)
		key->bytes[i] ^= UCHAR_MAX;
	return true;
}

/* One transaction's share: LMDB keeps all pages that it writes in memory until the commit. */
enum { RECORDS_AT_ONCE = 10000, BYTES_AT_ONCE = 8 << 20 };

/* ---- reading the old file ---- */

struct old_store {
	MDB_env *env;
	MDB_txn *transaction;
	uint64_t map_size;
	uint64_t size; /* bytes in use */
};

static void close_old(struct old_store *old)
{
	if (old->transaction != NULL)
		mdb_txn_abort(old->transaction);
	if (old->env != NULL)
		mdb_env_close(old->env);
	*old = (struct old_store){0};
}

static bool open_old(struct old_store *old, const char *path)
{
	MDB_envinfo info;
	*old = (struct old_store){0};
	if (mdb_env_create(&old->env) != MDB_SUCCESS ||
	    mdb_env_set_maxdbs(old->env, MOST_OLD_TREES) != MDB_SUCCESS ||
	    mdb_env_open(old->env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600) !=
		    MDB_SUCCESS ||
	    mdb_txn_begin(old->env, NULL, MDB_RDONLY, &old->transaction) != MDB_SUCCESS)
		return false;
	mdb_env_info(old->env, &info);
	old->map_size = info.me_mapsize;
	old->size = info.me_last_pgno * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static bool read_number(const struct old_store *old, MDB_dbi meta, const char *name,
			uint64_t *number)
{
	const struct key named = key_of_name(name);
	MDB_val key = {named.size, (void *)(uintptr_t)named.bytes};
	MDB_val value;
	return mdb_get(old->transaction, meta, &key, &value) == MDB_SUCCESS &&
	       record_read((struct slice){value.mv_data, value.mv_size}, stored_number_fields,
			   number, NULL);
}

/* NULL: the format is unknown here, or today's, and opening the store decides what that means. */
static const struct old_format *format_of(const struct old_store *old, bool encrypts)
{
	MDB_dbi meta;
	uint64_t number = 0;
	uint64_t id;
	if (mdb_dbi_open(old->transaction, "meta", 0, &meta) != MDB_SUCCESS ||
	    !read_number(old, meta, "format", &number) ||
	    (number == STORE_FORMAT && (!encrypts || read_number(old, meta, "sealed", &id))))
		return NULL;
	return old_format_find(number);
}

/* ---- copying ---- */

struct copying {
	const struct old_format *format;
	struct store *to;
	struct transaction transaction;
	bool begun;
	size_t records, bytes; /* in the current transaction */
	uint64_t skipped;      /* records whose keys nobody can read */
	bool encrypts;
	struct store_progress progress;
	uint64_t done, size; /* bytes */
	bool is_damaged;     /* the old file cannot be read to its end */
};

static enum store_result commit(struct copying *copying)
{
	copying->records = copying->bytes = 0;
	if (!copying->begun)
		return STORE_OK;
	copying->begun = false;
	return transaction_commit(&copying->transaction);
}

/* The new store has its own format, and counts while it is written. An encrypted one has other
 * hashes of words: it is indexed when it is opened. */
static bool is_its_own(const struct copying *copying, enum table table, const struct key *key)
{
	const struct slice name = {(const char *)key->bytes, key->size};
	if (copying->encrypts &&
	    (table == TABLE_DOCUMENTS || table == TABLE_TERMS || table == TABLE_POSTINGS))
		return true;
	return table == TABLE_META &&
	       (slice_equal(name, SLICE("format")) || slice_equal(name, SLICE("counts")) ||
		(copying->encrypts && slice_equal(name, SLICE("index_version"))));
}

static void tell(struct copying *copying, size_t bytes)
{
	const struct store_progress *progress = &copying->progress;
	copying->done += bytes;
	double share = (double)copying->done / ((double)copying->size + 1);
	if (progress->tell != NULL)
		progress->tell(progress->cookie, share < 1 ? share : 1);
}

static enum store_result copy_record(struct copying *copying, const struct old_tree *tree,
				     const MDB_val *stored, const MDB_val *value)
{
	struct key key;
	enum table table;
	const struct slice place = {stored->mv_data, stored->mv_size};
	if (!old_format_read_key(copying->format, tree, place, &table, &key)) {
		copying->skipped++;
		return STORE_OK;
	}
	tell(copying, stored->mv_size + value->mv_size);
	if (is_its_own(copying, table, &key))
		return STORE_OK;
	if (!copying->begun && !transaction_begin_write(&copying->transaction, copying->to))
		return copying->transaction.result;
	copying->begun = true;
	table_put(&copying->transaction, table, key,
		  (struct slice){value->mv_data, value->mv_size});
	copying->bytes += stored->mv_size + value->mv_size;
	if (++copying->records < RECORDS_AT_ONCE && copying->bytes < BYTES_AT_ONCE)
		return copying->transaction.result;
	return commit(copying);
}

static enum store_result copy_tree(struct copying *copying, MDB_txn *from,
				   const struct old_tree *tree)
{
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	enum store_result result = STORE_OK;
	int code = mdb_dbi_open(from, tree->name, 0, &dbi);
	if (code == MDB_NOTFOUND)
		return STORE_OK;
	copying->is_damaged =
		code != MDB_SUCCESS || mdb_cursor_open(from, dbi, &cursor) != MDB_SUCCESS;
	if (copying->is_damaged)
		return STORE_FAILED;
	while (result == STORE_OK &&
	       (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
		result = copy_record(copying, tree, &key, &value);
	mdb_cursor_close(cursor);
	copying->is_damaged = result == STORE_OK && code != MDB_NOTFOUND;
	return copying->is_damaged ? STORE_FAILED : result;
}

static enum store_result copy_all(struct copying *copying, const struct old_store *old)
{
	enum store_result result = STORE_OK;
	const struct old_tree *tree = copying->format->trees;
	for (; result == STORE_OK && tree->name != NULL; tree++)
		result = copy_tree(copying, old->transaction, tree);
	if (result == STORE_OK)
		return commit(copying);
	if (copying->begun)
		transaction_abort(&copying->transaction);
	return result;
}

/* ---- files ---- */

static void remove_copy(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "recalld.lock",
					    "making",   "keys",     "keys.new"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *file = file_path(folder, names[i]);
		(void)unlink(file);
		free(file);
	}
	(void)rmdir(folder);
}

static bool move_up(const char *folder, const char *path, const char *name)
{
	char *from = file_path(folder, name);
	char *to = file_path(path, name);
	bool moved = rename(from, to) == 0;
	int error = errno;
	file_sync_folder(path);
	free(from);
	free(to);
	errno = error;
	return moved;
}

static bool keep_old(const char *path, uint64_t format)
{
	char backup[32];
	(void)snprintf(backup, sizeof(backup), "data.mdb.format-%llu", (unsigned long long)format);
	char *old = file_path(path, "data.mdb");
	char *kept = file_path(path, backup);
	(void)unlink(kept);
	bool linked = link(old, kept) == 0;
	int error = errno;
	free(old);
	free(kept);
	errno = error;
	return linked;
}

/* Renames so that at every moment the name refers to a complete store, an encrypted one with its
 * keys. */
static bool switch_files(const char *path, const char *folder, uint64_t format, bool encrypts)
{
	return (encrypts ? move_up(folder, path, "keys") : keep_old(path, format)) &&
	       move_up(folder, path, "data.mdb");
}

static const char *advice(const struct copying *copying, enum store_result result)
{
	if (copying->is_damaged)
		return "its file is damaged: export what can be read";
	return result == STORE_FULL ? "make room on its disk for a copy, or export it"
				    : "a copy cannot be written beside it; mend that, or export it";
}

static bool copy_into(const char *folder, const struct old_store *old,
		      const struct old_format *format, const struct store_options *options,
		      uint64_t *skipped, struct complaint complaint)
{
	struct store_options made = *options;
	made.path = folder;
	made.rebuilds = false;
	if (made.map_size < old->map_size)
		made.map_size = old->map_size;
	struct store *to = engine_open(&made, NULL, complaint);
	if (to == NULL)
		return false;
	struct copying copying = {.format = format,
				  .to = to,
				  .encrypts = options->master != NULL,
				  .progress = options->converting,
				  .size = old->size};
	enum store_result result = copy_all(&copying, old);
	store_close(to);
	*skipped = copying.skipped;
	if (result != STORE_OK && format->number == STORE_FORMAT)
		return complain(complaint, "cannot encrypt the store in %s; it is unchanged: %s",
				options->path,
				copying.is_damaged ? "its file is damaged; export what can be read"
						   : "make room on its disk for a copy");
	return result == STORE_OK ||
	       complain(
		       complaint,
		       "cannot convert the store in %s from format %llu to %d; it is unchanged: %s "
		       "with the recallctl of the recalld that wrote it and build a new store with "
		       "\"recallctl rebuild\"",
		       options->path, (unsigned long long)format->number, STORE_FORMAT,
		       advice(&copying, result));
}

static bool convert(struct store *store, struct old_store *old, const struct old_format *format,
		    const struct store_options *options, struct complaint complaint)
{
	char *folder = file_path(store->path, "converting");
	remove_copy(folder);
	uint64_t skipped = 0;
	bool fine = copy_into(folder, old, format, options, &skipped, complaint);
	close_old(old);
	if (fine && !switch_files(store->path, folder, format->number, options->master != NULL))
		fine = complain(complaint, "cannot move the converted store into place in %s: %s",
				store->path, strerror(errno));
	remove_copy(folder);
	free(folder);
	if (fine)
		store->converted =
			(struct store_conversion){format->number, skipped, options->master != NULL};
	return fine;
}

bool convert_old_format(struct store *store, const struct store_options *options,
			struct complaint complaint)
{
	struct old_store old;
	const struct old_format *format = NULL;
	bool fine = true;
	if (!store_marker_is_made(store->path))
		return true;
	if (open_old(&old, store->path))
		format = format_of(&old, options->master != NULL);
	if (format != NULL)
		fine = convert(store, &old, format, options, complaint);
	close_old(&old);
	return fine;
}
