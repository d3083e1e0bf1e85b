#include "storage/user/memory.h"

enum {
	REPLAYS_LIMIT = 4096, /* the most that one read returns per conversation */
};

static void reverse(struct replay *replays, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct replay replay = replays[i];
		replays[i] = replays[count - 1 - i];
		replays[count - 1 - i] = replay;
	}
}

struct replay *replays_read(const struct memory *memory, uint32_t conversation, size_t *count)
{
	struct replay *list = NULL;
	struct replay replay;
	struct scan scan;
	size_t capacity = 0;
	size_t text = 0;
	*count = 0;
	scan_begin(&scan, memory->transaction, TABLE_REPLAYS,
		   memory_conversation_key(memory, conversation), BACKWARD);
	while (*count < REPLAYS_LIMIT &&
	       scan_read(&scan, stored_replay_fields, &replay, sizeof(replay), memory->arena)) {
		text += replay.text.size + replay.receipt_items.size;
		if (text > MEMORY_TEXT_LIMIT)
			break;
		replay.ordinal = key_read_u32(scan.at, KEY_ORDINAL_AT);
		list = arena_grow(memory->arena, list, *count, &capacity, sizeof(replay));
		list[(*count)++] = replay;
	}
	scan_end(&scan);
	reverse(list, *count);
	return list;
}

/* Makes room for a replay; returns the number after the others at its ordinal. */
static uint64_t make_way(const struct memory *memory, struct key prefix, uint64_t user_hash)
{
	struct scan scan;
	uint64_t number = 0;
	scan_begin(&scan, memory->transaction, TABLE_REPLAYS, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct replay replay = {0};
		number = key_read_u64(scan.at, KEY_REPLAY_AT) + 1;
		if (!table_decode(memory->transaction, scan.value, stored_replay_fields, &replay,
				  memory->arena) ||
		    replay.user_hash == user_hash)
			scan_delete(&scan);
	}
	scan_end(&scan);
	return number;
}

void replays_put(const struct memory *memory, uint32_t conversation, const struct replay *replay)
{
	struct replay put = *replay;
	struct key prefix = key_u32(memory_conversation_key(memory, conversation), replay->ordinal);
	uint64_t number = make_way(memory, prefix, replay->user_hash);
	memory_write(memory, TABLE_REPLAYS, key_u64(prefix, number), stored_replay_fields, &put);
}

void replays_delete(const struct memory *memory, uint32_t conversation)
{
	(void)table_delete_all(memory->transaction, TABLE_REPLAYS,
			       memory_conversation_key(memory, conversation));
}
