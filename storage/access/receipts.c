/* Receipts for people: one by its id, and a user's from newest to oldest. */
#include "core/facts/receipt_text.h"
#include "storage/user/memory.h"

/* Leaves further texts to the next call. */
enum { TEXT_LIMIT = 4 << 20 };

/* Its text stays valid until the transaction ends. */
static bool find_said(void *cookie, uint64_t turn, struct slice *said)
{
	const struct memory *memory = cookie;
	struct stored_turn stored;
	bool found = memory_turn(memory, turn, &stored) && stored.turn.state != TURN_HIDDEN;
	*said = stored.turn.text;
	return found;
}

static struct slice tell_turns(struct transaction *transaction, struct user_key user,
			       struct slice text, struct arena *arena)
{
	struct memory memory = {.transaction = transaction, .user = user};
	return receipt_with_turns(text, find_said, &memory, arena);
}

enum store_result store_tell_turns(struct store *store, struct user_key user, struct slice *text,
				   struct arena *arena)
{
	struct transaction transaction;
	if (transaction_begin_read(&transaction, store)) {
		*text = tell_turns(&transaction, user, *text, arena);
		transaction_abort(&transaction);
	}
	return transaction.result;
}

enum store_result store_read_receipt(struct store *store, uint64_t receipt,
				     struct kept_receipt *read, struct arena *arena)
{
	struct stored_receipt stored = {0};
	struct transaction transaction;
	bool found = false;
	if (transaction_begin_read(&transaction, store)) {
		found = table_read(&transaction, TABLE_RECEIPTS, key_of_number(receipt),
				   stored_receipt_fields, &stored, arena);
		if (found)
			stored.receipt.text =
				tell_turns(&transaction, stored.user, stored.receipt.text, arena);
		transaction_abort(&transaction);
	}
	*read = (struct kept_receipt){receipt, stored.receipt.text, stored.user};
	return transaction_outcome(&transaction, found);
}

static bool read_listed(const struct memory *memory, uint64_t id, struct kept_receipt *read)
{
	struct stored_receipt stored = {0};
	if (!table_read(memory->transaction, TABLE_RECEIPTS, key_of_number(id),
			stored_receipt_fields, &stored, NULL))
		return false;
	*read = (struct kept_receipt){id, arena_copy(memory->arena, stored.receipt.text),
				      stored.user};
	return true;
}

static void list_receipts(const struct memory *memory, uint64_t first, uint64_t before,
			  size_t limit, struct receipt_list *list)
{
	struct scan scan;
	size_t text = 0;
	bool found = false;
	const struct key user = memory_key(memory);
	list->receipts = arena_alloc(memory->arena, limit * sizeof(*list->receipts));
	/* The table is descending: forward in its tree is back in time. */
	scan_begin_at(&scan, memory->transaction, TABLE_USER_RECEIPTS, user,
		      key_u64(user, before - 1), FORWARD);
	while (list->count < limit && text < TEXT_LIMIT && (found = scan_step(&scan))) {
		struct kept_receipt *read = &list->receipts[list->count];
		list->last = key_read_u64(scan.at, KEY_ID_AT);
		found = list->last >= first;
		if (!found)
			break;
		if (!read_listed(memory, list->last, read))
			continue;
		text += read->text.size;
		list->count++;
	}
	list->more = found;
	scan_end(&scan);
}

enum store_result store_user_receipts(struct store *store, struct user_key user, uint64_t first,
				      uint64_t before, size_t limit, struct receipt_list *list,
				      struct arena *arena)
{
	struct stored_user stored;
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	bool known = false;
	*list = (struct receipt_list){0};
	if (transaction_begin_read(&transaction, store)) {
		if (before > 0)
			list_receipts(&memory, first, before, limit, list);
		known = list->count > 0 || memory_user(&memory, &stored);
		transaction_abort(&transaction);
	}
	return transaction_outcome(&transaction, known);
}
