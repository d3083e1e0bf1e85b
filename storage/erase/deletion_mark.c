#include "storage/erase/deletion_mark.h"

void unfinished_deletion_fields(struct record *record, void *noun)
{
	struct unfinished_deletion *unfinished = noun;
	unfinished->now = record_time(record, unfinished->now);
	unfinished->conversation = record_number(record, unfinished->conversation, UINT32_MAX);
	uint64_t count = record_number(record, unfinished->turns.count, UINT64_MAX);
	uint64_t id = 0;
	for (uint64_t i = 0; i < count && !record->failed; i++) {
		uint64_t step = record->out != NULL ? unfinished->turns.ids[i] - id : 0;
		id += record_number(record, step, UINT64_MAX);
		if (record->out == NULL && !record->failed)
			id_list_add(&unfinished->turns, unfinished->arena, id);
	}
}

struct key deletion_mark_prefix(void)
{
	return key_of_name("deleting");
}

void deletion_mark_put(const struct memory *memory, struct unfinished_deletion *unfinished)
{
	table_write(memory->transaction, TABLE_META, key_user(deletion_mark_prefix(), memory->user),
		    unfinished_deletion_fields, unfinished);
}

void deletion_mark_remove(const struct memory *memory)
{
	(void)table_delete(memory->transaction, TABLE_META,
			   key_user(deletion_mark_prefix(), memory->user));
}
