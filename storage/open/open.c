/* store_open(): combines the engine, the index and the recovery of what a crash left unfinished. */
#include "storage/open/open.h"

#include "storage/files/erasures.h"
#include "storage/index/index.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/table.h"
#include "storage/lmdb/writer.h"
#include "storage/record/seal.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

#include <stdlib.h>

/* Overwrites the keys of users whose records are gone. */

static bool has_records(struct transaction *transaction, enum table table, struct user_key user)
{
	struct scan scan;
	return scan_first(&scan, transaction, table, key_of_user(user), FORWARD) &&
	       (table != TABLE_SETTINGS || form_needs_keys(scan.value));
}

static bool needs_keys(struct transaction *transaction, struct user_key user)
{
	bool has = has_records(transaction, TABLE_USERS, user);
	for (int table = FIRST_USER_TABLE; !has && table < TABLE_COUNT; table++)
		has = has_records(transaction, (enum table)table, user);
	return has;
}

/* Makes up for a process that ended between the last deletion of a user's records and the erasure
 * of the user's keys. For a store without a writer, or in an operation. */
static void end_users(struct store *store)
{
	struct transaction transaction;
	size_t count;
	if (store->seal == NULL || !transaction_begin_read(&transaction, store))
		return;
	transaction.hides_nothing = true;
	struct user_key *users = seal_users(store->seal, &count);
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		if (!needs_keys(&transaction, users[i]) && transaction.result == STORE_OK)
			users[left++] = users[i];
	}
	transaction_abort(&transaction);
	for (size_t i = 0; i < left; i++)
		seal_erase(store->seal, users[i]);
	free(users);
}

/* Whether the keys open the user's record, or if that is damaged, any other of the first ones. */
static bool keys_open(struct transaction *transaction, struct user_key user, struct slice record)
{
	static const enum table others[] = {TABLE_TURNS, TABLE_FACTS, TABLE_CONVERSATIONS};
	bool opened = record.size > 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && !opened; i++) {
		struct scan scan;
		scan_begin(&scan, transaction, others[i], key_of_user(user), FORWARD);
		opened = scan_step(&scan) && scan.value.size > 0;
		scan_end(&scan);
	}
	return opened;
}

/* Finds the users whose keys are missing, or are of before a deletion after which they came back,
 * see store_lost(), before anything is written; not those whose deletion goes on. */
static void find_lost_users(struct store *store)
{
	struct transaction transaction;
	struct scan scan;
	struct store_lost *lost = &store->lost;
	if (store->seal == NULL || !transaction_begin_read(&transaction, store))
		return;
	transaction.hides_nothing = true;
	scan_begin(&scan, &transaction, TABLE_USERS, key_empty(), FORWARD);
	scan_let_go(&scan);
	while (scan_step(&scan)) {
		const struct user_key hidden = key_read_user(scan.at);
		const struct memory memory = {.transaction = &transaction, .user = hidden};
		if (keys_open(&transaction, hidden, scan.value) ||
		    memory_is_marked_forgotten(&memory))
			continue;
		if (lost->first_count < STORE_LOST_NAMED)
			lost->first[lost->first_count++] = sealer_show(transaction.sealer, hidden);
		seal_lose(store->seal, hidden);
	}
	scan_end(&scan);
	transaction_abort(&transaction);
}

/* store_rotate_key(): wraps the keys of an encrypted store that nobody has open with another key.
 * store_export_keys(): writes them elsewhere, wrapped with another. */

bool store_rotate_key(const struct store_options *options, const unsigned char *master,
		      size_t *users, char *error, size_t error_size)
{
	const struct complaint complaint = {error, error_size};
	struct store store = {.path = xstrdup(options->path), .lock = -1};
	bool done =
		store_marker_is_made(store.path)
			? lock_take(&store, complaint) &&
				  seal_rewrap(store.path, options->master, master, users, complaint)
			: complain(complaint, "there is no store in %s", store.path);
	lock_give_back(&store);
	free(store.path);
	return done;
}

bool store_export_keys(const struct store_options *options, const unsigned char *to, int out,
		       size_t *users, char *error, size_t error_size)
{
	const struct complaint complaint = {error, error_size};
	return store_marker_is_made(options->path)
		       ? seal_export(options->path, options->master, to, out, users, complaint)
		       : complain(complaint, "there is no store in %s", options->path);
}

/* Marks the users whose erasure this store, an older copy, does not know. */
static void mark_erased(struct transaction *transaction)
{
	struct scan scan;
	scan_begin(&scan, transaction, TABLE_USERS, key_empty(), FORWARD);
	scan_let_go(&scan);
	while (scan_step(&scan)) {
		struct stored_user user = {0};
		const struct memory memory = {.transaction = transaction,
					      .user = key_read_user(scan.at)};
		/* Whose keys are gone, or others now, counts as seen first before any erasure. */
		if ((!keys_open(transaction, memory.user, scan.value) ||
		     table_decode(transaction, scan.value, stored_user_fields, &user, NULL)) &&
		    erasures_hold_user(transaction->store->erasures, memory.user, user.first_seen))
			memory_mark_forgotten(&memory);
	}
	scan_end(&scan);
	memory_note_erasures(transaction);
}

static enum store_result erase_again(struct store *store)
{
	struct transaction transaction;
	uint64_t known = 0;
	if (erasures_total(store->erasures) == 0)
		return STORE_OK;
	if (!transaction_begin_write(&transaction, store))
		return transaction.result;
	(void)table_read(&transaction, TABLE_META, key_of_name("erasures"), stored_number_fields,
			 &known, NULL);
	if (known >= erasures_total(store->erasures)) {
		transaction_abort(&transaction);
		return STORE_OK;
	}
	mark_erased(&transaction);
	return transaction_commit(&transaction);
}

static bool prepare(struct store *store, const struct store_options *options,
		    struct complaint complaint)
{
	return convert_old_format(store, options, complaint) &&
	       scrub_file(store, options, complaint);
}

struct store *store_open(const struct store_options *options, char *error, size_t error_size)
{
	const struct complaint complaint = {error, error_size};
	struct store *store = engine_open(options, prepare, complaint);
	if (store == NULL)
		return NULL;
	audit_install(store);
	if (store->was_cut_off)
		end_users(store);
	if (engine_judge(store, index_renew(store, &options->progress), complaint) &&
	    engine_judge(store, erase_again(store), complaint) &&
	    engine_start_writer(store, complaint)) {
		find_lost_users(store);
		forget_resume(store);
		deletions_resume(store);
		return store;
	}
	store_close(store);
	return NULL;
}
