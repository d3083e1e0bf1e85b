#include "storage/journal/made.h"

#include <string.h>

enum { RECEIPT_OFFSET = 16 }; /* of its id in a key, after the user */

static bool read_receipt(const struct memory *memory, uint64_t receipt, struct arena *arena,
			 struct stored_receipt *stored)
{
	*stored = (struct stored_receipt){0};
	return table_read(memory->transaction, TABLE_RECEIPTS, key_of_number(receipt),
			  stored_receipt_fields, stored, arena);
}

/* Receipts of other users, which the writer meets, are not copied. */
bool receipt_is_made_of(const struct memory *memory, const struct leaving *leaving,
			uint64_t receipt)
{
	struct stored_receipt stored;
	if (!read_receipt(memory, receipt, NULL, &stored) ||
	    memcmp(&stored.user, &memory->user, sizeof(stored.user)) != 0 ||
	    !read_receipt(memory, receipt, memory->arena, &stored))
		return false;
	return !stored.tells_ids || receipt_holds(&stored.receipt, leaving);
}

void receipts_made_of(struct id_list *list, const struct memory *memory,
		      const struct leaving *leaving)
{
	struct arena scratch = {0};
	const struct memory own = {memory->transaction, memory->user, &scratch};
	struct scan scan;
	struct slice key;
	struct slice value;
	memory_scan(memory, &scan, TABLE_USER_RECEIPTS);
	while (scan_next(&scan, &key, &value)) {
		uint64_t receipt = key_read_u64(key, RECEIPT_OFFSET);
		if (receipt_is_made_of(&own, leaving, receipt))
			id_list_add(list, memory->arena, receipt);
		arena_finish(&scratch);
	}
	scan_end(&scan);
}

size_t receipts_delete_since(const struct memory *memory, const struct leaving *leaving,
			     uint64_t after)
{
	struct id_list since = {0};
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin_at(&scan, memory->transaction, TABLE_RECEIPT_AGES, key_empty(),
		      key_of_number(after + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_next(&scan, &key, &value)) {
		uint64_t id = 0;
		if (table_decode(memory->transaction, value, stored_number_fields, &id, NULL) &&
		    receipt_is_made_of(memory, leaving, id))
			id_list_add(&since, memory->arena, id);
	}
	scan_end(&scan);
	for (size_t i = 0; i < since.count; i++)
		memory_delete_receipt(memory, since.ids[i]);
	return since.count;
}
