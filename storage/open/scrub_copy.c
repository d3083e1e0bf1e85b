#include "storage/open/scrub_copy.h"

#include "storage/files/files.h"
#include "storage/files/touched.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/store_marker.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* LMDB keeps all pages that a transaction writes in memory until the commit. */
enum { SLICE_RECORDS = 10000, SLICE_BYTES = 4 << 20, NOTE_SIZE = 64 };

/* ---- files ---- */

static void unlink_in(const char *folder, const char *name)
{
	char *path = file_path(folder, name);
	(void)unlink(path);
	free(path);
}

static int move(const char *from_folder, const char *from_name, const char *folder,
		const char *name)
{
	char *from = file_path(from_folder, from_name);
	char *to = file_path(folder, name);
	int code = rename(from, to) == 0 ? MDB_SUCCESS : errno;
	free(to);
	free(from);
	return code;
}

void copy_remove_old(const char *folder)
{
	char *path = file_path(folder, "scrub");
	unlink_in(path, "data.mdb");
	unlink_in(path, "lock.mdb");
	unlink_in(path, "lock.old");
	(void)rmdir(path);
	free(path);
}

/* A reader of another process that comes in between meets the old data, which nobody writes any
 * more, with the new table of readers. */
int copy_exchange(const struct copy *copy)
{
	char *lock = file_path(copy->from, "lock.mdb");
	char *kept = file_path(copy->folder, "lock.old");
	int linked = link(lock, kept);
	free(kept);
	free(lock);
	int code = move(copy->folder, "lock.mdb", copy->from, "lock.mdb");
	if (code == MDB_SUCCESS)
		code = move(copy->folder, "data.mdb", copy->from, "data.mdb");
	if (code != MDB_SUCCESS && linked == 0)
		(void)move(copy->folder, "lock.old", copy->from, "lock.mdb");
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

int copy_begin(struct copy *copy, const char *folder, uint64_t map_size)
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

void copy_finish(struct copy *copy)
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

int copy_slice(struct copy *copy, const struct copy_source *source)
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

/* What has not been copied yet comes with its slice. */
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

int copy_again(struct copy *copy, const struct copy_source *source, struct slice touched)
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

bool copy_read_note(struct transaction *transaction, struct copy_note *note)
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

int copy_seal(struct copy *copy)
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
