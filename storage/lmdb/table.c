#include "storage/lmdb/table.h"

#include "storage/files/touched.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <string.h>

static struct slice slice_of_val(MDB_val val)
{
	return (struct slice){val.mv_data, val.mv_size};
}

/* ---- trees ---- */

/* Keys of a shared table: the table's number follows the user. */
struct tree_key {
	unsigned char bytes[KEY_MAX + 1];
	size_t size;
};

enum { TABLE_AT = sizeof(struct user_key), BEHIND_TABLE = TABLE_AT + 1 };

static bool is_shared(enum table table)
{
	return table >= FIRST_SHARED_TABLE;
}

static unsigned char number_of(enum table table)
{
	return (unsigned char)(table - FIRST_SHARED_TABLE);
}

static bool is_descending(enum table table)
{
	return table == TABLE_TURN_TIMES || table == TABLE_REPLAYS || table == TABLE_FROZEN ||
	       table == TABLE_USER_RECEIPTS;
}

/* Converts between a key and its form in the tree, both ways: for descending keys, inverts what
 * follows the user. All keys of a table have the same length, so the order inverts too. */
static void turn(enum table table, struct key *key)
{
	for (size_t i = TABLE_AT; is_descending(table) && i < key->size; i++)
		key->bytes[i] ^= UCHAR_MAX;
}

static bool hides(const struct transaction *transaction)
{
	return transaction->sealer != NULL && !transaction->hides_nothing;
}

/* The empty key, before all users', stays empty. */
static struct tree_key tree_key(const struct transaction *transaction, enum table table,
				const struct key *given)
{
	struct key key = *given;
	if (hides(transaction))
		form_hide_key(transaction->sealer, table, &key);
	turn(table, &key);
	struct tree_key out = {.size = key.size};
	if (!is_shared(table) || key.size < TABLE_AT) {
		memcpy(out.bytes, key.bytes, key.size);
		return out;
	}
	memcpy(out.bytes, key.bytes, TABLE_AT);
	out.bytes[TABLE_AT] = number_of(table);
	memcpy(out.bytes + BEHIND_TABLE, key.bytes + TABLE_AT, key.size - TABLE_AT);
	out.size++;
	return out;
}

static MDB_val val_of_key(struct tree_key *key)
{
	return (MDB_val){key->size, key->bytes};
}

static MDB_dbi dbi_of(const struct transaction *transaction, enum table table)
{
	return transaction->store->trees[engine_tree_of(table)];
}

static void note_touched(struct transaction *transaction, enum table table, MDB_val key)
{
	transaction->writes = true;
	touched_note(transaction->store->touched, engine_tree_of(table), slice_of_val(key));
}

/* ---- cursors ---- */

/* One cursor per tree stays where it was, usually on the page of the same user's next key: LMDB
 * looks there before it starts at the root. Read transactions only, since each write would have to
 * update it. */
static struct MDB_cursor **idle_of(struct transaction *transaction, enum table table)
{
	return &transaction->idle[engine_tree_of(table)];
}

static int cursor_take(struct transaction *transaction, enum table table,
		       struct MDB_cursor **cursor)
{
	struct MDB_cursor **idle = idle_of(transaction, table);
	if (*idle == NULL)
		return mdb_cursor_open(transaction->handle, dbi_of(transaction, table), cursor);
	*cursor = *idle;
	*idle = NULL;
	return MDB_SUCCESS;
}

static void cursor_leave(struct transaction *transaction, enum table table,
			 struct MDB_cursor *cursor)
{
	struct MDB_cursor **idle = idle_of(transaction, table);
	if (transaction->reads && *idle == NULL)
		*idle = cursor;
	else
		mdb_cursor_close(cursor);
}

/* ---- counts ---- */

/* Where changes of a shared table's size are recorded; NULL: nobody asks for it. */
static int64_t *count_of(struct transaction *transaction, enum table table)
{
	switch (table) {
	case TABLE_USERS:
		return &transaction->came.users;
	case TABLE_FACTS:
		return &transaction->came.facts;
	default:
		return NULL;
	}
}

/* A record came (`sign` 1) or went (-1). */
static void note_count(struct transaction *transaction, enum table table, int sign)
{
	int64_t *count = count_of(transaction, table);
	if (count != NULL)
		*count += sign;
}

/* ---- tables ---- */

static int get(struct transaction *transaction, enum table table, MDB_val *key, MDB_val *value)
{
	struct MDB_cursor *cursor;
	/* a tree of its own usually gets just one lookup */
	if (!transaction->reads || (!is_shared(table) && *idle_of(transaction, table) == NULL))
		return mdb_get(transaction->handle, dbi_of(transaction, table), key, value);
	int code = cursor_take(transaction, table, &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, key, value, MDB_SET);
	cursor_leave(transaction, table, cursor);
	return code;
}

bool table_get(struct transaction *transaction, enum table table, struct key key,
	       struct slice *value)
{
	if (transaction->result != STORE_OK)
		return false;
	struct tree_key place = tree_key(transaction, table, &key);
	MDB_val at = val_of_key(&place);
	MDB_val found = {0};
	int code = get(transaction, table, &at, &found);
	*value = transaction_open(transaction, table, slice_of_val(at), slice_of_val(found));
	return transaction_went_well(transaction, code);
}

/* One search serves both the record before, which the account has, and its successor. */
static int put(struct transaction *transaction, enum table table, MDB_val *at, MDB_val in)
{
	struct MDB_cursor *cursor;
	MDB_val found = in;
	int code = mdb_cursor_open(transaction->handle, dbi_of(transaction, table), &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_put(cursor, at, &found, MDB_NOOVERWRITE);
	if (code == MDB_KEYEXIST) {
		space_note(transaction, table, slice_of_val(*at), slice_of_val(found), -1);
		code = mdb_cursor_put(cursor, at, &in, MDB_CURRENT);
	} else if (code == MDB_SUCCESS) {
		note_count(transaction, table, 1);
	}
	mdb_cursor_close(cursor);
	return code;
}

/* Values are not read after the next write, so that they need not pile up. */
enum { OPENED_LIMIT = 4 << 20 };

static bool begin_put(struct transaction *transaction, enum table table, const struct key *key,
		      struct slice value)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer == NULL || transaction->leaves_clear ||
	    form_begin_put(sealer, table, key, value))
		return true;
	transaction->result = engine_result(transaction->store, errno);
	return false;
}

static struct slice seal(struct transaction *transaction, enum table table, struct slice place,
			 struct slice value)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer == NULL)
		return value;
	transaction->opened = sealer->room.taken;
	return transaction->leaves_clear ? value : form_seal(sealer, table, place, value);
}

static void end_put(struct transaction *transaction)
{
	struct sealer *sealer = transaction->sealer;
	if (sealer != NULL)
		room_return(&sealer->room,
			    transaction->opened > OPENED_LIMIT ? 0 : transaction->opened);
}

void table_put(struct transaction *transaction, enum table table, struct key key,
	       struct slice value)
{
	if (transaction->result != STORE_OK || !begin_put(transaction, table, &key, value))
		return;
	struct tree_key place = tree_key(transaction, table, &key);
	MDB_val at = val_of_key(&place);
	value = seal(transaction, table, slice_of_val(at), value);
	MDB_val in = {value.size, (void *)(uintptr_t)value.data};
	note_touched(transaction, table, at);
	if (transaction_went_well(transaction, put(transaction, table, &at, in)))
		space_note(transaction, table, slice_of_val(at), value, 1);
	end_put(transaction);
}

/* Deletes the record that a cursor stands at. */
static void delete_at(struct transaction *transaction, enum table table, struct MDB_cursor *cursor)
{
	MDB_val at;
	MDB_val value;
	if (!transaction_went_well(transaction,
				   mdb_cursor_get(cursor, &at, &value, MDB_GET_CURRENT)))
		return;
	note_touched(transaction, table, at);
	space_note(transaction, table, slice_of_val(at), slice_of_val(value), -1);
	note_count(transaction, table, -1);
	(void)transaction_went_well(transaction, mdb_cursor_del(cursor, 0));
}

bool table_delete(struct transaction *transaction, enum table table, struct key key)
{
	struct MDB_cursor *cursor;
	MDB_val value;
	if (transaction->result != STORE_OK)
		return false;
	struct tree_key place = tree_key(transaction, table, &key);
	MDB_val at = val_of_key(&place);
	int code = mdb_cursor_open(transaction->handle, dbi_of(transaction, table), &cursor);
	if (!transaction_went_well(transaction, code))
		return false;
	code = mdb_cursor_get(cursor, &at, &value, MDB_SET);
	if (transaction_went_well(transaction, code))
		delete_at(transaction, table, cursor);
	mdb_cursor_close(cursor);
	return code == MDB_SUCCESS && transaction->result == STORE_OK;
}

void scan_begin(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction)
{
	/* Across all users the tree's order applies. */
	if (is_descending(table) && prefix.size > 0)
		direction = direction == FORWARD ? BACKWARD : FORWARD;
	struct key from = prefix;
	if (direction == BACKWARD) {
		turn(table, &from);
		from = key_after(from);
		turn(table, &from);
	}
	scan_begin_at(scan, transaction, table, prefix, from, direction);
}

void scan_begin_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction)
{
	assert(direction == FORWARD || !is_shared(table) || prefix.size >= TABLE_AT);
	*scan = (struct scan){.transaction = transaction,
			      .table = table,
			      .prefix = prefix,
			      .from = from,
			      .direction = direction};
	if (transaction->result != STORE_OK)
		return;
	(void)transaction_went_well(transaction, cursor_take(transaction, table, &scan->cursor));
}

static int scan_move(struct scan *scan, MDB_val *key, MDB_val *value)
{
	if (scan->begun)
		return mdb_cursor_get(scan->cursor, key, value,
				      scan->direction == FORWARD ? MDB_NEXT : MDB_PREV);
	scan->begun = true;
	struct tree_key from = tree_key(scan->transaction, scan->table, &scan->from);
	*key = val_of_key(&from);
	/* LMDB has no empty key, not even as a start. */
	MDB_cursor_op seek = from.size == 0 ? MDB_FIRST : MDB_SET_RANGE;
	int code = mdb_cursor_get(scan->cursor, key, value, seek);
	if (scan->direction == FORWARD)
		return code;
	return mdb_cursor_get(scan->cursor, key, value, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static unsigned table_at(const MDB_val *key)
{
	return ((const unsigned char *)key->mv_data)[TABLE_AT];
}

/* In a scan of the shared tree across all users, skips to the next key of the scan's table. Each
 * step leads to a later user or to a later table of the same user, so it ends even in a damaged
 * tree. */
static int scan_pass_others(struct scan *scan, MDB_val *key, MDB_val *value)
{
	unsigned own = number_of(scan->table);
	int code = MDB_SUCCESS;
	while (code == MDB_SUCCESS && key->mv_size >= BEHIND_TABLE && table_at(key) != own) {
		if (table_at(key) >= number_of(TABLE_COUNT))
			return MDB_CORRUPTED;
		unsigned char next[BEHIND_TABLE];
		memcpy(next, key->mv_data, TABLE_AT);
		next[TABLE_AT] = table_at(key) < own ? (unsigned char)own : UCHAR_MAX;
		*key = (MDB_val){sizeof(next), next};
		code = mdb_cursor_get(scan->cursor, key, value, MDB_SET_RANGE);
		if (code == MDB_SUCCESS &&
		    (key->mv_size < sizeof(next) || memcmp(key->mv_data, next, sizeof(next)) < 0))
			code = MDB_CORRUPTED;
	}
	return code;
}

/* The key as the table's users know it. */
static struct slice scan_key(struct scan *scan, const MDB_val *key)
{
	const bool shares = is_shared(scan->table);
	const bool is_hidden = hides(scan->transaction) && key->mv_size <= KEY_MAX;
	if (!shares && !is_hidden)
		return slice_of_val(*key);
	const unsigned char *bytes = key->mv_data;
	const size_t begin = shares ? TABLE_AT : key->mv_size; /* what the table's number ends */
	scan->key.size = key->mv_size - shares;
	memcpy(scan->key.bytes, bytes, begin);
	memcpy(scan->key.bytes + begin, bytes + begin + shares, scan->key.size - begin);
	turn(scan->table, &scan->key);
	if (is_hidden)
		form_show_key(scan->transaction->sealer, scan->table, &scan->key);
	return key_slice(&scan->key);
}

void scan_let_go(struct scan *scan)
{
	scan->lets_go = true;
	scan->mark = transaction_mark(scan->transaction);
}

static void scan_return(const struct scan *scan)
{
	if (scan->lets_go)
		transaction_let_go(scan->transaction, scan->mark);
}

struct slice scan_open(struct scan *scan, struct slice value)
{
	return transaction_open(scan->transaction, scan->table, scan->place, value);
}

static void scan_take(struct scan *scan, const MDB_val *key, const MDB_val *value)
{
	scan->place = slice_of_val(*key);
	scan->value = slice_of_val(*value);
	if (!scan->opens_none)
		scan->value = scan_open(scan, scan->value);
}

bool scan_step(struct scan *scan)
{
	MDB_val key;
	MDB_val value;
	if (scan->cursor == NULL || scan->transaction->result != STORE_OK)
		return false;
	scan_return(scan);
	int code = scan_move(scan, &key, &value);
	bool shares = is_shared(scan->table);
	if (code == MDB_SUCCESS && shares && scan->prefix.size == 0)
		code = scan_pass_others(scan, &key, &value);
	if (code == MDB_SUCCESS && shares &&
	    (key.mv_size < BEHIND_TABLE || key.mv_size > KEY_MAX + 1))
		code = MDB_CORRUPTED;
	if (!transaction_went_well(scan->transaction, code))
		return false;
	if (shares && table_at(&key) != number_of(scan->table))
		return false;
	scan->at = scan_key(scan, &key);
	if (!slice_starts_with(scan->at, key_slice(&scan->prefix)))
		return false;
	scan_take(scan, &key, &value);
	return true;
}

bool scan_read(struct scan *scan, record_fields *fields, void *noun, size_t size,
	       struct arena *arena)
{
	while (scan_step(scan)) {
		memset(noun, 0, size);
		if (table_decode(scan->transaction, scan->value, fields, noun, arena))
			return true;
	}
	return false;
}

bool scan_find(struct scan *scan, struct key key)
{
	if (scan->cursor == NULL || scan->transaction->result != STORE_OK)
		return false;
	struct tree_key place = tree_key(scan->transaction, scan->table, &key);
	MDB_val at = val_of_key(&place);
	MDB_val found = {0};
	int code = mdb_cursor_get(scan->cursor, &at, &found, MDB_SET_KEY);
	scan->begun = true;
	if (!transaction_went_well(scan->transaction, code))
		return false;
	scan_take(scan, &at, &found);
	return true;
}

void scan_end(struct scan *scan)
{
	scan_return(scan);
	if (scan->cursor != NULL)
		cursor_leave(scan->transaction, scan->table, scan->cursor);
}

static bool scan_only(struct scan *scan)
{
	scan->opens_none = true;
	const bool found = scan_step(scan);
	scan_end(scan);
	return found;
}

bool scan_first(struct scan *scan, struct transaction *transaction, enum table table,
		struct key prefix, enum direction direction)
{
	scan_begin(scan, transaction, table, prefix, direction);
	return scan_only(scan);
}

bool scan_first_at(struct scan *scan, struct transaction *transaction, enum table table,
		   struct key prefix, struct key from, enum direction direction)
{
	scan_begin_at(scan, transaction, table, prefix, from, direction);
	return scan_only(scan);
}

void scan_delete(struct scan *scan)
{
	if (scan->transaction->result == STORE_OK)
		delete_at(scan->transaction, scan->table, scan->cursor);
}

struct slice table_open(struct transaction *transaction, enum table table, struct key key,
			struct slice value)
{
	struct tree_key place = tree_key(transaction, table, &key);
	return transaction_open(transaction, table, slice_of_val(val_of_key(&place)), value);
}

size_t scan_opened_size(const struct scan *scan, struct slice value)
{
	return scan->transaction->sealer == NULL
		       ? value.size
		       : form_opened_size(scan->table, scan->place, value);
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

/* ---- encryption ---- */

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

void transaction_ends_user(struct transaction *transaction, struct user_key user)
{
	struct scan scan;
	if (transaction->sealer == NULL)
		return;
	transaction->ends_user =
		!scan_first(&scan, transaction, TABLE_SETTINGS, key_of_user(user), FORWARD) ||
		!form_needs_keys(scan.value);
	transaction->ended = sealer_hide(transaction->sealer, user);
}
