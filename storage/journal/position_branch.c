#include "storage/journal/position.h"

/* Whether the history is found where its answers are counted to be. Behind the last answer that
 * memory knows there may be others; not when one of their user turns stands elsewhere, as in a
 * history whose middle was left out. */
static bool is_anchored(const struct placing *placing)
{
	const struct load *load = placing->load;
	const struct place *place = placing->place;
	if (placing->is_anchored || placing->match.answers == 0)
		return placing->is_anchored;
	uint32_t ordinal = place->next_ordinal;
	for (size_t i = load->fingerprint_count; i > placing->match.last_mark + 1 && ordinal > 0;
	     i--) {
		uint64_t hash = load->fingerprints[i - 1].user_hash;
		uint32_t elsewhere;
		if (load->fingerprints[i - 1].tool_calls)
			continue;
		ordinal--;
		if (placing_find_any(placing, ordinal, hash) == 0 &&
		    placing_find_only_place(placing, hash, &elsewhere))
			return false;
	}
	return true;
}

bool placing_is_certain(const struct placing *placing)
{
	const struct place *place = placing->place;
	if (placing->load->session.size == 0 || place->conversation_id == 0 ||
	    placing->load->newest_text.size == 0)
		return false;
	if (placing->answers_sent > 0)
		return is_anchored(placing);
	return place->conversation.carries_history && placing->is_first;
}

static bool is_unwrapped(struct slice stored, struct slice newest)
{
	return conversation_is_wrapped(stored, newest);
}

static bool is_wrapped(struct slice stored, struct slice newest)
{
	return conversation_is_wrapped(newest, stored);
}

void placing_find_same_exchange(struct placing *placing)
{
	struct place *place = placing->place;
	uint64_t hash = placing->load->newest_hash;
	struct stored_turn turn;
	struct stored_exchange exchange;
	uint64_t same = placing_find_exchange(placing, place->next_ordinal, hash, TURN_CURRENT);
	if (same == 0 && placing->certain)
		same = placing_find_turn(placing, place->next_ordinal, is_unwrapped);
	if (same == 0 && placing->certain)
		same = placing_find_exchange(placing, place->next_ordinal, hash, TURN_SUPERSEDED);
	if (same == 0 || !exchange_turn(placing->memory, same, &turn) ||
	    !memory_exchange(placing->memory, &turn.turn, &exchange))
		return;
	place->same_exchange = same;
	place->same_learned = exchange.queued;
}

static void keep(const struct placing *placing, uint64_t exchange)
{
	if (exchange != 0)
		id_list_add(&placing->place->branch.kept, placing->memory->arena, exchange);
}

/* The stored exchange that a mark at its place is: of the same user turn, or of the same answer to
 * another shape of it. */
static uint64_t find_carried(const struct placing *placing, uint32_t ordinal,
			     const struct answer_fingerprint *mark)
{
	const struct memory *memory = placing->memory;
	struct stored_answer answer = {0};
	uint64_t found = placing_find_any(placing, ordinal, mark->user_hash);
	if (found == 0 && table_read(memory->transaction, TABLE_ANSWERS,
				     memory_answer_key(memory, mark->hash,
						       placing->place->conversation_id, ordinal),
				     stored_answer_fields, &answer, memory->arena))
		found = placing_find_any(placing, ordinal, answer.user_hash);
	return found;
}

/* The answer that the history carries comes back with its exchange. */
static void keep_answer(const struct placing *placing, uint64_t exchange_id, uint64_t hash)
{
	const struct memory *memory = placing->memory;
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!exchange_turn(memory, exchange_id, &turn) ||
	    !memory_exchange(memory, &turn.turn, &exchange))
		return;
	uint64_t answer = branch_answer(memory, exchange.answer, hash);
	if (answer != 0 && answer != exchange.answer)
		id_list_add(&placing->place->branch.carried, memory->arena, answer);
}

/* Keeps the exchanges that the request's history carries. Gives from where on it tells for certain
 * what the conversation holds. */
static uint32_t keep_carried(const struct placing *placing)
{
	const struct load *load = placing->load;
	uint32_t ordinal = placing->place->next_ordinal;
	size_t count = 0;
	struct carried_exchange *carried =
		arena_alloc(placing->memory->arena, load->fingerprint_count * sizeof(*carried));
	for (size_t i = load->fingerprint_count; i > 0 && ordinal > 0; i--) {
		const struct answer_fingerprint *mark = &load->fingerprints[i - 1];
		if (mark->tool_calls)
			continue;
		uint64_t exchange = find_carried(placing, --ordinal, mark);
		keep(placing, exchange);
		if (exchange != 0)
			keep_answer(placing, exchange, mark->hash);
		carried[load->fingerprint_count - ++count] =
			(struct carried_exchange){ordinal, exchange};
	}
	return conversation_certain_from(carried + load->fingerprint_count - count, count,
					 placing->place->next_ordinal);
}

/* A client that resends its history edited the first turn before there was any: all that it sends
 * then is the one answer that it kept. */
static bool was_first_edited(const struct placing *placing)
{
	enum { FIRST_EDITS = 4 };
	const struct place *place = placing->place;
	return !place->conversation.carries_history && placing->answers_sent == 1 &&
	       placing->match.answers == 1 && place->next_ordinal == place->conversation.answers &&
	       place->carried_from > 0 && place->carried_from <= FIRST_EDITS;
}

/* Most requests carry what stands, as it stands: there is nothing to look for. */
static bool may_differ(const struct placing *placing)
{
	return placing->place->conversation.branched ||
	       placing->match.answers < placing->answers_sent;
}

void placing_find_branch(struct placing *placing)
{
	struct place *place = placing->place;
	if (!placing->certain)
		return;
	place->branch_from = place->next_ordinal;
	if (may_differ(placing))
		place->branch_from = keep_carried(placing);
	if (was_first_edited(placing)) {
		(void)keep_carried(placing);
		place->branch_from = 0;
	}
	keep(placing, place->same_exchange);
	keep(placing, placing_find_turn(placing, place->next_ordinal, is_wrapped));
	place->branches = branch_find(&place->branch, placing->memory, place->conversation_id,
				      place->branch_from);
}
