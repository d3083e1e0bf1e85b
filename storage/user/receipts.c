#include "core/base/ids.h"
#include "core/facts/receipt_text.h"
#include "storage/lmdb/forget_epochs.h"
#include "storage/lmdb/writer.h"
#include "storage/user/memory.h"

enum { EVICTED_AT_ONCE = 64 };

uint64_t memory_newest_receipt_age(const struct memory *memory)
{
	struct scan scan;
	return scan_first(&scan, memory->transaction, TABLE_RECEIPT_AGES, key_empty(), BACKWARD)
		       ? key_read_u64(scan.at, 0)
		       : 0;
}

static struct key user_receipt_key(struct user_key user, uint64_t id)
{
	return key_u64(key_of_user(user), id);
}

void memory_delete_receipt(const struct memory *memory, uint64_t id)
{
	struct transaction *transaction = memory->transaction;
	struct stored_receipt receipt = {0};
	if (table_read(transaction, TABLE_RECEIPTS, key_of_number(id), stored_receipt_fields,
		       &receipt, NULL)) {
		struct key user_key = user_receipt_key(receipt.user, id);
		uint64_t age = receipt.age;
		(void)table_delete(transaction, TABLE_USER_RECEIPTS, user_key);
		(void)table_delete(transaction, TABLE_RECEIPT_AGES, key_of_number(age));
	}
	(void)table_delete(transaction, TABLE_RECEIPTS, key_of_number(id));
}

static bool delete_oldest_receipt(const struct memory *memory)
{
	struct scan scan;
	uint64_t id = 0;
	scan_begin(&scan, memory->transaction, TABLE_RECEIPT_AGES, key_empty(), FORWARD);
	bool found = scan_step(&scan);
	if (found) {
		bool readable = table_decode(memory->transaction, scan.value, stored_number_fields,
					     &id, NULL);
		scan_delete(&scan);
		if (!readable)
			id = 0;
	}
	scan_end(&scan);
	if (found && id != 0)
		memory_delete_receipt(memory, id);
	return found;
}

static void put_receipt(const struct memory *memory, uint64_t id, struct stored_receipt *receipt)
{
	struct transaction *transaction = memory->transaction;
	table_write(transaction, TABLE_RECEIPTS, key_of_number(id), stored_receipt_fields, receipt);
	table_write(transaction, TABLE_RECEIPT_AGES, key_of_number(receipt->age),
		    stored_number_fields, &id);
	table_put(transaction, TABLE_USER_RECEIPTS, user_receipt_key(memory->user, id),
		  (struct slice){0});
	/* Evicts a few at a time, even if the configured number has become much smaller. */
	for (int i = 0; i < EVICTED_AT_ONCE; i++) {
		if (table_count(transaction, TABLE_RECEIPT_AGES) <= transaction->store->receipts ||
		    !delete_oldest_receipt(memory))
			return;
	}
}

void memory_put_receipt(const struct memory *memory, const struct receipt *receipt)
{
	struct stored_receipt stored = {.user = memory->user,
					.age = memory_newest_receipt_age(memory) + 1,
					.receipt = *receipt,
					.tells_ids = true};
	put_receipt(memory, receipt->id, &stored);
}

void memory_put_receipt_again(const struct memory *memory, uint64_t id,
			      struct stored_receipt *receipt)
{
	struct slice value;
	if (table_get(memory->transaction, TABLE_RECEIPT_AGES, key_of_number(receipt->age), &value))
		receipt->age = memory_newest_receipt_age(memory) + 1;
	put_receipt(memory, id, receipt);
}

bool memory_delete_some_receipts(const struct memory *memory, size_t *steps)
{
	struct scan scan;
	bool found;
	scan_begin(&scan, memory->transaction, TABLE_USER_RECEIPTS, memory_key(memory), FORWARD);
	for (; (found = scan_step(&scan)) && *steps > 0; --*steps) {
		uint64_t id = key_read_u64(scan.at, KEY_ID_AT);
		scan_delete(&scan);
		memory_delete_receipt(memory, id);
	}
	scan_end(&scan);
	return !found;
}

static struct slice silenced(struct slice text, const struct leaving *leaving, struct arena *arena)
{
	for (size_t i = 0; i < leaving->fact_count; i++)
		text = receipt_without(text, "fact", leaving->facts[i], arena);
	for (size_t i = 0; i < leaving->turn_count; i++)
		text = receipt_without(text, "turn", leaving->turns[i], arena);
	return text;
}

void memory_silence_receipt(const struct memory *memory, uint64_t id,
			    struct stored_receipt *receipt, const struct leaving *leaving,
			    struct arena *arena)
{
	const struct slice text = silenced(receipt->receipt.text, leaving, arena);
	if (text.data == receipt->receipt.text.data)
		return;
	receipt->receipt.text = text;
	memory_write(memory, TABLE_RECEIPTS, key_of_number(id), stored_receipt_fields, receipt);
}
