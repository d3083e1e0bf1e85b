/* store_forget(): deletes every record of a user.
 *
 * A long memory is deleted in slices. The first slice deletes the records that reads start from, so
 * that the user is hidden at once, and leaves a mark that makes the next start finish after a
 * crash. */
#include "storage/lmdb/environment.h"
#include "storage/lmdb/writer.h"
#include "storage/user/memory.h"

struct forget_operation {
	struct operation operation;
	struct user_key user;
};

/* Ids of new users start after this one's. */
static void retire_ids(const struct memory *memory)
{
	struct stored_user user = {0};
	struct slice value;
	uint64_t first_id = 1;
	struct key key = key_of_name("first_id");
	/* deletes unreadable records too */
	if (!table_get(memory->transaction, TABLE_USERS, key_of_user(memory->user), &value) ||
	    !record_read(value, stored_user_fields, &user, NULL))
		return;
	uint64_t next_id = user.next_turn > user.next_fact ? user.next_turn : user.next_fact;
	if (next_id < user.next_conversation)
		next_id = user.next_conversation;
	if (table_read(memory->transaction, TABLE_META, key, stored_number_fields, &first_id,
		       NULL) &&
	    first_id >= next_id)
		return;
	table_write(memory->transaction, TABLE_META, key, stored_number_fields, &next_id);
}

bool memory_delete_user(const struct memory *memory, size_t *steps)
{
	static const enum table first[] = {TABLE_SUMMARIES, TABLE_FACTS, TABLE_DOCUMENTS,
					   TABLE_JOBS};
	struct transaction *transaction = memory->transaction;
	const struct key user = key_of_user(memory->user);
	retire_ids(memory);
	bool done = table_delete_some(transaction, TABLE_USERS, user, steps) &&
		    memory_delete_some_receipts(memory, steps);
	for (size_t i = 0; done && i < sizeof(first) / sizeof(first[0]); i++)
		done = table_delete_some(transaction, first[i], user, steps);
	for (int table = FIRST_USER_TABLE; done && table < TABLE_COUNT; table++)
		done = table_delete_some(transaction, (enum table)table, user, steps);
	return done;
}

/* ---- what is being forgotten ---- */

static struct key mark_prefix(void)
{
	return key_of_name("forgetting");
}

void memory_mark_forgotten(const struct memory *memory)
{
	uint64_t one = 1;
	table_write(memory->transaction, TABLE_META, key_user(mark_prefix(), memory->user),
		    stored_number_fields, &one);
}

void memory_unmark_forgotten(const struct memory *memory)
{
	(void)table_delete(memory->transaction, TABLE_META, key_user(mark_prefix(), memory->user));
}

enum store_result memory_forget_user(const struct memory *memory, struct operation *operation)
{
	struct store *store = memory->transaction->store;
	size_t *steps = &memory->transaction->spare;
	const size_t before = *steps;
	/* First: whatever happens to the rest, exchanges in progress are not written. The last
	 * slice's mark covers those that read between two slices. */
	forget_epochs_record(store->forgotten, memory->user, ++store->next_forget_epoch);
	bool was_begun = operation->begun;
	operation->unfinished = !memory_delete_user(memory, steps);
	if (operation->unfinished && !was_begun)
		memory_mark_forgotten(memory);
	else if (!operation->unfinished && was_begun)
		memory_unmark_forgotten(memory);
	return *steps < before || was_begun ? STORE_OK : STORE_NOT_FOUND;
}

static enum store_result run_forget(struct operation *operation, struct transaction *transaction)
{
	struct forget_operation *own = (struct forget_operation *)operation;
	const struct memory memory = {.transaction = transaction, .user = own->user};
	return memory_forget_user(&memory, operation);
}

static struct forget_operation *create_forget(struct user_key user)
{
	struct forget_operation *own = operation_create(sizeof(*own), run_forget);
	own->user = user;
	own->operation.promised = true;
	own->operation.in_slices = true;
	return own;
}

struct store_call *store_forget(struct store *store, struct user_key user, struct store_loop *loop,
				store_done *callback, void *cookie)
{
	struct forget_operation *own = create_forget(user);
	return writer_submit(store->writer, &own->operation, &own->user, loop, callback, cookie);
}

void forget_resume(struct store *store)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	const struct key prefix = mark_prefix();
	if (!transaction_begin_read(&transaction, store))
		return;
	scan_begin(&scan, &transaction, TABLE_META, prefix, FORWARD);
	while (scan_next(&scan, &key, &value)) {
		struct slice user = slice_part(key, prefix.size, key.size);
		struct forget_operation *own = create_forget(key_read_user(user));
		writer_resume(store->writer, &own->operation, &own->user);
	}
	scan_end(&scan);
	transaction_abort(&transaction);
}
