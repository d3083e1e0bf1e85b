#include "storage/user/memory.h"

/* Its text lies in the map. */
static bool read_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn)
{
	struct key key = memory_id_key(memory, id);
	struct slice value;
	*turn = (struct stored_turn){.turn.id = id};
	return id != 0 && table_get(memory->transaction, TABLE_TURNS, key, &value) &&
	       table_decode(memory->transaction, value, stored_turn_fields, turn, NULL) &&
	       turn->turn.role == ROLE_USER;
}

bool exchange_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn)
{
	bool found = read_turn(memory, id, turn);
	turn->turn.text = (struct slice){0};
	return found;
}

static struct past_exchange make_exchange(const struct turn *turn,
					  const struct stored_exchange *stored)
{
	return (struct past_exchange){
		.id = turn->id,
		.conversation = turn->conversation,
		.ordinal = turn->ordinal,
		.state = turn->state,
		.user_hash = stored->user_hash,
		.answer = stored->answer,
		.queued = stored->queued,
		.created_at = turn->created_at,
		.taken_back_at = stored->taken_back_at,
		.text = turn->text,
	};
}

bool exchange_read(const struct memory *memory, uint64_t id, struct past_exchange *exchange)
{
	struct stored_turn turn;
	struct stored_exchange stored;
	if (!exchange_turn(memory, id, &turn) || !memory_exchange(memory, &turn.turn, &stored))
		return false;
	*exchange = make_exchange(&turn.turn, &stored);
	return true;
}

struct past_exchanges exchanges_read(const struct memory *memory, uint32_t conversation,
				     uint32_t first, uint32_t last)
{
	struct key prefix = memory_conversation_key(memory, conversation);
	struct past_exchange *list = NULL;
	struct stored_exchange stored;
	struct scan scan;
	size_t count = 0;
	size_t capacity = 0;
	scan_begin_at(&scan, memory->transaction, TABLE_EXCHANGES, prefix, key_u32(prefix, first),
		      FORWARD);
	while (scan_read(&scan, stored_exchange_fields, &stored, sizeof(stored), NULL) &&
	       key_read_u32(scan.at, KEY_ORDINAL_AT) <= last) {
		struct stored_turn turn;
		if (!read_turn(memory, key_read_u64(scan.at, KEY_EXCHANGE_AT), &turn))
			continue;
		list = arena_grow(memory->arena, list, count, &capacity, sizeof(*list));
		list[count++] = make_exchange(&turn.turn, &stored);
	}
	scan_end(&scan);
	return (struct past_exchanges){list, count};
}
