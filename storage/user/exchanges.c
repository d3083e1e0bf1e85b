#include "storage/user/memory.h"

enum { ORDINAL_OFFSET = 20 }; /* in a key of TABLE_EXCHANGES */

/* Its text lies in the map. */
static bool read_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn)
{
	struct key key = key_u64(key_of_user(memory->user), id);
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

struct exchange_list {
	struct past_exchange *exchanges;
	size_t count;
	size_t capacity;
};

static void add(struct exchange_list *list, struct arena *arena,
		const struct past_exchange *exchange)
{
	list->exchanges = arena_grow(arena, list->exchanges, list->count, &list->capacity,
				     sizeof(*list->exchanges));
	list->exchanges[list->count++] = *exchange;
}

struct past_exchanges exchanges_read(const struct memory *memory, uint32_t conversation,
				     uint32_t first, uint32_t last)
{
	struct key prefix = key_u32(key_of_user(memory->user), conversation);
	struct exchange_list list = {0};
	struct scan scan;
	scan_begin_at(&scan, memory->transaction, TABLE_EXCHANGES, prefix, key_u32(prefix, first),
		      FORWARD);
	while (scan_step(&scan) && key_read_u32(scan.at, ORDINAL_OFFSET) <= last) {
		struct stored_exchange stored = {0};
		struct stored_turn turn;
		if (!table_decode(memory->transaction, scan.value, stored_exchange_fields, &stored,
				  NULL) ||
		    !read_turn(memory, key_read_u64(scan.at, EXCHANGE_OFFSET), &turn))
			continue;
		const struct past_exchange exchange = make_exchange(&turn.turn, &stored);
		add(&list, memory->arena, &exchange);
	}
	scan_end(&scan);
	return (struct past_exchanges){list.exchanges, list.count};
}
