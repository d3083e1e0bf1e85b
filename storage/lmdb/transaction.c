/* Transactions: the meaning of their failures, and what they add to the account of space. */
#include "storage/lmdb/table.h"

#include "storage/files/touched.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

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

/* An environment that a scrub has replaced stays open while it has transactions. */
static struct MDB_env *enter(struct store *store, unsigned *number)
{
	pthread_mutex_lock(&store->replacing);
	*number = store->replaced;
	store->readers[*number % 2]++;
	struct MDB_env *env = store->env;
	pthread_mutex_unlock(&store->replacing);
	return env;
}

static void leave(struct store *store, unsigned number)
{
	pthread_mutex_lock(&store->replacing);
	store->readers[number % 2]--;
	pthread_mutex_unlock(&store->replacing);
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
	struct MDB_env *env = enter(store, &transaction->environment);
	int code = begin(env, flags, &transaction->handle);
	if (code != MDB_SUCCESS)
		leave(store, transaction->environment);
	transaction->result = engine_result(store, code);
	buffer_init(&transaction->scratch, RECORD_LIMIT);
	if (code == MDB_SUCCESS && store->seal != NULL)
		transaction->sealer = seal_take(store->seal);
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

struct key transaction_show_key(struct transaction *transaction, enum table table, struct slice key)
{
	struct key shown = {.size = key.size < KEY_MAX ? key.size : KEY_MAX};
	memcpy(shown.bytes, key.data, shown.size);
	if (transaction->sealer != NULL)
		form_show_key(transaction->sealer, table, &shown);
	return shown;
}

int64_t transaction_keyed_since(struct transaction *transaction, struct user_key user)
{
	enum { SECOND_MS = 1000 };
	struct sealer *sealer = transaction->sealer;
	if (sealer == NULL)
		return INT64_MAX;
	const int64_t since = seal_created(transaction->store->seal, sealer_hide(sealer, user));
	return since == INT64_MAX ? since : since * SECOND_MS;
}

void transaction_erases(struct transaction *transaction)
{
	transaction->came.erasures = 1;
}

enum store_result transaction_outcome(const struct transaction *transaction, bool found)
{
	if (transaction->result != STORE_OK)
		return transaction->result;
	return found ? STORE_OK : STORE_NOT_FOUND;
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

/* ---- what it adds to the account of space ---- */

enum { USER_SIZE = sizeof(struct user_key) };

/* LMDB keeps a record on a leaf page, which on average is two thirds full; a value that does not
 * fit twice on a page has pages of its own. */
static int64_t bytes_of(enum table table, struct slice key, struct slice value)
{
	static const size_t page = 4096, page_head = 16, node = 8, place = 2, reference = 8;
	static const size_t most = 2038; /* of a node */
	static const size_t age = 28;    /* a receipt's record in TABLE_RECEIPT_AGES */
	size_t on_leaf = node + key.size + value.size;
	size_t pages = 0;
	if (on_leaf > most) {
		pages = (page_head + value.size + page - 1) / page;
		on_leaf = node + key.size + reference;
	}
	on_leaf += place + (table == TABLE_RECEIPTS ? age : 0);
	return (int64_t)(pages * page + on_leaf * 3 / 2);
}

void space_add(struct space *space, enum table table, struct slice key, struct slice value,
	       int sign)
{
	const int64_t bytes = sign * bytes_of(table, key, value);
	space->all += bytes;
	if (table == TABLE_RECEIPTS || table == TABLE_USER_RECEIPTS || table == TABLE_FROZEN ||
	    table == TABLE_REPLAYS)
		space->given += bytes;
}

struct space_change *space_change_of(struct transaction *transaction, const unsigned char *user)
{
	struct space_changes *changes = &transaction->space;
	if (changes->count > 0 &&
	    memcmp(changes->list[changes->count - 1].user.bytes, user, USER_SIZE) == 0)
		return &changes->list[changes->count - 1];
	if (changes->list == NULL)
		digest_table_init(&changes->index);
	int64_t place = digest_table_find(&changes->index, user);
	if (place != DIGEST_NONE)
		return &changes->list[place];
	changes->list =
		xgrow(changes->list, changes->count, &changes->capacity, sizeof(*changes->list));
	digest_table_put(&changes->index, user, (int64_t)changes->count);
	struct space_change *change = &changes->list[changes->count++];
	*change = (struct space_change){0};
	memcpy(change->user.bytes, user, USER_SIZE);
	return change;
}

void space_note(struct transaction *transaction, enum table table, struct slice key,
		struct slice value, int sign)
{
	struct user_key user;
	const unsigned char *owner = (const unsigned char *)key.data;
	if (table == TABLE_RECEIPTS) {
		if (!form_receipt_owner(value, transaction->sealer != NULL, &user))
			return;
		owner = user.bytes;
	} else if (table < FIRST_USER_TABLE || key.size < USER_SIZE) {
		return;
	}
	space_add(&space_change_of(transaction, owner)->add, table, key, value, sign);
}

void space_forget(struct transaction *transaction)
{
	struct space_changes *changes = &transaction->space;
	if (changes->list != NULL)
		digest_table_finish(&changes->index);
	free(changes->list);
	*changes = (struct space_changes){0};
}

/* ---- the end ---- */

void transaction_end(struct transaction *transaction, bool committed)
{
	if (!transaction->reads)
		touched_settle(transaction->store->touched, committed);
	if (transaction->sealer != NULL)
		seal_give_back(transaction->sealer);
	transaction->sealer = NULL;
	leave(transaction->store, transaction->environment);
}

void transaction_abort(struct transaction *transaction)
{
	buffer_finish(&transaction->scratch);
	space_forget(transaction);
	for (size_t i = 0; i < TREE_COUNT; i++) {
		if (transaction->idle[i] != NULL)
			mdb_cursor_close(transaction->idle[i]);
	}
	mdb_txn_abort(transaction->handle);
	transaction_end(transaction, false);
}
