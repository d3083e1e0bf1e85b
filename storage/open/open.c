/* store_open(): combines the engine, the index and the recovery of what a crash left unfinished. */
#include "storage/audit/record.h"
#include "storage/erasures/erasures.h"
#include "storage/index/reindex.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/writer.h"
#include "storage/open/convert.h"
#include "storage/open/end_users.h"
#include "storage/scrub/offline.h"
#include "storage/user/memory.h"

/* Marks the users whose erasure this store, an older copy, does not know. */
static void mark_erased(struct transaction *transaction)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, transaction, TABLE_USERS, key_empty(), FORWARD);
	scan_let_go(&scan);
	while (scan_next(&scan, &key, &value)) {
		struct stored_user user = {0};
		const struct memory memory = {.transaction = transaction,
					      .user = key_read_user(key)};
		if (table_decode(transaction, value, stored_user_fields, &user, NULL) &&
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

static bool prepare(struct store *store, const struct store_options *options, char *error,
		    size_t error_size)
{
	return convert_old_format(store, options, error, error_size) &&
	       scrub_file(store, options, error, error_size);
}

struct store *store_open(const struct store_options *options, char *error, size_t error_size)
{
	struct store *store = engine_open(options, prepare, error, error_size);
	if (store == NULL)
		return NULL;
	audit_install(store);
	if (store->was_cut_off)
		end_users(store);
	if (engine_judge(store, index_renew(store, &options->progress), error, error_size) &&
	    engine_judge(store, erase_again(store), error, error_size) &&
	    engine_start_writer(store, error, error_size)) {
		forget_resume(store);
		deletions_resume(store);
		return store;
	}
	store_close(store);
	return NULL;
}
