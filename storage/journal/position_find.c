#include "storage/journal/position.h"

enum {
	ORDINAL_OFFSET = 20, /* of an exchange's ordinal in its key */
	MOST_WORDINGS = 16,  /* said at one place, are compared with what is said now */
};

uint64_t placing_find_exchange(const struct placing *placing, uint32_t ordinal, uint64_t user_hash,
			       enum turn_state state)
{
	const struct memory *memory = placing->memory;
	struct key prefix = key_of_user(memory->user);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t found = 0;
	if (placing->place->conversation_id == 0 || user_hash == 0)
		return 0;
	prefix = key_u32(key_u32(prefix, placing->place->conversation_id), ordinal);
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, BACKWARD);
	while (found == 0 && scan_next(&scan, &key, &value)) {
		struct stored_exchange exchange = {0};
		struct stored_turn turn;
		uint64_t id = key_read_u64(key, EXCHANGE_OFFSET);
		if (table_decode(memory->transaction, value, stored_exchange_fields, &exchange,
				 NULL) &&
		    exchange.user_hash == user_hash && exchange_turn(memory, id, &turn) &&
		    turn.turn.state == state)
			found = id;
	}
	scan_end(&scan);
	return found;
}

uint64_t placing_find_any(const struct placing *placing, uint32_t ordinal, uint64_t user_hash)
{
	static const enum turn_state states[] = {TURN_CURRENT, TURN_SUPERSEDED, TURN_HIDDEN};
	uint64_t found = 0;
	for (size_t i = 0; found == 0 && i < sizeof(states) / sizeof(states[0]); i++)
		found = placing_find_exchange(placing, ordinal, user_hash, states[i]);
	return found;
}

uint64_t placing_find_turn(const struct placing *placing, uint32_t ordinal,
			   bool (*matches)(struct slice stored, struct slice newest))
{
	const struct memory *memory = placing->memory;
	struct key prefix = key_of_user(memory->user);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t found = 0;
	unsigned looked_at = 0;
	prefix = key_u32(key_u32(prefix, placing->place->conversation_id), ordinal);
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, BACKWARD);
	while (found == 0 && looked_at++ < MOST_WORDINGS && scan_next(&scan, &key, &value)) {
		struct stored_turn turn = {0};
		uint64_t id = key_read_u64(key, EXCHANGE_OFFSET);
		if (id != 0 && memory_turn(memory, id, &turn) && turn.turn.state == TURN_CURRENT &&
		    matches(turn.turn.text, placing->load->newest_text))
			found = id;
	}
	scan_end(&scan);
	return found;
}

uint32_t placing_first_standing(const struct placing *placing)
{
	const struct memory *memory = placing->memory;
	struct key prefix = key_u32(key_of_user(memory->user), placing->place->conversation_id);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint32_t ordinal = UINT32_MAX;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (ordinal == UINT32_MAX && scan_next(&scan, &key, &value)) {
		struct stored_turn turn;
		uint64_t id = key_read_u64(key, EXCHANGE_OFFSET);
		if (exchange_turn(memory, id, &turn) && turn.turn.state == TURN_CURRENT &&
		    !id_list_has(&placing->place->branch.taken, id))
			ordinal = turn.turn.ordinal;
	}
	scan_end(&scan);
	return ordinal;
}

bool placing_find_only_place(const struct placing *placing, uint64_t user_hash, uint32_t *ordinal)
{
	const struct memory *memory = placing->memory;
	struct key prefix = key_u32(key_of_user(memory->user), placing->place->conversation_id);
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t found = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (user_hash != 0 && found < 2 && scan_next(&scan, &key, &value)) {
		struct stored_exchange exchange = {0};
		uint32_t at = key_read_u32(key, ORDINAL_OFFSET);
		if (!table_decode(memory->transaction, value, stored_exchange_fields, &exchange,
				  NULL) ||
		    exchange.user_hash != user_hash || (found > 0 && at == *ordinal))
			continue;
		*ordinal = at;
		found++;
	}
	scan_end(&scan);
	return found == 1;
}
