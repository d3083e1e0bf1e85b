/* Transactions: the meaning of their failures, and the counts that a commit updates. */
#include "storage/lmdb/table.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>

/* LMDB limits a value to 4 GB; half of that is far more than any record needs. */
enum { RECORD_LIMIT = INT32_MAX };

/* The only place that interprets LMDB's and the system's error codes. */
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
		/* The first write that a full disk truncates is reported as EIO. */
		return engine_disk_has_room(store) ? STORE_FAILED : STORE_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_BAD_TXN: /* the first failure of a transaction that met a page of the wrong kind */
	case MDB_CURSOR_FULL:
		atomic_store(&store->is_broken, true);
		return STORE_FAILED;
	case MDB_PANIC: /* the page that ends a commit could not be written */
		atomic_store(&store->is_stuck, true);
		return STORE_FAILED;
	default:
		return STORE_FAILED;
	}
}

static int begin(struct MDB_env *env, unsigned flags, struct MDB_txn **handle)
{
	int code = mdb_txn_begin(env, NULL, flags, handle);
	if (code == MDB_READERS_FULL) {
		/* readers that died still occupy their slots */
		int dead;
		(void)mdb_reader_check(env, &dead);
		code = mdb_txn_begin(env, NULL, flags, handle);
	}
	return code;
}

static bool transaction_begin(struct transaction *transaction, struct store *store, unsigned flags)
{
	*transaction = (struct transaction){.store = store, .spare = SIZE_MAX};
	int code = begin(store->env, flags, &transaction->handle);
	transaction->result = engine_result(store, code);
	buffer_init(&transaction->scratch, RECORD_LIMIT);
	return code == MDB_SUCCESS;
}

bool transaction_begin_read(struct transaction *transaction, struct store *store)
{
	bool begun = transaction_begin(transaction, store, MDB_RDONLY);
	transaction->reads = true;
	return begun;
}

bool transaction_begin_write(struct transaction *transaction, struct store *store)
{
	return transaction_begin(transaction, store, 0);
}

/* ---- counts ---- */

static void counts_fields(struct record *record, void *noun)
{
	struct table_counts *counts = noun;
	counts->users = record_time(record, counts->users);
	counts->facts = record_time(record, counts->facts);
}

static struct key counts_key(void)
{
	return key_of_name("counts");
}

static int64_t sum(int64_t stored, int64_t came)
{
	int64_t all = 0;
	/* Lost counts restart at zero, and deletions of uncounted records must not make them
	 * negative. */
	return __builtin_add_overflow(stored, came, &all) || all < 0 ? 0 : all;
}

struct table_counts table_counts(struct transaction *transaction)
{
	const struct table_counts *came = &transaction->came;
	struct table_counts stored;
	if (!table_read(transaction, TABLE_META, counts_key(), counts_fields, &stored, NULL))
		stored = (struct table_counts){0};
	return (struct table_counts){sum(stored.users, came->users),
				     sum(stored.facts, came->facts)};
}

static void put_counts(struct transaction *transaction)
{
	if (transaction->came.users == 0 && transaction->came.facts == 0)
		return;
	struct table_counts counts = table_counts(transaction);
	table_write(transaction, TABLE_META, counts_key(), counts_fields, &counts);
}

/* ---- the end ---- */

enum store_result transaction_commit(struct transaction *transaction)
{
	put_counts(transaction);
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
	for (size_t i = 0; i < TREE_COUNT; i++) {
		if (transaction->idle[i] != NULL)
			mdb_cursor_close(transaction->idle[i]);
	}
	mdb_txn_abort(transaction->handle);
}

void transaction_fail(struct transaction *transaction)
{
	if (transaction->result == STORE_OK)
		transaction->result = STORE_FAILED;
}

bool transaction_went_well(struct transaction *transaction, int code)
{
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		transaction->result = engine_result(transaction->store, code);
	return code == MDB_SUCCESS;
}
