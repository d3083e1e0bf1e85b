#include "storage/user/memory.h"

enum {
	REPLAYS_LIMIT = 4096, /* the most that one read returns per conversation */
	ORDINAL_OFFSET = 20,  /* in a key */
	NUMBER_OFFSET = 24,
};

static struct key conversation_key(const struct memory *memory, uint32_t conversation)
{
	return key_u32(key_of_user(memory->user), conversation);
}

struct replay_list {
	struct replay *replays;
	size_t count;
	size_t capacity;
	size_t text;
};

static bool list_add(struct replay_list *list, struct arena *arena, const struct replay *replay)
{
	size_t text = replay->text.size + replay->receipt_items.size;
	if (list->count == REPLAYS_LIMIT || list->text + text > MEMORY_TEXT_LIMIT)
		return false;
	list->replays = arena_grow(arena, list->replays, list->count, &list->capacity,
				   sizeof(*list->replays));
	list->replays[list->count++] = *replay;
	list->text += text;
	return true;
}

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
	struct replay_list list = {0};
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_REPLAYS,
		   conversation_key(memory, conversation), BACKWARD);
	while (scan_step(&scan)) {
		struct replay replay = {.ordinal = key_read_u32(scan.at, ORDINAL_OFFSET)};
		if (!table_decode(memory->transaction, scan.value, stored_replay_fields, &replay,
				  memory->arena))
			continue;
		if (!list_add(&list, memory->arena, &replay))
			break;
	}
	scan_end(&scan);
	reverse(list.replays, list.count);
	*count = list.count;
	return list.replays;
}

/* Makes room for a replay; returns the number after the others at its ordinal. */
static uint64_t make_way(const struct memory *memory, struct key prefix, uint64_t user_hash)
{
	struct scan scan;
	uint64_t number = 0;
	scan_begin(&scan, memory->transaction, TABLE_REPLAYS, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct replay replay = {0};
		number = key_read_u64(scan.at, NUMBER_OFFSET) + 1;
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
	struct key prefix = key_u32(conversation_key(memory, conversation), replay->ordinal);
	uint64_t number = make_way(memory, prefix, replay->user_hash);
	table_write(memory->transaction, TABLE_REPLAYS, key_u64(prefix, number),
		    stored_replay_fields, &put);
}

void replays_delete(const struct memory *memory, uint32_t conversation)
{
	(void)table_delete_all(memory->transaction, TABLE_REPLAYS,
			       conversation_key(memory, conversation));
}
