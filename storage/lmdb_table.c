#include "storage/lmdb_table.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>

/* LMDB's limit for a value is 4 GB; half of it is beyond anything that gets here. */
enum { RECORD_LIMIT = INT32_MAX };

/* The one place that knows what LMDB's and the system's codes mean to us. */
enum store_result engine_result(struct store *store, int code)
{
	switch (code) {
	case MDB_SUCCESS:
		return STORE_OK;
	case MDB_NOTFOUND:
		return STORE_NOT_FOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STORE_FULL;
	case EIO:
		/* The first write that a full disk cuts short is reported as EIO. */
		return engine_disk_has_room(store) ? STORE_FAILED : STORE_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_PANIC:
	case MDB_BAD_TXN: /* the first failure of a transaction that met a page of a wrong kind */
	case MDB_CURSOR_FULL:
		atomic_store(&store->is_broken, true);
		return STORE_FAILED;
	default:
		return STORE_FAILED;
	}
}

static int begin(struct MDB_env *env, unsigned flags, struct MDB_txn **handle)
{
	int code = mdb_txn_begin(env, NULL, flags, handle);
	if (code == MDB_READERS_FULL) {
		/* Readers that died without saying so still have their places. */
		int dead;
		(void)mdb_reader_check(env, &dead);
		code = mdb_txn_begin(env, NULL, flags, handle);
	}
	return code;
}

static bool transaction_begin(struct transaction *transaction, struct store *store, unsigned flags)
{
	*transaction = (struct transaction){.store = store};
	int code = begin(store->env, flags, &transaction->handle);
	transaction->result = engine_result(store, code);
	buffer_init(&transaction->scratch, RECORD_LIMIT);
	return code == MDB_SUCCESS;
}

bool transaction_begin_read(struct transaction *transaction, struct store *store)
{
	return transaction_begin(transaction, store, MDB_RDONLY);
}

bool transaction_begin_write(struct transaction *transaction, struct store *store)
{
	return transaction_begin(transaction, store, 0);
}

enum store_result transaction_commit(struct transaction *transaction)
{
	if (transaction->result != STORE_OK) {
		transaction_abort(transaction);
		return transaction->result;
	}
	buffer_finish(&transaction->scratch);
	transaction->result =
		engine_result(transaction->store, mdb_txn_commit(transaction->handle));
	return transaction->result;
}

void transaction_abort(struct transaction *transaction)
{
	buffer_finish(&transaction->scratch);
	mdb_txn_abort(transaction->handle);
}

void transaction_fail(struct transaction *transaction)
{
	if (transaction->result == STORE_OK)
		transaction->result = STORE_FAILED;
}

/* Whether it went well; "not found" is an answer, all else the transaction's failure. */
static bool went_well(struct transaction *transaction, int code)
{
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		transaction->result = engine_result(transaction->store, code);
	return code == MDB_SUCCESS;
}

static MDB_val val_of_key(struct key *key)
{
	return (MDB_val){key->size, key->bytes};
}

static struct slice slice_of_val(MDB_val val)
{
	return (struct slice){val.mv_data, val.mv_size};
}

static MDB_dbi dbi_of(const struct transaction *transaction, enum table table)
{
	return transaction->store->tables[table];
}

bool table_get(struct transaction *transaction, enum table table, struct key key,
	       struct slice *value)
{
	if (transaction->result != STORE_OK)
		return false;
	MDB_val at = val_of_key(&key);
	MDB_val found = {0};
	int code = mdb_get(transaction->handle, dbi_of(transaction, table), &at, &found);
	*value = slice_of_val(found);
	return went_well(transaction, code);
}

void table_put(struct transaction *transaction, enum table table, struct key key,
	       struct slice value)
{
	if (transaction->result != STORE_OK)
		return;
	MDB_val at = val_of_key(&key);
	MDB_val in = {value.size, (void *)(uintptr_t)value.data};
	int code = mdb_put(transaction->handle, dbi_of(transaction, table), &at, &in, 0);
	(void)went_well(transaction, code);
}

bool table_delete(struct transaction *transaction, enum table table, struct key key)
{
	if (transaction->result != STORE_OK)
		return false;
	MDB_val at = val_of_key(&key);
	int code = mdb_del(transaction->handle, dbi_of(transaction, table), &at, NULL);
	return went_well(transaction, code);
}

uint64_t table_count(struct transaction *transaction, enum table table)
{
	MDB_stat stat = {0};
	if (transaction->result == STORE_OK) {
		int code = mdb_stat(transaction->handle, dbi_of(transaction, table), &stat);
		(void)went_well(transaction, code);
	}
	return stat.ms_entries;
}

size_t table_delete_all(struct transaction *transaction, enum table table, struct key prefix)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t deleted = 0;
	scan_begin(&scan, transaction, table, prefix, FORWARD);
	for (; scan_next(&scan, &key, &value); deleted++)
		scan_delete(&scan);
	scan_end(&scan);
	return deleted;
}

void table_clear(struct transaction *transaction, enum table table)
{
	if (transaction->result == STORE_OK)
		(void)went_well(transaction,
				mdb_drop(transaction->handle, dbi_of(transaction, table), 0));
}

bool table_decode(struct transaction *transaction, struct slice value, record_fields *fields,
		  void *noun, struct arena *arena)
{
	if (record_read(value, fields, noun, arena))
		return true;
	atomic_fetch_add(&transaction->store->unreadable, 1);
	return false;
}

bool table_read(struct transaction *transaction, enum table table, struct key key,
		record_fields *fields, void *noun, struct arena *arena)
{
	struct slice value;
	return table_get(transaction, table, key, &value) &&
	       table_decode(transaction, value, fields, noun, arena);
}

void table_write(struct transaction *transaction, enum table table, struct key key,
		 record_fields *fields, void *noun)
{
	buffer_clear(&transaction->scratch);
	if (record_write(&transaction->scratch, fields, noun))
		table_put(transaction, table, key, buffer_slice(&transaction->scratch));
	else
		transaction_fail(transaction);
}

void scan_begin(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction)
{
	struct key from = direction == FORWARD ? prefix : key_after(prefix);
	scan_begin_at(scan, transaction, table, prefix, from, direction);
}

void scan_begin_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction)
{
	*scan = (struct scan){
		.transaction = transaction, .prefix = prefix, .from = from, .direction = direction};
	if (transaction->result != STORE_OK)
		return;
	int code = mdb_cursor_open(transaction->handle, dbi_of(transaction, table), &scan->cursor);
	(void)went_well(transaction, code);
}

static int scan_move(struct scan *scan, MDB_val *key, MDB_val *value)
{
	if (scan->begun)
		return mdb_cursor_get(scan->cursor, key, value,
				      scan->direction == FORWARD ? MDB_NEXT : MDB_PREV);
	scan->begun = true;
	*key = val_of_key(&scan->from);
	/* LMDB knows no empty key, not even to begin at. */
	MDB_cursor_op seek = scan->from.size == 0 ? MDB_FIRST : MDB_SET_RANGE;
	int code = mdb_cursor_get(scan->cursor, key, value, seek);
	if (scan->direction == FORWARD)
		return code;
	return mdb_cursor_get(scan->cursor, key, value, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

bool scan_next(struct scan *scan, struct slice *key, struct slice *value)
{
	MDB_val key_val;
	MDB_val val;
	if (scan->cursor == NULL || scan->transaction->result != STORE_OK ||
	    !went_well(scan->transaction, scan_move(scan, &key_val, &val)))
		return false;
	*key = slice_of_val(key_val);
	*value = slice_of_val(val);
	struct slice prefix = {(const char *)scan->prefix.bytes, scan->prefix.size};
	return slice_starts_with(*key, prefix);
}

void scan_delete(struct scan *scan)
{
	if (scan->transaction->result == STORE_OK)
		(void)went_well(scan->transaction, mdb_cursor_del(scan->cursor, 0));
}

void scan_end(struct scan *scan)
{
	if (scan->cursor != NULL)
		mdb_cursor_close(scan->cursor);
}
