#include "storage/user/request_position.h"

enum { ORDINAL_OFFSET = 20 }; /* offset of an exchange's ordinal in its key */

static struct key exchanges_prefix(const struct request_position *at, const struct memory *memory)
{
	return key_u32(key_of_user(memory->user), at->known.conversation_id);
}

/* The first ordinal at which something stands and is not taken back; UINT32_MAX: none. */
static uint32_t first_standing(const struct request_position *at, const struct memory *memory)
{
	struct scan scan;
	uint32_t ordinal = UINT32_MAX;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, exchanges_prefix(at, memory),
		   FORWARD);
	while (ordinal == UINT32_MAX && scan_step(&scan)) {
		struct stored_turn turn;
		uint64_t id = key_read_u64(scan.at, KEY_EXCHANGE_AT);
		if (exchange_turn(memory, id, &turn) && turn.turn.state == TURN_CURRENT &&
		    !id_list_has(&at->branch.taken, id))
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

static struct past_exchanges read_asked(const struct memory *memory, struct key prefix)
{
	struct scan scan;
	size_t capacity = count_exchanges(memory, prefix);
	struct past_exchange *turns = arena_alloc(memory->arena, capacity * sizeof(*turns));
	size_t count = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (count < capacity && scan_step(&scan)) {
		struct stored_exchange exchange = {0};
		if (table_decode(memory->transaction, scan.value, stored_exchange_fields, &exchange,
				 NULL))
			turns[count++] = (struct past_exchange){
				.user_hash = exchange.user_hash,
				.ordinal = key_read_u32(scan.at, ORDINAL_OFFSET)};
	}
	scan_end(&scan);
	return (struct past_exchanges){turns, count};
}

static struct past_exchanges read_exchanges(const struct request_position *at,
					    const struct memory *memory, uint32_t first,
					    uint32_t last)
{
	return exchanges_read(memory, at->known.conversation_id, first, last);
}

static void read_known(struct request_position *at, const struct memory *memory)
{
	struct position_known *known = &at->known;
	request_position_read_conversation(known, memory);
	const unsigned reads = position_reads(known);
	if ((reads & POSITION_READS_ASKED) != 0)
		known->asked = read_asked(memory, exchanges_prefix(at, memory));
	if ((reads & POSITION_READS_FIRST) != 0) {
		known->first = first_standing(at, memory);
		if (known->first != UINT32_MAX)
			known->at_first = read_exchanges(at, memory, known->first, known->first);
		known->at_begin = read_exchanges(at, memory, 0, 0);
	}
}

/* ---- what it takes back ---- */

/* A request's branch, while it is searched for. */
struct branching {
	struct request_position *at;
	const struct memory *memory;
	struct past_exchanges there; /* at its position, and where its history may differ */
};

static void keep(const struct branching *branching, uint64_t exchange)
{
	if (exchange != 0)
		id_list_add(&branching->at->branch.kept, branching->memory->arena, exchange);
}

/* The stored exchange that matches a fingerprint at its ordinal: the same user turn, or the same
 * answer to a variant of it. */
static const struct past_exchange *find_carried(const struct branching *branching, uint32_t ordinal,
						const struct answer_fingerprint *fingerprint)
{
	const struct memory *memory = branching->memory;
	struct stored_answer answer = {0};
	const struct past_exchange *found =
		exchanges_find_any(branching->there, ordinal, fingerprint->user_hash);
	if (found == NULL &&
	    table_read(memory->transaction, TABLE_ANSWERS,
		       memory_answer_key(memory, fingerprint->hash,
					 branching->at->known.conversation_id, ordinal),
		       stored_answer_fields, &answer, memory->arena))
		found = exchanges_find_any(branching->there, ordinal, answer.user_hash);
	return found;
}

/* Brings back the exchange and the answer to it that the history carries. */
static void keep_carried_exchange(const struct branching *branching,
				  const struct past_exchange *exchange, uint64_t answer_hash)
{
	const struct memory *memory = branching->memory;
	uint64_t answer = branch_answer(memory, exchange->answer, answer_hash);
	keep(branching, exchange->id);
	if (answer != 0 && answer != exchange->answer)
		id_list_add(&branching->at->branch.carried, memory->arena, answer);
}

/* Keeps the exchanges that the request's history carries. Returns the ordinal from which the
 * history shows for certain what the conversation holds. */
static uint32_t keep_carried(const struct branching *branching)
{
	const struct load *load = branching->at->known.load;
	uint32_t ordinal = branching->at->found.next_ordinal;
	size_t count = 0;
	struct past_exchange *carried =
		arena_alloc(branching->memory->arena, load->fingerprint_count * sizeof(*carried));
	for (size_t i = load->fingerprint_count; i > 0 && ordinal > 0; i--) {
		const struct answer_fingerprint *fingerprint = &load->fingerprints[i - 1];
		if (fingerprint->tool_calls)
			continue;
		const struct past_exchange *found = find_carried(branching, --ordinal, fingerprint);
		if (found != NULL)
			keep_carried_exchange(branching, found, fingerprint->hash);
		carried[load->fingerprint_count - ++count] = (struct past_exchange){
			.id = found == NULL ? 0 : found->id, .ordinal = ordinal};
	}
	return conversation_certain_from(
		(struct past_exchanges){carried + load->fingerprint_count - count, count},
		branching->at->found.next_ordinal);
}

static void find_branch(const struct branching *branching)
{
	struct request_position *at = branching->at;
	const struct position *found = &at->found;
	at->branch_from = found->next_ordinal;
	if (found->may_differ)
		at->branch_from = keep_carried(branching);
	if (found->was_first_edited) {
		(void)keep_carried(branching);
		at->branch_from = 0;
	}
	const struct past_exchange *wrapped = exchanges_find_wrapped(
		branching->there, found->next_ordinal, at->known.load->newest_text);
	keep(branching, at->same_exchange);
	keep(branching, wrapped == NULL ? 0 : wrapped->id);
	at->branches = branch_find(&at->branch, branching->memory, at->known.conversation_id,
				   at->branch_from);
}

static void find_what_changes(struct request_position *at, const struct memory *memory)
{
	const struct position *found = &at->found;
	const struct branching branching = {
		.at = at,
		.memory = memory,
		.there = read_exchanges(at, memory, found->compared_from, found->next_ordinal)};
	const struct past_exchange *same =
		position_same_exchange(found, at->known.load, branching.there);
	at->same_exchange = same == NULL ? 0 : same->id;
	at->same_learned = same != NULL && same->queued;
	if (found->is_certain)
		find_branch(&branching);
	at->leaves_out =
		found->carried_from > 0 && first_standing(at, memory) < found->carried_from;
}

void request_position_read(struct request_position *at, const struct memory *memory,
			   const struct load *load, const struct chain_link *link)
{
	*at = (struct request_position){.known = {.load = load, .link = link}};
	read_known(at, memory);
	at->found = position_find(&at->known);
	if (at->known.conversation_id != 0)
		find_what_changes(at, memory);
}
