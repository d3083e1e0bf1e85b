#include "storage/lmdb/engine.h"

#include "storage/files/erasures.h"
#include "storage/files/files.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/forget_epochs.h"
#include "storage/lmdb/reader.h"
#include "storage/lmdb/table.h"
#include "storage/lmdb/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	READERS = 1024,
	TICKETS = 65536,
};

static bool make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) == 0 || errno == EEXIST;
}

/* Creates missing parent directories too. */
static bool make_path(const char *path)
{
	char *part = xstrdup(path);
	bool made = true;
	for (char *slash = strchr(part + 1, '/'); made && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		made = make_folder(part, 0755);
		*slash = '/';
	}
	int error = errno;
	free(part);
	errno = error;
	return made && make_folder(path, 0700);
}

static bool make_directory(const char *path, struct complaint complaint)
{
	struct stat status;
	if (!make_path(path))
		return complain(
			complaint,
			"cannot create the directory %s: %s; create it, or set [storage] path",
			path, strerror(errno));
	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return complain(complaint, "%s is not a directory; set [storage] path to one",
				path);
	return true;
}

static bool complain_of_damage(const struct store *store, const char *fault,
			       struct complaint complaint)
{
	return complain(
		complaint,
		"cannot read the store in %s: %s; move it aside, save what is readable with "
		"\"recallctl export --store MOVED >FILE\" (or use an earlier export), and build a "
		"new store from that with \"recallctl rebuild --store %s <FILE\"",
		store->path, fault, store->path);
}

/* Finds damage in the file before anything is written to it. */
static bool look_at_file(const struct store *store, struct complaint complaint)
{
	bool is_damaged;
	const char *fault = reader_probe(store->path, store->was_cut_off, &is_damaged);
	if (fault == NULL)
		return true;
	if (is_damaged)
		return complain_of_damage(store, fault, complaint);
	return complain(complaint, "cannot read the store in %s: %s", store->path, fault);
}

/* ---- a store that is being made ---- */

static bool put_mark(const struct store *store, enum store_marker mark, struct complaint complaint)
{
	return store_marker_put(store->path, mark) ||
	       complain(complaint, "cannot write in %s: %s", store->path, strerror(errno));
}

/* A new store carries a marker until its tables exist, so that what a stopped process leaves behind
 * is not taken for damage. */
static bool begin_new(const struct store *store, struct complaint complaint)
{
	bool is_damaged;
	if (store_marker_is_there(store->path, STORE_MARKER_MAKING) &&
	    reader_probe(store->path, false, &is_damaged) != NULL && is_damaged)
		store_marker_put_aside(store->path);
	return store_marker_is_made(store->path) || put_mark(store, STORE_MARKER_MAKING, complaint);
}

/* Removes the marker while the store is still empty: a store that kept it would be put aside when
 * it is damaged later. */
static bool end_new(const struct store *store, struct complaint complaint)
{
	return !store_marker_is_there(store->path, STORE_MARKER_MAKING) ||
	       store_marker_remove(store->path, STORE_MARKER_MAKING) ||
	       complain(complaint, "cannot remove the file \"making\" in %s: %s", store->path,
			strerror(errno));
}

static bool look_at_mark(const struct store *store, struct complaint complaint)
{
	return !store_marker_is_there(store->path, STORE_MARKER_REBUILDING) ||
	       complain(complaint,
			"the store in %s is incomplete: its \"recallctl rebuild\" was interrupted; "
			"empty the directory and run it again",
			store->path);
}

/* LMDB maps its table of readers, and writing a page that has no disk block ends the process. If
 * the file system has no fallocate, or the table exists already, it stays as it is. */
static bool reserve_readers(const struct store *store, struct complaint complaint)
{
	enum { TABLE_SIZE = (READERS + 64) * 64 }; /* a cache line each, and the header */
	struct stat status;
	char *path = file_path(store->path, "lock.mdb");
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (file < 0)
		return true; /* opening the store reports why */
	bool is_new = fstat(file, &status) == 0 && status.st_size == 0;
	int failed = fallocate(file, 0, 0, is_new ? TABLE_SIZE : status.st_size);
	int why = errno;
	close(file);
	return failed == 0 || !is_new || (why != ENOSPC && why != EDQUOT) ||
	       complain(complaint,
			"cannot create a store in %s: %s; make room on its disk, or set [storage] "
			"path",
			store->path, strerror(why));
}

int engine_open_environment(const char *folder, uint64_t map_size, unsigned flags, MDB_env **env)
{
	int code = mdb_env_create(env);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxdbs(*env, TREE_COUNT);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxreaders(*env, READERS);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_mapsize(*env, map_size);
	return code == MDB_SUCCESS ? mdb_env_open(*env, folder, flags | MDB_NOTLS, 0600) : code;
}

static bool open_environment(struct store *store, struct complaint complaint)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	store->map_size = (store->map_size + page - 1) / page * page;
	if (!reserve_readers(store, complaint))
		return false;
	int code = engine_open_environment(store->path, store->map_size, 0, &store->env);
	if (code != MDB_SUCCESS)
		return complain(
			complaint, "cannot open the store in %s: %s; %s, or set [storage] path",
			store->path, mdb_strerror(code),
			code == EACCES ? "give recalld's user the directory and its files"
				       : "check the directory's files and [storage] map_size");
	file_sync_folder(store->path);
	/* A store that has outgrown the configured size keeps its own size. */
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	store->map_size = info.me_mapsize;
	return true;
}

static bool open_trees(struct store *store, struct transaction *transaction)
{
	for (size_t i = 0; i < TREE_COUNT; i++) {
		int code = engine_open_tree(store, transaction->handle, i, MDB_CREATE);
		if (code != MDB_SUCCESS) {
			transaction->result = engine_result(store, code);
			return false;
		}
	}
	return true;
}

/* The format that the store was written in; a new store gets ours. */
static uint64_t take_format(struct transaction *transaction)
{
	struct key key = key_of_name("format");
	struct slice value;
	uint64_t format = STORE_FORMAT;
	/* Written only if missing: a full disk must not keep the daemon from serving. */
	if (!table_get(transaction, TABLE_META, key, &value)) {
		table_write(transaction, TABLE_META, key, stored_number_fields, &format);
		space_note_all_counted(transaction);
	} else if (!record_read(value, stored_number_fields, &format, NULL)) {
		format = 0;
	} else {
		space_check(transaction);
	}
	return format;
}

/* A store is encrypted from its first record on, or never. */
static bool open_keys(struct transaction *transaction, const struct store_options *options,
		      struct complaint complaint)
{
	struct store *store = transaction->store;
	uint64_t id;
	const enum seal_state state = transaction_seal_state(transaction, &id);
	if (!seal_open(store->path, options->master, state, id, true, &store->seal, complaint))
		return false;
	if (store->seal == NULL || state != SEAL_NEW)
		return true;
	id = seal_id(store->seal);
	table_write(transaction, TABLE_META, key_of_name("sealed"), stored_number_fields, &id);
	return true;
}

bool engine_judge(struct store *store, enum store_result result, struct complaint complaint)
{
	if (result != STORE_OK && store_is_broken(store))
		return complain_of_damage(store, "data.mdb is damaged", complaint);
	if (result != STORE_OK)
		return complain(complaint,
				"cannot write the store in %s (%s); make room on its disk or raise "
				"[storage] map_size",
				store->path, store_result_name(result));
	return true;
}

static bool prepare_trees(struct store *store, const struct store_options *options,
			  struct complaint complaint)
{
	struct transaction transaction;
	uint64_t format = STORE_FORMAT;
	bool has_keys = true;
	if (transaction_begin_write(&transaction, store)) {
		bool is_open = open_trees(store, &transaction);
		if (is_open)
			has_keys = open_keys(&transaction, options, complaint);
		if (is_open)
			format = take_format(&transaction);
		if (format == STORE_FORMAT && has_keys)
			(void)transaction_commit(&transaction);
		else
			transaction_abort(&transaction);
	}
	if (!has_keys)
		return false;
	if (format != STORE_FORMAT)
		return complain(complaint,
				"%s has format %llu, this recalld reads format %d; use the recalld "
				"that wrote it, or export with its \"recallctl export\" and build "
				"a new store with \"recallctl rebuild\"",
				store->path, (unsigned long long)format, STORE_FORMAT);
	return engine_judge(store, transaction.result, complaint);
}

bool engine_start_writer(struct store *store, struct complaint complaint)
{
	engine_look_at_room(store);
	engine_cache_singly(store);
	store->writer = writer_start(store);
	if (store->writer == NULL)
		return complain(complaint,
				"cannot start the store's thread; raise the limit of threads");
	return true;
}

struct store *engine_open(const struct store_options *options, engine_preparation *prepare,
			  struct complaint complaint)
{
	struct store *store = xcalloc(1, sizeof(*store));
	store->lock = -1;
	pthread_mutex_init(&store->replacing, NULL);
	store->has_room = true;
	store->path = xstrdup(options->path);
	store->map_size = options->map_size;
	store->receipts = options->receipts;
	for (size_t i = 0; i < EPOCHS; i++)
		store->epochs[i] = forget_epochs_create(TICKETS);
	if (make_directory(store->path, complaint) && lock_take(store, complaint) &&
	    (options->rebuilds ? put_mark(store, STORE_MARKER_REBUILDING, complaint)
			       : look_at_mark(store, complaint)) &&
	    begin_new(store, complaint) && look_at_file(store, complaint) &&
	    (prepare == NULL || prepare(store, options, complaint)) &&
	    open_environment(store, complaint) && prepare_trees(store, options, complaint) &&
	    end_new(store, complaint)) {
		store->erasures = erasures_open(store->path, options->erased_since);
		return store;
	}
	store_close(store);
	return NULL;
}

bool store_erases_by_keys(struct store *store)
{
	return store->seal != NULL && seal_has_erased_all(store->seal);
}

enum { SECOND_MS = 1000 };

int64_t store_keys_exported(const struct store *store)
{
	return store->seal == NULL ? 0 : seal_exported(store->seal) * SECOND_MS;
}

int64_t store_key_made(const struct store *store)
{
	return store->seal == NULL ? 0 : seal_made(store->seal) * SECOND_MS;
}

struct store_lost store_lost(const struct store *store)
{
	struct store_lost lost = store->lost;
	lost.users = store->seal == NULL ? 0 : seal_lost(store->seal);
	return lost;
}

struct store_conversion store_converted(const struct store *store)
{
	return store->converted;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	writer_stop(store->writer);
	if (store->env != NULL)
		mdb_env_close(store->env);
	seal_destroy(store->seal);
	lock_give_back(store);
	erasures_close(store->erasures);
	for (size_t i = 0; i < EPOCHS; i++)
		forget_epochs_destroy(store->epochs[i]);
	pthread_mutex_destroy(&store->replacing);
	free(store->crowd);
	free(store->path);
	free(store);
}
