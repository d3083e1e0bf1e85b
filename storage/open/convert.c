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

struct converting {
	const struct old_format *format;
	MDB_env *env; /* the old file */
	MDB_txn *old; /* the transaction that reads it */
	uint64_t map_size;
	uint64_t size, done; /* bytes */
	struct store *to;
	struct transaction transaction;
	bool begun;
	size_t records, bytes; /* in the current transaction */
	uint64_t skipped;      /* records whose keys nobody can read */
	bool encrypts;
	struct store_progress progress;
	bool is_damaged; /* the old file cannot be read to its end */
};

/* ---- reading the old file ---- */

static void close_old(struct converting *converting)
{
	if (converting->old != NULL)
		mdb_txn_abort(converting->old);
	if (converting->env != NULL)
		mdb_env_close(converting->env);
	converting->old = NULL;
	converting->env = NULL;
}

static bool open_old(struct converting *converting, const char *path)
{
	MDB_envinfo info;
	if (mdb_env_create(&converting->env) != MDB_SUCCESS ||
	    mdb_env_set_maxdbs(converting->env, MOST_OLD_TREES) != MDB_SUCCESS ||
	    mdb_env_open(converting->env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600) !=
		    MDB_SUCCESS ||
	    mdb_txn_begin(converting->env, NULL, MDB_RDONLY, &converting->old) != MDB_SUCCESS)
		return false;
	mdb_env_info(converting->env, &info);
	converting->map_size = info.me_mapsize;
	converting->size = info.me_last_pgno * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static bool read_number(MDB_txn *old, MDB_dbi meta, const char *name, uint64_t *number)
{
	const struct key named = key_of_name(name);
	MDB_val key = {named.size, (void *)(uintptr_t)named.bytes};
	MDB_val value;
	return mdb_get(old, meta, &key, &value) == MDB_SUCCESS &&
	       record_read((struct slice){value.mv_data, value.mv_size}, stored_number_fields,
			   number, NULL);
}

/* NULL: the format is unknown here, or today's, and opening the store decides what that means. */
static const struct old_format *format_of(MDB_txn *old, bool encrypts)
{
	MDB_dbi meta;
	uint64_t number = 0;
	uint64_t id;
	if (mdb_dbi_open(old, "meta", 0, &meta) != MDB_SUCCESS ||
	    !read_number(old, meta, "format", &number) ||
	    (number == STORE_FORMAT && (!encrypts || read_number(old, meta, "sealed", &id))))
		return NULL;
	return old_format_find(number);
}

/* ---- copying ---- */

static enum store_result commit(struct converting *converting)
{
	converting->records = converting->bytes = 0;
	if (!converting->begun)
		return STORE_OK;
	converting->begun = false;
	return transaction_commit(&converting->transaction);
}

/* The new store has its own format, and counts while it is written. An encrypted one has other
 * hashes of words: it is indexed when it is opened. */
static bool is_its_own(const struct converting *converting, enum table table, const struct key *key)
{
	const struct slice name = key_slice(key);
	if (converting->encrypts &&
	    (table == TABLE_DOCUMENTS || table == TABLE_TERMS || table == TABLE_POSTINGS))
		return true;
	return table == TABLE_META &&
	       (slice_equal(name, SLICE("format")) || slice_equal(name, SLICE("counts")) ||
		(converting->encrypts && slice_equal(name, SLICE("index_version"))));
}

static enum store_result copy_record(struct converting *converting, const struct old_tree *tree,
				     struct slice place, struct slice value)
{
	struct key key;
	enum table table;
	if (!old_format_read_key(converting->format, tree, place, &table, &key)) {
		converting->skipped++;
		return STORE_OK;
	}
	converting->done += place.size + value.size;
	store_tell(&converting->progress, (double)converting->done, (double)converting->size + 1);
	if (is_its_own(converting, table, &key))
		return STORE_OK;
	if (!converting->begun &&
	    !transaction_begin_write(&converting->transaction, converting->to))
		return converting->transaction.result;
	converting->begun = true;
	table_put(&converting->transaction, table, key, value);
	converting->bytes += place.size + value.size;
	if (++converting->records < RECORDS_AT_ONCE && converting->bytes < BYTES_AT_ONCE)
		return converting->transaction.result;
	return commit(converting);
}

static enum store_result copy_tree(struct converting *converting, const struct old_tree *tree)
{
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	enum store_result result = STORE_OK;
	int code = mdb_dbi_open(converting->old, tree->name, 0, &dbi);
	if (code == MDB_NOTFOUND)
		return STORE_OK;
	converting->is_damaged = code != MDB_SUCCESS ||
				 mdb_cursor_open(converting->old, dbi, &cursor) != MDB_SUCCESS;
	if (converting->is_damaged)
		return STORE_FAILED;
	while (result == STORE_OK &&
	       (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
		result = copy_record(converting, tree, (struct slice){key.mv_data, key.mv_size},
				     (struct slice){value.mv_data, value.mv_size});
	mdb_cursor_close(cursor);
	converting->is_damaged = result == STORE_OK && code != MDB_NOTFOUND;
	return converting->is_damaged ? STORE_FAILED : result;
}

static enum store_result copy_all(struct converting *converting)
{
	enum store_result result = STORE_OK;
	const struct old_tree *tree = converting->format->trees;
	for (; result == STORE_OK && tree->name != NULL; tree++)
		result = copy_tree(converting, tree);
	if (result == STORE_OK)
		return commit(converting);
	if (converting->begun)
		transaction_abort(&converting->transaction);
	return result;
}

/* ---- files ---- */

static void remove_copy(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "recalld.lock",
					    "making",   "keys",     "keys.new"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)file_remove(folder, names[i]);
	(void)rmdir(folder);
}

static bool move_up(const char *folder, const char *path, const char *name)
{
	bool moved = file_move(folder, name, path, name);
	int error = errno;
	file_sync_folder(path);
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
static bool switch_files(const char *path, const char *folder, const struct converting *converting)
{
	return (converting->encrypts ? move_up(folder, path, "keys")
				     : keep_old(path, converting->format->number)) &&
	       move_up(folder, path, "data.mdb");
}

static const char *advice(const struct converting *converting, enum store_result result)
{
	if (converting->is_damaged)
		return "its file is damaged: export what can be read";
	return result == STORE_FULL ? "make room on its disk for a copy, or export it"
				    : "a copy cannot be written beside it; mend that, or export it";
}

static bool complain_of_copy(const struct converting *converting, const char *path,
			     enum store_result result, struct complaint complaint)
{
	const uint64_t format = converting->format->number;
	if (format == STORE_FORMAT)
		return complain(
			complaint, "cannot encrypt the store in %s; it is unchanged: %s", path,
			converting->is_damaged ? "its file is damaged; export what can be read"
					       : "make room on its disk for a copy");
	return complain(complaint,
			"cannot convert the store in %s from format %llu to %d; it is unchanged: "
			"%s with the recallctl of the recalld that wrote it and build a new store "
			"with \"recallctl rebuild\"",
			path, (unsigned long long)format, STORE_FORMAT, advice(converting, result));
}

static bool copy_into(struct converting *converting, const char *folder,
		      const struct store_options *options, struct complaint complaint)
{
	struct store_options made = *options;
	made.path = folder;
	made.rebuilds = false;
	if (made.map_size < converting->map_size)
		made.map_size = converting->map_size;
	converting->to = engine_open(&made, NULL, complaint);
	if (converting->to == NULL)
		return false;
	enum store_result result = copy_all(converting);
	store_close(converting->to);
	return result == STORE_OK || complain_of_copy(converting, options->path, result, complaint);
}

static bool convert(struct store *store, struct converting *converting,
		    const struct store_options *options, struct complaint complaint)
{
	char *folder = file_path(store->path, "converting");
	remove_copy(folder);
	bool fine = copy_into(converting, folder, options, complaint);
	close_old(converting);
	if (fine && !switch_files(store->path, folder, converting))
		fine = complain(complaint, "cannot move the converted store into place in %s: %s",
				store->path, strerror(errno));
	remove_copy(folder);
	free(folder);
	if (fine)
		store->converted = (struct store_conversion){
			converting->format->number, converting->skipped, converting->encrypts};
	return fine;
}

bool convert_old_format(struct store *store, const struct store_options *options,
			struct complaint complaint)
{
	struct converting converting = {.encrypts = options->master != NULL,
					.progress = options->converting};
	bool fine = true;
	if (!store_marker_is_made(store->path))
		return true;
	if (open_old(&converting, store->path))
		converting.format = format_of(converting.old, converting.encrypts);
	if (converting.format != NULL)
		fine = convert(store, &converting, options, complaint);
	close_old(&converting);
	return fine;
}
