
#include "storage/index/index.h"

#include <string.h>

enum {
	LAYOUT = 1, /* raise it when the form of documents or postings changes */
	VERSION = LAYOUT * 1000 + TERMS_VERSION,
	UNDER_WAY = 0,
};

enum {
	TURNS_AT_ONCE = 2000,
	TEXT_AT_ONCE = 4 * 1024 * 1024,
	CLEARED_AT_ONCE = 1000, /* twice that many pages fit into the head-room */
};

static uint64_t read_version(struct transaction *transaction)
{
	uint64_t version = UNDER_WAY;
	if (!table_read(transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
			&version, NULL))
		return UNDER_WAY;
	return version;
}

static void write_version(struct transaction *transaction, uint64_t version)
{
	table_write(transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
		    &version);
}

static bool is_outdated(struct transaction *transaction)
{
	if (read_version(transaction) == VERSION)
		return false;
	write_version(transaction, UNDER_WAY);
	return true;
}

static void take_key(struct key *to, struct slice key)
{
	to->size = key.size < KEY_MAX ? key.size : KEY_MAX;
	memcpy(to->bytes, key.data, to->size);
}

/* Clears from the record at `from`, and sets it to the next one. True: that was the last. */
static bool clear_some(struct transaction *transaction, enum table table, struct key *from)
{
	struct scan scan;
	bool more = true;
	scan_begin_at(&scan, transaction, table, key_empty(), *from, FORWARD);
	scan.opens_none = true;
	for (size_t i = 0; more && i < CLEARED_AT_ONCE; i++) {
		more = scan_step(&scan);
		if (!more)
			break;
		take_key(from, scan.at);
		scan_delete(&scan);
	}
	scan_end(&scan);
	return !more;
}

/* In parts: a full store has no room for copies of all changed pages. */
static enum store_result clear_table(struct store *store, enum table table)
{
	struct transaction transaction;
	struct key from = key_empty();
	enum store_result result = STORE_OK;
	for (bool done = false; !done && result == STORE_OK;) {
		if (!transaction_begin_write(&transaction, store))
			return transaction.result;
		done = clear_some(&transaction, table, &from);
		result = transaction_commit(&transaction);
	}
	return result;
}

/* Vectors stay: they depend on the turns, not on their terms. */
static enum store_result clear_index(struct store *store)
{
	static const enum table tables[] = {TABLE_DOCUMENTS, TABLE_TERMS, TABLE_POSTINGS};
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && result == STORE_OK; i++)
		result = clear_table(store, tables[i]);
	return result;
}

/* The turn's text points into the map until it is indexed. Returns its size. */
static size_t index_turn(struct transaction *transaction, struct slice key, struct slice value)
{
	const struct memory memory = {.transaction = transaction, .user = key_read_user(key)};
	struct stored_turn stored = {.turn.id = key_read_u64(key, 16)};
	if (!table_decode(transaction, value, stored_turn_fields, &stored, NULL))
		return 0;
	size_t size = stored.turn.text.size;
	if (stored.turn.state != TURN_HIDDEN)
		index_put_turn(&memory, &stored.turn);
	return size;
}

/* Indexes from the turn at `from`, and sets it to the next one. Adds the turns to
 * `count`. True: that was the last. */
static bool index_some(struct transaction *transaction, struct key *from, uint64_t *count)
{
	struct scan scan;
	size_t text = 0;
	bool more = true;
	scan_begin_at(&scan, transaction, TABLE_TURNS, key_empty(), *from, FORWARD);
	scan_let_go(&scan);
	for (size_t i = 0; more && i < TURNS_AT_ONCE && text < TEXT_AT_ONCE; i++) {
		more = scan_step(&scan);
		if (!more)
			break;
		*from = key_u64(key_of_user(key_read_user(scan.at)),
				key_read_u64(scan.at, KEY_ID_AT) + 1);
		text += index_turn(transaction, scan.at, scan.value);
		++*count;
	}
	scan_end(&scan);
	if (!more)
		write_version(transaction, VERSION);
	return !more;
}

enum store_result index_renew(struct store *store, const struct store_progress *progress)
{
	uint64_t turns;
	uint64_t count = 0;
	struct transaction transaction;
	struct key from = key_empty();
	if (!transaction_begin_write(&transaction, store))
		return transaction.result;
	bool done = !is_outdated(&transaction);
	turns = done ? 0 : table_count(&transaction, TABLE_TURNS);
	enum store_result result = transaction_commit(&transaction);
	if (!done && result == STORE_OK)
		result = clear_index(store);
	if (done || result != STORE_OK)
		return result;
	while (!done && result == STORE_OK && transaction_begin_write(&transaction, store)) {
		done = index_some(&transaction, &from, &count);
		result = transaction_commit(&transaction);
		if (count > 0 && count <= turns)
			store_tell(progress, (double)count, (double)turns);
	}
	return done ? result : transaction.result;
}
