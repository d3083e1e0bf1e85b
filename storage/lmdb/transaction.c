/* Transactions: the meaning of their failures, records, and the counts that a commit updates. */
#include "storage/lmdb/table.h"

#include "storage/files/touched.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
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

/* ---- records ---- */

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

bool table_delete_some(struct transaction *transaction, enum table table, struct key prefix,
		       size_t *steps)
{
	struct scan scan;
	bool found;
	scan_begin(&scan, transaction, table, prefix, FORWARD);
	scan.opens_none = true;
	for (; (found = scan_step(&scan)) && *steps > 0; --*steps)
		scan_delete(&scan);
	scan_end(&scan);
	return !found;
}

size_t table_delete_all(struct transaction *transaction, enum table table, struct key prefix)
{
	size_t steps = SIZE_MAX;
	(void)table_delete_some(transaction, table, prefix, &steps);
	return SIZE_MAX - steps;
}

/* ---- counts ---- */

static uint64_t count_shared(struct transaction *transaction, enum table table)
{
	struct scan scan;
	uint64_t count = 0;
	scan_begin(&scan, transaction, table, key_empty(), FORWARD);
	scan.opens_none = true;
	while (scan_step(&scan))
		count++;
	scan_end(&scan);
	return count;
}

uint64_t table_count(struct transaction *transaction, enum table table)
{
	MDB_stat stat = {0};
	if (table >= FIRST_SHARED_TABLE)
		return count_shared(transaction, table);
	if (transaction->result == STORE_OK) {
		int code = mdb_stat(transaction->handle, transaction->store->trees[table], &stat);
		(void)transaction_went_well(transaction, code);
	}
	return stat.ms_entries;
}

static void counts_fields(struct record *record, void *noun)
{
	struct table_counts *counts = noun;
	counts->users = record_time(record, counts->users);
	counts->facts = record_time(record, counts->facts);
	if (record_goes_on(record))
		counts->erasures = record_time(record, counts->erasures);
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
	struct table_counts stored = {0};
	if (!table_read(transaction, TABLE_META, counts_key(), counts_fields, &stored, NULL))
		stored = (struct table_counts){0};
	return (struct table_counts){sum(stored.users, came->users), sum(stored.facts, came->facts),
				     sum(stored.erasures, came->erasures)};
}

static void put_counts(struct transaction *transaction)
{
	const struct table_counts *came = &transaction->came;
	if (came->users == 0 && came->facts == 0 && came->erasures == 0)
		return;
	struct table_counts counts = table_counts(transaction);
	table_write(transaction, TABLE_META, counts_key(), counts_fields, &counts);
}

/* ---- the end ---- */

/* ---- encryption ---- */

/* Values are not read after the next write, so that they need not pile up. */
enum { OPENED_LIMIT = 4 << 20 };

bool transaction_begin_put(struct transaction *transaction, enum table table, const struct key *key,
			   struct slice value)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer == NULL || transaction->leaves_clear ||
	    form_begin_put(sealer, table, key, value))
		return true;
	transaction->result = engine_result(transaction->store, errno);
	return false;
}

struct slice transaction_seal(struct transaction *transaction, enum table table, struct slice place,
			      struct slice value)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer == NULL)
		return value;
	transaction->opened = sealer->room.taken;
	return transaction->leaves_clear ? value : form_seal(sealer, table, place, value);
}

void transaction_end_put(struct transaction *transaction)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer != NULL)
		room_return(&sealer->room,
			    transaction->opened > OPENED_LIMIT ? 0 : transaction->opened);
}

enum seal_state transaction_seal_state(struct transaction *transaction, uint64_t *id)
{
	struct slice value;
	*id = 0;
	if (table_get(transaction, TABLE_META, key_of_name("sealed"), &value)) {
		(void)table_decode(transaction, value, stored_number_fields, id, NULL);
		return SEAL_WHOLE;
	}
	return table_get(transaction, TABLE_META, key_of_name("format"), &value) ? SEAL_NONE
										 : SEAL_NEW;
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

void transaction_ends_user(struct transaction *transaction, struct user_key user)
{
	struct sealer *sealer = transaction->sealer;
	struct scan scan;
	if (sealer == NULL)
		return;
	scan_begin(&scan, transaction, TABLE_SETTINGS, key_of_user(user), FORWARD);
	scan.opens_none = true;
	transaction->ends_user = !scan_step(&scan) || !form_needs_keys(scan.value);
	transaction->ended = sealer_hide(sealer, user);
	scan_end(&scan);
}

static void give_back_sealer(struct transaction *transaction)
{
	if (transaction->sealer != NULL)
		seal_give_back(transaction->sealer);
	transaction->sealer = NULL;
}

enum store_result transaction_commit(struct transaction *transaction)
{
	struct seal *seal = transaction->store->seal;
	put_counts(transaction);
	space_commit(transaction);
	if (transaction->result == STORE_OK && transaction->sealer != NULL && !seal_sync(seal))
		transaction->result = engine_result(transaction->store, errno);
	if (transaction->result != STORE_OK) {
		transaction_abort(transaction);
		return transaction->result;
	}
	buffer_finish(&transaction->scratch);
	space_forget(transaction);
	transaction->result =
		engine_result(transaction->store, mdb_txn_commit(transaction->handle));
	touched_settle(transaction->store->touched, transaction->result == STORE_OK);
	if (transaction->result == STORE_OK && transaction->ends_user)
		seal_erase(seal, transaction->ended);
	give_back_sealer(transaction);
	leave(transaction->store, transaction->environment);
	return transaction->result;
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
	give_back_sealer(transaction);
	if (!transaction->reads)
		touched_settle(transaction->store->touched, false);
	leave(transaction->store, transaction->environment);
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
