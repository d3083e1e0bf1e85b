/* The sums that commits keep: the numbers of records, and the account of space; see table.h. */
#include "storage/lmdb/table.h"

#include "storage/files/touched.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <string.h>

enum { USER_SIZE = sizeof(struct user_key) };

/* ---- counts ---- */

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

/* ---- the account ---- */

static MDB_dbi dbi_of(const struct transaction *transaction, size_t tree)
{
	return transaction->store->trees[tree];
}

static struct key counted_key(void)
{
	return key_of_name("space");
}

struct key space_written_key(void)
{
	return key_of_name("written");
}

bool space_counts_all(struct transaction *transaction)
{
	struct slice value;
	return table_get(transaction, TABLE_META, counted_key(), &value);
}

void space_note_all_counted(struct transaction *transaction)
{
	uint64_t version = 1;
	table_write(transaction, TABLE_META, counted_key(), stored_number_fields, &version);
}

static struct space stored_space(struct transaction *transaction, const struct user_key *user)
{
	struct space space = {0};
	MDB_val key = {USER_SIZE, (void *)(uintptr_t)user->bytes};
	MDB_val value;
	if (transaction->result != STORE_OK)
		return space;
	int code = mdb_get(transaction->handle, dbi_of(transaction, TREE_SPACE), &key, &value);
	if (transaction_went_well(transaction, code) && value.mv_size == sizeof(space))
		memcpy(&space, value.mv_data, sizeof(space));
	else
		space.is_whole = space_counts_all(transaction);
	return space;
}

static int64_t at_least_none(int64_t bytes)
{
	return bytes > 0 ? bytes : 0;
}

static struct space changed_space(struct transaction *transaction,
				  const struct space_change *change)
{
	struct space space = stored_space(transaction, &change->user);
	space.all += change->add.all;
	space.given += change->add.given;
	space.is_whole |= change->add.is_whole;
	if (space.is_whole) {
		space.all = at_least_none(space.all);
		space.given = at_least_none(space.given);
	}
	return space;
}

static int put_space(struct transaction *transaction, MDB_val *key, struct space *space)
{
	MDB_val value = {sizeof(*space), space};
	const MDB_dbi dbi = dbi_of(transaction, TREE_SPACE);
	if (!space->is_whole || space->all != 0)
		return mdb_put(transaction->handle, dbi, key, &value, 0);
	int code = mdb_del(transaction->handle, dbi, key, NULL);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static void commit_space(struct transaction *transaction)
{
	struct space_changes *changes = &transaction->space;
	for (size_t i = 0; i < changes->count && transaction->result == STORE_OK; i++) {
		struct space_change *change = &changes->list[i];
		struct space space = changed_space(transaction, change);
		MDB_val key = {USER_SIZE, change->user.bytes};
		if (change->add.all == 0 && change->add.given == 0 && !change->add.is_whole)
			continue;
		touched_note(transaction->store->touched, TREE_SPACE,
			     (struct slice){key.mv_data, key.mv_size});
		(void)transaction_went_well(transaction, put_space(transaction, &key, &space));
		transaction->writes = true;
	}
	uint64_t own = mdb_txn_id(transaction->handle);
	if (transaction->writes)
		table_write(transaction, TABLE_META, space_written_key(), stored_number_fields,
			    &own);
}

void space_check(struct transaction *transaction)
{
	uint64_t last = 0;
	(void)table_read(transaction, TABLE_META, space_written_key(), stored_number_fields, &last,
			 NULL);
	if (last == mdb_txn_id(transaction->handle) - 1)
		return;
	(void)transaction_went_well(
		transaction, mdb_drop(transaction->handle, dbi_of(transaction, TREE_SPACE), 0));
	(void)table_delete(transaction, TABLE_META, counted_key());
}

static struct user_key as_stored(const struct transaction *transaction, struct user_key user)
{
	return transaction->sealer == NULL || transaction->hides_nothing
		       ? user
		       : sealer_hide(transaction->sealer, user);
}

struct user_key space_shown(struct transaction *transaction, struct user_key at)
{
	return transaction->sealer == NULL || transaction->hides_nothing
		       ? at
		       : sealer_show(transaction->sealer, at);
}

struct space space_of(struct transaction *transaction, struct user_key user)
{
	struct space_changes *changes = &transaction->space;
	struct space_change none = {.user = as_stored(transaction, user)};
	int64_t place = changes->list == NULL ? DIGEST_NONE
					      : digest_table_find(&changes->index, none.user.bytes);
	return changed_space(transaction, place == DIGEST_NONE ? &none : &changes->list[place]);
}

void space_complete(struct transaction *transaction, struct user_key user, struct space before,
		    struct space counted)
{
	const struct user_key stored = as_stored(transaction, user);
	struct space *add = &space_change_of(transaction, stored.bytes)->add;
	add->all += counted.all - before.all;
	add->given += counted.given - before.given;
	add->is_whole = 1;
}

/* ---- counting record by record ---- */

static void count_receipt(struct transaction *transaction, struct space *space, struct slice listed)
{
	enum { ID_SIZE = 8 };
	unsigned char id[ID_SIZE];
	MDB_val key = {ID_SIZE, id};
	MDB_val value;
	if (listed.size < ID_SIZE)
		return;
	/* its place in a descending table */
	for (size_t i = 0; i < ID_SIZE; i++)
		id[i] = (unsigned char)listed.data[listed.size - ID_SIZE + i] ^ UCHAR_MAX;
	int code = mdb_get(transaction->handle, dbi_of(transaction, TABLE_RECEIPTS), &key, &value);
	if (transaction_went_well(transaction, code))
		space_add(space, TABLE_RECEIPTS, (struct slice){key.mv_data, key.mv_size},
			  (struct slice){value.mv_data, value.mv_size}, 1);
}

static void count_tree(struct transaction *transaction, struct space *space, size_t tree,
		       const struct user_key *user)
{
	MDB_cursor *cursor;
	MDB_val key = {USER_SIZE, (void *)(uintptr_t)user->bytes};
	MDB_val value;
	int code = mdb_cursor_open(transaction->handle, dbi_of(transaction, tree), &cursor);
	if (!transaction_went_well(transaction, code))
		return;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == MDB_SUCCESS && key.mv_size > USER_SIZE &&
	       memcmp(key.mv_data, user->bytes, USER_SIZE) == 0) {
		const struct slice place = {key.mv_data, key.mv_size};
		const size_t table =
			tree +
			(tree == FIRST_SHARED_TABLE ? (unsigned char)place.data[USER_SIZE] : 0);
		space_add(space, (enum table)table, place,
			  (struct slice){value.mv_data, value.mv_size}, 1);
		if (table == TABLE_USER_RECEIPTS)
			count_receipt(transaction, space, place);
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	(void)transaction_went_well(transaction, code);
	mdb_cursor_close(cursor);
}

struct space space_count(struct transaction *transaction, struct user_key user)
{
	const struct user_key stored = as_stored(transaction, user);
	struct space space = {.is_whole = 1};
	for (size_t tree = FIRST_USER_TABLE; tree <= FIRST_SHARED_TABLE; tree++) {
		if (transaction->result == STORE_OK)
			count_tree(transaction, &space, tree, &stored);
	}
	return space;
}

bool space_next(struct transaction *transaction, struct user_key *at, struct space *space)
{
	MDB_cursor *cursor;
	const size_t tree = space_counts_all(transaction) ? TREE_SPACE : FIRST_SHARED_TABLE;
	struct key after = key_after(key_of_user(*at));
	MDB_val key = {after.size, after.bytes};
	MDB_val value;
	if (transaction->result != STORE_OK ||
	    !transaction_went_well(
		    transaction,
		    mdb_cursor_open(transaction->handle, dbi_of(transaction, tree), &cursor)))
		return false;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	bool found = transaction_went_well(transaction, code) && key.mv_size >= USER_SIZE;
	if (found) {
		memcpy(at->bytes, key.mv_data, USER_SIZE);
		*space = stored_space(transaction, at);
	}
	mdb_cursor_close(cursor);
	return found;
}

static size_t rank(struct space_rank *ranks, size_t count, size_t most, struct space_rank rank)
{
	if (rank.bytes <= 0 || (count == most && ranks[count - 1].bytes >= rank.bytes))
		return count;
	size_t at = count < most ? count++ : count - 1;
	for (; at > 0 && ranks[at - 1].bytes < rank.bytes; at--)
		ranks[at] = ranks[at - 1];
	ranks[at] = rank;
	return count;
}

size_t space_largest(struct transaction *transaction, bool given, struct space_rank *ranks,
		     size_t most)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	size_t count = 0;
	if (transaction->result != STORE_OK ||
	    !transaction_went_well(
		    transaction,
		    mdb_cursor_open(transaction->handle, dbi_of(transaction, TREE_SPACE), &cursor)))
		return 0;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
		struct space space;
		struct space_rank own;
		if (key.mv_size != USER_SIZE || value.mv_size != sizeof(space))
			continue;
		memcpy(&own.user, key.mv_data, USER_SIZE);
		memcpy(&space, value.mv_data, sizeof(space));
		own.bytes = given ? space.given : space.all;
		count = rank(ranks, count, most, own);
	}
	mdb_cursor_close(cursor);
	for (size_t i = 0; i < count; i++)
		ranks[i].user = space_shown(transaction, ranks[i].user);
	return count;
}

/* ---- the commit ---- */

enum store_result transaction_commit(struct transaction *transaction)
{
	struct seal *seal = transaction->store->seal;
	put_counts(transaction);
	commit_space(transaction);
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
	if (transaction->result == STORE_OK && transaction->ends_user)
		seal_erase(seal, transaction->ended);
	transaction_end(transaction, transaction->result == STORE_OK);
	return transaction->result;
}
