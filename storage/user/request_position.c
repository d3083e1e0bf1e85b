#include "storage/user/request_position.h"

enum { ORDINAL_OFFSET = 20 }; /* offset of an exchange's ordinal in its key */

/* A request whose place is being determined. */
struct placing {
	const struct memory *memory;
	const struct load *load;
	const struct chain_link *link; /* NULL: none */
	struct place *place;
	struct user_turn_places places; /* read on demand */
	struct past_exchanges there;    /* at its place, and where its history may differ */
};

/* ---- what the conversation holds ---- */

/* The first ordinal at which something stands and is not taken back; UINT32_MAX: none. */
static uint32_t first_standing(const struct placing *placing)
{
	const struct memory *memory = placing->memory;
	const struct place *place = placing->place;
	struct key prefix = key_u32(key_of_user(memory->user), place->conversation_id);
	struct scan scan;
	uint32_t ordinal = UINT32_MAX;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (ordinal == UINT32_MAX && scan_step(&scan)) {
		struct stored_turn turn;
		uint64_t id = key_read_u64(scan.at, EXCHANGE_OFFSET);
		if (exchange_turn(memory, id, &turn) && turn.turn.state == TURN_CURRENT &&
		    !id_list_has(&place->branch.taken, id))
			ordinal = turn.turn.ordinal;
	}
	scan_end(&scan);
	return ordinal;
}

static size_t count_exchanges(const struct memory *memory, struct key prefix)
{
	struct scan scan;
	size_t count = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (scan_step(&scan))
		count++;
	scan_end(&scan);
	return count;
}

static void read_places(struct placing *placing)
{
	const struct memory *memory = placing->memory;
	struct key prefix = key_u32(key_of_user(memory->user), placing->place->conversation_id);
	struct scan scan;
	size_t capacity = count_exchanges(memory, prefix);
	struct user_turn_place *places = arena_alloc(memory->arena, capacity * sizeof(*places));
	size_t count = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (count < capacity && scan_step(&scan)) {
		struct stored_exchange exchange = {0};
		if (table_decode(memory->transaction, scan.value, stored_exchange_fields, &exchange,
				 NULL))
			places[count++] = (struct user_turn_place){
				exchange.user_hash, key_read_u32(scan.at, ORDINAL_OFFSET)};
	}
	scan_end(&scan);
	placing->places = (struct user_turn_places){places, count};
}

static struct past_exchanges read_exchanges(const struct placing *placing, uint32_t first,
					    uint32_t last)
{
	return exchanges_read(placing->memory, placing->place->conversation_id, first, last);
}

/* ---- where in it ---- */

static bool try_first(const struct placing *placing, uint32_t ordinal)
{
	struct place *place = placing->place;
	return position_try_first(&place->position, placing->load, &place->conversation, ordinal,
				  read_exchanges(placing, ordinal, ordinal));
}

static void place_first_turn(const struct placing *placing)
{
	uint32_t first = first_standing(placing);
	if ((first == UINT32_MAX || !try_first(placing, first)) && first != 0)
		(void)try_first(placing, 0);
}

static void place_request(struct placing *placing)
{
	struct place *place = placing->place;
	const struct load *load = placing->load;
	if (place->conversation_id != 0 && position_needs_places(load, &place->match))
		read_places(placing);
	position_count(&place->position, load, &place->conversation, &place->match,
		       placing->places);
	if (placing->link != NULL)
		position_follow(&place->position, place->conversation_id, placing->link);
	if (place->conversation_id != 0 &&
	    position_may_be_first(&place->position, load, &place->conversation, &place->match))
		place_first_turn(placing);
}

static bool is_certain(struct placing *placing)
{
	struct place *place = placing->place;
	const struct load *load = placing->load;
	if (position_may_be_certain(load) && position_has_unmatched(load, &place->match))
		read_places(placing);
	return position_is_certain(&place->position, load, &place->conversation, &place->match,
				   placing->places);
}

static void find_same_exchange(const struct placing *placing, bool certain)
{
	struct place *place = placing->place;
	const struct past_exchange *same =
		position_same_exchange(&place->position, placing->load, certain, placing->there);
	if (same == NULL)
		return;
	place->same_exchange = same->id;
	place->same_learned = same->queued;
}

/* ---- what it takes back ---- */

static void keep(const struct placing *placing, uint64_t exchange)
{
	if (exchange != 0)
		id_list_add(&placing->place->branch.kept, placing->memory->arena, exchange);
}

/* The stored exchange that matches a fingerprint at its place: the same user turn, or the same
 * answer to a variant of it. */
static const struct past_exchange *find_carried(const struct placing *placing, uint32_t ordinal,
						const struct answer_fingerprint *fingerprint)
{
	const struct memory *memory = placing->memory;
	struct stored_answer answer = {0};
	const struct past_exchange *found =
		exchanges_find_any(placing->there, ordinal, fingerprint->user_hash);
	if (found == NULL && table_read(memory->transaction, TABLE_ANSWERS,
					memory_answer_key(memory, fingerprint->hash,
							  placing->place->conversation_id, ordinal),
					stored_answer_fields, &answer, memory->arena))
		found = exchanges_find_any(placing->there, ordinal, answer.user_hash);
	return found;
}

/* Brings back the exchange and the answer to it that the history carries. */
static void keep_carried_exchange(const struct placing *placing,
				  const struct past_exchange *exchange, uint64_t answer_hash)
{
	const struct memory *memory = placing->memory;
	uint64_t answer = branch_answer(memory, exchange->answer, answer_hash);
	keep(placing, exchange->id);
	if (answer != 0 && answer != exchange->answer)
		id_list_add(&placing->place->branch.carried, memory->arena, answer);
}

/* Keeps the exchanges that the request's history carries. Returns the ordinal from which the
 * history shows for certain what the conversation holds. */
static uint32_t keep_carried(const struct placing *placing)
{
	const struct load *load = placing->load;
	uint32_t ordinal = placing->place->position.next_ordinal;
	size_t count = 0;
	struct carried_exchange *carried =
		arena_alloc(placing->memory->arena, load->fingerprint_count * sizeof(*carried));
	for (size_t i = load->fingerprint_count; i > 0 && ordinal > 0; i--) {
		const struct answer_fingerprint *fingerprint = &load->fingerprints[i - 1];
		if (fingerprint->tool_calls)
			continue;
		const struct past_exchange *found = find_carried(placing, --ordinal, fingerprint);
		if (found != NULL)
			keep_carried_exchange(placing, found, fingerprint->hash);
		carried[load->fingerprint_count - ++count] =
			(struct carried_exchange){ordinal, found == NULL ? 0 : found->id};
	}
	return conversation_certain_from(carried + load->fingerprint_count - count, count,
					 placing->place->position.next_ordinal);
}

static void find_branch(const struct placing *placing, bool may_differ, bool was_first_edited)
{
	struct place *place = placing->place;
	const uint32_t ordinal = place->position.next_ordinal;
	place->branch_from = ordinal;
	if (may_differ)
		place->branch_from = keep_carried(placing);
	if (was_first_edited) {
		(void)keep_carried(placing);
		place->branch_from = 0;
	}
	const struct past_exchange *wrapped =
		exchanges_find_wrapped(placing->there, ordinal, placing->load->newest_text);
	keep(placing, place->same_exchange);
	keep(placing, wrapped == NULL ? 0 : wrapped->id);
	place->branches = branch_find(&place->branch, placing->memory, place->conversation_id,
				      place->branch_from);
}

static void find_what_changes(struct placing *placing)
{
	struct place *place = placing->place;
	const struct request_position *position = &place->position;
	const bool certain = !placing->load->is_compacted && is_certain(placing);
	const bool may_differ =
		certain && position_may_differ(position, &place->conversation, &place->match);
	const bool was_first_edited =
		certain && position_was_first_edited(position, &place->conversation, &place->match);
	placing->there = read_exchanges(placing,
					may_differ || was_first_edited
						? position_oldest_carried(position, placing->load)
						: position->next_ordinal,
					position->next_ordinal);
	find_same_exchange(placing, certain);
	if (certain)
		find_branch(placing, may_differ, was_first_edited);
	place->leaves_out =
		position->carried_from > 0 && first_standing(placing) < position->carried_from;
}

void place_find(struct place *place, const struct memory *memory, const struct load *load,
		const struct chain_link *link)
{
	struct placing placing = {.memory = memory, .load = load, .link = link, .place = place};
	*place = (struct place){0};
	place_find_conversation(place, memory, load, link);
	place_request(&placing);
	if (place->conversation_id != 0)
		find_what_changes(&placing);
}
