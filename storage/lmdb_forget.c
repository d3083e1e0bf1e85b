/* store_forget(): a user leaves no record behind. */
#include "storage/lmdb_memory.h"
#include "storage/writer.h"

struct forget_operation {
	struct operation operation;
	struct user_key user;
};

/* New users' ids begin behind this one's. */
static void retire_ids(const struct memory *memory)
{
	struct stored_user user = {0};
	struct slice value;
	uint64_t first_id = 1;
	struct key key = key_of_name("first_id");
	/* Unreadable records are deleted all the same. */
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

size_t memory_delete_user(const struct memory *memory)
{
	size_t deleted = 0;
	retire_ids(memory);
	memory_delete_receipts(memory);
	for (int table = FIRST_USER_TABLE; table < TABLE_COUNT; table++)
		deleted += table_delete_all(memory->transaction, (enum table)table,
					    key_of_user(memory->user));
	return deleted;
}

static enum store_result run_forget(struct operation *operation, struct transaction *transaction)
{
	struct forget_operation *own = (struct forget_operation *)operation;
	struct store *store = transaction->store;
	struct arena scratch = {0};
	struct memory memory = {transaction, own->user, &scratch};
	/* First of all: whatever becomes of the rest, what is under way is not written. */
	tickets_mark(store->forgotten, own->user, ++store->next_ticket);
	size_t deleted = memory_delete_user(&memory);
	arena_finish(&scratch);
	return deleted > 0 ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_forget(struct store *store, struct user_key user, struct store_loop *loop,
				store_done *callback, void *cookie)
{
	struct forget_operation *own = operation_create(sizeof(*own), run_forget);
	own->user = user;
	return writer_submit(store->writer, &own->operation, loop, callback, cookie);
}
