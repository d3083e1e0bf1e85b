/* A scrub copies the records, not the pages, of a store into a new file: of one that is about to be
 * opened, or of one that is open. */
#include "storage/scrub.h"
#include "storage/files/files.h"
#include "storage/files/touched.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/reader.h"
#include "storage/lmdb/writer.h"
#include "storage/open/open.h"

#include <errno.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The new environment, in the folder "scrub" of the store's, which receives the records in slices,
 * and what has changed of them meanwhile. Functions of it return LMDB's codes. */

enum { COPY_KEY_MAX = 511 }; /* LMDB's limit */

struct copy {
	const char *from;   /* the store's folder */
	char *folder;       /* of the copy */
	struct store fresh; /* only its environment and trees are used */
	struct MDB_txn *writing;
	size_t tree; /* where the next slice begins: behind `key` in this tree */
	unsigned char key[COPY_KEY_MAX];
	size_t key_size; /* 0: at the tree's first */
	bool is_whole;   /* all records have been copied once */
	uint64_t copied; /* bytes */
	int64_t begun_at;
	uint64_t erasures; /* that the store had counted before the first slice */
};

/* The source of a copy: a transaction and its trees; tree 0: there is none. */
struct copy_source {
	struct MDB_txn *transaction;
	const unsigned *trees;
};

/* A note of copy_seal(). */
struct copy_note {
	int64_t at;
	uint64_t erasures;
};
/* LMDB keeps all pages that a transaction writes in memory until the commit. */
enum { SLICE_RECORDS = 10000, SLICE_BYTES = 4 << 20, NOTE_SIZE = 64 };

/* ---- files ---- */

static void copy_remove_old(const char *folder)
{
	char *path = file_path(folder, "scrub");
	(void)file_remove(path, "data.mdb");
	(void)file_remove(path, "lock.mdb");
	(void)file_remove(path, "lock.old");
	(void)rmdir(path);
	free(path);
}

/* A reader of another process that comes in between meets the old data, which nobody writes any
 * more, with the new table of readers. */
static int copy_exchange(const struct copy *copy)
{
	char *lock = file_path(copy->from, "lock.mdb");
	char *kept = file_path(copy->folder, "lock.old");
	int linked = link(lock, kept);
	free(kept);
	free(lock);
	int code = file_move(copy->folder, "lock.mdb", copy->from, "lock.mdb") &&
				   file_move(copy->folder, "data.mdb", copy->from, "data.mdb")
			   ? MDB_SUCCESS
			   : errno;
	if (code != MDB_SUCCESS && linked == 0)
		(void)file_move(copy->folder, "lock.old", copy->from, "lock.mdb");
	file_sync_folder(copy->from);
	return code;
}

/* ---- the new environment ---- */

static int begin(struct copy *copy)
{
	return copy->writing != NULL ? MDB_SUCCESS
				     : mdb_txn_begin(copy->fresh.env, NULL, 0, &copy->writing);
}

static int commit(struct copy *copy)
{
	MDB_txn *writing = copy->writing;
	copy->writing = NULL;
	return writing == NULL ? MDB_SUCCESS : mdb_txn_commit(writing);
}

static int make_trees(struct copy *copy)
{
	int code = begin(copy);
	for (size_t i = 0; code == MDB_SUCCESS && i < TREE_COUNT; i++)
		code = engine_open_tree(&copy->fresh, copy->writing, i, MDB_CREATE);
	return code == MDB_SUCCESS ? commit(copy) : code;
}

static int copy_begin(struct copy *copy, const char *folder, uint64_t map_size)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*copy = (struct copy){
		.from = folder,
		.folder = file_path(folder, "scrub"),
		.begun_at = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
	};
	copy_remove_old(folder);
	if (mkdir(copy->folder, 0700) != 0)
		return errno;
	int code = engine_open_environment(copy->folder, map_size, MDB_NOSYNC, &copy->fresh.env);
	return code == MDB_SUCCESS ? make_trees(copy) : code;
}

static void copy_finish(struct copy *copy)
{
	if (copy->writing != NULL)
		mdb_txn_abort(copy->writing);
	if (copy->fresh.env != NULL)
		mdb_env_close(copy->fresh.env);
	copy_remove_old(copy->from);
	free(copy->folder);
}

/* ---- records ---- */

static void remember(struct copy *copy, const MDB_val *key)
{
	copy->key_size = key->mv_size < COPY_KEY_MAX ? key->mv_size : COPY_KEY_MAX;
	memcpy(copy->key, key->mv_data, copy->key_size);
}

/* Moves to the first record behind the last one copied. */
static int find_place(const struct copy *copy, MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
	if (copy->key_size == 0)
		return mdb_cursor_get(cursor, key, value, MDB_FIRST);
	*key = (MDB_val){copy->key_size, (void *)(uintptr_t)copy->key};
	int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (code == MDB_SUCCESS && key->mv_size == copy->key_size &&
	    memcmp(key->mv_data, copy->key, key->mv_size) == 0)
		code = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return code;
}

/* MDB_NOTFOUND: that was the tree's last record. */
static int copy_tree(struct copy *copy, const struct copy_source *source, size_t *records,
		     size_t *bytes)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	if (source->trees[copy->tree] == 0)
		return MDB_NOTFOUND;
	int code = mdb_cursor_open(source->transaction, source->trees[copy->tree], &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = find_place(copy, cursor, &key, &value);
	while (code == MDB_SUCCESS && *records < SLICE_RECORDS && *bytes < SLICE_BYTES) {
		code = mdb_put(copy->writing, copy->fresh.trees[copy->tree], &key, &value,
			       MDB_APPEND);
		if (code != MDB_SUCCESS)
			break;
		remember(copy, &key);
		++*records;
		*bytes += key.mv_size + value.mv_size;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return code;
}

static int copy_slice(struct copy *copy, const struct copy_source *source)
{
	size_t records = 0;
	size_t bytes = 0;
	int code = begin(copy);
	while (code == MDB_SUCCESS && copy->tree < TREE_COUNT && records < SLICE_RECORDS &&
	       bytes < SLICE_BYTES) {
		code = copy_tree(copy, source, &records, &bytes);
		if (code != MDB_NOTFOUND)
			continue;
		copy->tree++;
		copy->key_size = 0;
		code = MDB_SUCCESS;
	}
	copy->copied += bytes;
	copy->is_whole = copy->tree == TREE_COUNT;
	return code == MDB_SUCCESS ? commit(copy) : code;
}

/* A record that has not been copied yet comes with its slice. */
static bool is_copied(const struct copy *copy, size_t tree, struct slice key)
{
	if (tree != copy->tree)
		return tree < copy->tree;
	size_t common = key.size < copy->key_size ? key.size : copy->key_size;
	int order = memcmp(key.data, copy->key, common);
	return order < 0 || (order == 0 && key.size <= copy->key_size);
}

static int copy_one(struct copy *copy, const struct copy_source *source, size_t tree,
		    struct slice given)
{
	MDB_val key = {given.size, (void *)(uintptr_t)given.data};
	MDB_val value;
	int code = mdb_get(source->transaction, source->trees[tree], &key, &value);
	if (code == MDB_SUCCESS)
		return mdb_put(copy->writing, copy->fresh.trees[tree], &key, &value, 0);
	if (code == MDB_NOTFOUND)
		code = mdb_del(copy->writing, copy->fresh.trees[tree], &key, NULL);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int copy_again(struct copy *copy, const struct copy_source *source, struct slice touched)
{
	size_t tree;
	struct slice key;
	size_t records = 0;
	int code = begin(copy);
	while (code == MDB_SUCCESS && touched_next(&touched, &tree, &key)) {
		if (!is_copied(copy, tree, key))
			continue;
		code = copy_one(copy, source, tree, key);
		if (code == MDB_SUCCESS && ++records % SLICE_RECORDS == 0) {
			code = commit(copy);
			code = code == MDB_SUCCESS ? begin(copy) : code;
		}
	}
	return code == MDB_SUCCESS ? commit(copy) : code;
}

/* ---- the note ---- */

static void note_fields(struct record *record, void *noun)
{
	struct copy_note *note = noun;
	note->at = record_time(record, note->at);
	note->erasures = record_number(record, note->erasures, UINT64_MAX);
}

static struct key note_key(void)
{
	return key_of_name("scrubbed");
}

static bool copy_read_note(struct transaction *transaction, struct copy_note *note)
{
	*note = (struct copy_note){0};
	return table_read(transaction, TABLE_META, note_key(), note_fields, note, NULL);
}

static int put_meta(struct copy *copy, struct key name, record_fields *fields, void *noun)
{
	struct buffer record;
	buffer_init(&record, NOTE_SIZE);
	(void)record_write(&record, fields, noun);
	MDB_val key = {name.size, name.bytes};
	MDB_val value = {record.size, record.data};
	int code = mdb_put(copy->writing, copy->fresh.trees[TABLE_META], &key, &value, 0);
	buffer_finish(&record);
	return code;
}

static int copy_seal(struct copy *copy)
{
	struct copy_note note = {copy->begun_at, copy->erasures};
	int code = begin(copy);
	uint64_t own = code == MDB_SUCCESS ? mdb_txn_id(copy->writing) : 0;
	if (code == MDB_SUCCESS)
		code = put_meta(copy, note_key(), note_fields, &note);
	if (code == MDB_SUCCESS)
		code = put_meta(copy, space_written_key(), stored_number_fields, &own);
	if (code == MDB_SUCCESS)
		code = commit(copy);
	return code == MDB_SUCCESS ? mdb_env_sync(copy->fresh.env, 1) : code;
}

/* ---- a store that is about to be opened ---- */

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

bool scrub_file(struct store *store, const struct store_options *options,
		struct complaint complaint)
{
	copy_remove_old(store->path);
	if (!options->scrubs || !store_marker_is_made(store->path))
		return true;
	const char *fault = scrub(store);
	return fault == NULL ||
	       complain(complaint,
			"cannot scrub the store in %s: %s; make room for a second copy on its "
			"disk, or start without [storage] scrub",
			store->path, fault);
}

/* ---- a store that is open ---- */

enum {
	FEW_CHANGES = 64 * 1024, /* bytes of keys that may be copied while the writer waits */
	MOST_ROUNDS = 1000, /* a store that changes faster than it is copied is not waited for */
	LOOK_AGAIN_US = 1000,
	STOPPED = -1, /* no code of LMDB's */
	LOST = -2,    /* too much changed meanwhile */
	OTHER_TREES = -3,
};

struct scrubbing {
	struct store *store;
	const struct store_scrub *scrub;
	struct copy copy;
	struct touched *touched;
	uint64_t size; /* of the store at the beginning */
	int code;
	MDB_env *before; /* the environment that was replaced */
	unsigned number; /* its number */
};

static bool stops(const struct scrubbing *scrubbing)
{
	const atomic_bool *stops = scrubbing->scrub->stops;
	return stops != NULL && atomic_load(stops);
}

/* Copies what has changed, and with `more` the next records. Takes the list of changes before it
 * looks at the store, so that none falls between. */
static int go_on(struct scrubbing *scrubbing, bool more, size_t *changes)
{
	struct transaction transaction;
	struct slice touched;
	bool is_complete = touched_take(scrubbing->touched, &touched);
	*changes = touched.size;
	if (!is_complete)
		return LOST;
	if (!transaction_begin_read(&transaction, scrubbing->store))
		return MDB_BAD_TXN;
	const struct copy_source source = {transaction.handle, scrubbing->store->trees};
	int code = copy_again(&scrubbing->copy, &source, touched);
	if (code == MDB_SUCCESS && more)
		code = copy_slice(&scrubbing->copy, &source);
	transaction_abort(&transaction);
	return code;
}

/* ---- on the writer's thread ---- */

static void begin_noting(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	scrubbing->store->touched = scrubbing->touched;
}

static void end_noting(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	scrubbing->store->touched = NULL;
}

/* The copy takes the place of the store's environment. */
static void exchange(struct scrubbing *scrubbing)
{
	struct store *store = scrubbing->store;
	scrubbing->code = copy_exchange(&scrubbing->copy);
	if (scrubbing->code != MDB_SUCCESS)
		return;
	(void)mdb_env_set_flags(scrubbing->copy.fresh.env, MDB_NOSYNC, 0);
	scrubbing->before = store->env;
	scrubbing->number = engine_replace(store, scrubbing->copy.fresh.env);
	engine_look_at_room(store);
	engine_cache_singly(store);
	scrubbing->copy.fresh.env = NULL;
}

static void finish(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	size_t changes;
	scrubbing->code = go_on(scrubbing, false, &changes);
	if (scrubbing->code == MDB_SUCCESS)
		scrubbing->code = copy_seal(&scrubbing->copy);
	if (scrubbing->code == MDB_SUCCESS)
		exchange(scrubbing);
	end_noting(scrubbing);
}

/* ---- on the caller's ---- */

static int note_erasures(struct scrubbing *scrubbing)
{
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, scrubbing->store))
		return MDB_BAD_TXN;
	scrubbing->copy.erasures = (uint64_t)table_counts(&transaction).erasures;
	transaction_abort(&transaction);
	return MDB_SUCCESS;
}

/* Most of the copy is on the disk before the writer has to wait for the rest. */
static int copy_most(struct scrubbing *scrubbing)
{
	size_t changes = SIZE_MAX;
	int code = note_erasures(scrubbing);
	while (code == MDB_SUCCESS && !scrubbing->copy.is_whole) {
		code = stops(scrubbing) ? STOPPED : go_on(scrubbing, true, &changes);
		store_tell(&scrubbing->scrub->progress, (double)scrubbing->copy.copied,
			   (double)scrubbing->size + 1);
	}
	for (size_t i = 0; code == MDB_SUCCESS && changes > FEW_CHANGES && i < MOST_ROUNDS; i++)
		code = stops(scrubbing) ? STOPPED : go_on(scrubbing, false, &changes);
	return code == MDB_SUCCESS ? mdb_env_sync(scrubbing->copy.fresh.env, 1) : code;
}

static int make_copy(struct scrubbing *scrubbing)
{
	struct store *store = scrubbing->store;
	struct copy *copy = &scrubbing->copy;
	int code = copy_begin(copy, store->path, store->map_size);
	/* the numbers of LMDB's trees depend only on the order in which they are opened */
	if (code == MDB_SUCCESS &&
	    memcmp(copy->fresh.trees, store->trees, sizeof(store->trees)) != 0)
		code = OTHER_TREES;
	if (code != MDB_SUCCESS)
		return code;
	scrubbing->touched = touched_create();
	writer_run_between(store->writer, begin_noting, scrubbing);
	scrubbing->code = copy_most(scrubbing);
	writer_run_between(store->writer, scrubbing->code == MDB_SUCCESS ? finish : end_noting,
			   scrubbing);
	touched_destroy(scrubbing->touched);
	return scrubbing->code;
}

static void close_before(struct scrubbing *scrubbing)
{
	while (engine_has_readers(scrubbing->store, scrubbing->number))
		(void)usleep(LOOK_AGAIN_US);
	mdb_env_close(scrubbing->before);
}

static const char *reason(int code)
{
	switch (code) {
	case LOST:
		return "too much was written meanwhile; try again at a quieter time";
	case OTHER_TREES:
		return "the new file came out differently";
	default:
		return mdb_strerror(code);
	}
}

bool store_scrub(struct store *store, const struct store_scrub *scrub, char *error,
		 size_t error_size)
{
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	struct scrubbing scrubbing = {
		.store = store, .scrub = scrub, .size = statistics.bytes_used};
	uint64_t needed = statistics.bytes_used + engine_disk_head_room();
	if (statistics.disk_free < needed) {
		(void)snprintf(error, error_size,
			       "a scrub needs %" PRIu64 " MB of free disk for a second copy, and "
			       "there are %" PRIu64 " MB",
			       needed >> 20, statistics.disk_free >> 20);
		return false;
	}
	int code = make_copy(&scrubbing);
	if (code == MDB_SUCCESS)
		close_before(&scrubbing);
	copy_finish(&scrubbing.copy);
	if (code != MDB_SUCCESS && code != STOPPED)
		(void)snprintf(error, error_size, "cannot scrub the store: %s", reason(code));
	return code == MDB_SUCCESS;
}

struct store_scrubbed store_scrubbed(struct store *store)
{
	struct transaction transaction;
	struct copy_note note;
	struct store_scrubbed scrubbed = {0};
	if (!transaction_begin_read(&transaction, store))
		return scrubbed;
	(void)copy_read_note(&transaction, &note);
	scrubbed.at = note.at;
	scrubbed.pending = (uint64_t)table_counts(&transaction).erasures > note.erasures;
	transaction_abort(&transaction);
	return scrubbed;
}
