#include "storage/lmdb_place.h"

#include "core/conversation.h"

enum {
	MARKS_LIMIT = 256, /* the newest of the request's answers are looked for */
	HITS_PER_MARK = 64,
	HITS_LIMIT = 2048, /* matching them takes that times the runs that begin among them */
};

struct placing {
	const struct memory *memory;
	const struct load *load;
	struct place *place;
	struct answer_hit *hits;
	size_t hit_count;
	struct conversation_match match;
	size_t answers_sent; /* tool calls are none */
	bool certain;        /* so that it may take something back */
};

/* ---- which conversation ---- */

/* The stored answers that read like the mark; of `conversation` only, unless it is 0. The newest
 * conversations come first. */
static size_t find_hits(const struct placing *placing, size_t mark_index, uint32_t conversation,
			struct answer_hit *hits, size_t limit)
{
	const struct load *load = placing->load;
	/* Behind the marks comes the open answer. */
	bool is_open = load->open != NULL && mark_index == load->mark_count;
	const struct answer_mark *mark = is_open ? load->open : &load->marks[mark_index];
	struct transaction *transaction = placing->memory->transaction;
	struct key prefix = key_u64(key_of_user(load->user), mark->hash);
	if (conversation != 0)
		prefix = key_u32(prefix, conversation);
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t count = 0;
	scan_begin(&scan, transaction, TABLE_ANSWERS, prefix, BACKWARD);
	while (count < limit && scan_next(&scan, &key, &value)) {
		struct stored_answer answer = {0};
		if (!table_decode(transaction, value, stored_answer_fields, &answer, NULL) ||
		    answer.tool_calls != mark->tool_calls ||
		    (is_open && mark->user_hash != answer.user_hash))
			continue;
		hits[count++] = (struct answer_hit){
			.mark = mark_index,
			.conversation = key_read_u32(key, 24),
			.ordinal = key_read_u32(key, 28),
			.unfinished = answer.tool_calls || is_open,
			.user_matches = mark->user_hash != 0 && mark->user_hash == answer.user_hash,
		};
	}
	scan_end(&scan);
	return count;
}

static void reverse(struct answer_hit *hits, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct answer_hit hit = hits[i];
		hits[i] = hits[count - 1 - i];
		hits[count - 1 - i] = hit;
	}
}

static void match_conversation(struct placing *placing, uint32_t conversation)
{
	size_t marks = placing->load->mark_count + (placing->load->open != NULL);
	if (marks == 0)
		return;
	size_t oldest = marks > MARKS_LIMIT ? marks - MARKS_LIMIT : 0;
	size_t capacity = (marks - oldest) * HITS_PER_MARK;
	if (capacity > HITS_LIMIT)
		capacity = HITS_LIMIT;
	placing->hits = arena_alloc(placing->memory->arena, capacity * sizeof(*placing->hits));
	size_t count = 0;
	for (size_t i = marks; i > oldest && count < capacity; i--) {
		size_t limit = capacity - count;
		if (limit > HITS_PER_MARK)
			limit = HITS_PER_MARK;
		count += find_hits(placing, i - 1, conversation, placing->hits + count, limit);
	}
	reverse(placing->hits, count);
	placing->hit_count = count;
	placing->match = conversation_match(placing->hits, count);
}

static void find_conversation(struct placing *placing)
{
	struct place *place = placing->place;
	if (placing->load->session.size > 0) {
		place->conversation_id = memory_session(placing->memory, placing->load->session);
		if (place->conversation_id != 0)
			match_conversation(placing, place->conversation_id);
	} else {
		match_conversation(placing, 0);
		place->conversation_id = placing->match.conversation;
	}
	if (place->conversation_id != 0 &&
	    memory_conversation(placing->memory, place->conversation_id, &place->conversation))
		return;
	place->conversation_id = 0;
	place->conversation = (struct stored_conversation){0};
	placing->match = (struct conversation_match){0};
}

/* ---- where in it ---- */

/* Answers of the request's history from the mark `first` on. */
static size_t count_answers(const struct load *load, size_t first)
{
	size_t count = 0;
	for (size_t i = first; i < load->mark_count; i++)
		count += !load->marks[i].tool_calls;
	return count;
}

static uint32_t as_ordinal(uint64_t number)
{
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX - 1;
}

/* The exchange at an ordinal whose user turn reads so: the newest in this state. 0: none. */
static uint64_t find_exchange(const struct placing *placing, uint32_t ordinal, uint64_t user_hash,
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
		    exchange.user_hash == user_hash && branch_turn(memory, id, &turn) &&
		    turn.turn.state == state)
			found = id;
	}
	scan_end(&scan);
	return found;
}

/* So many of what was said at one place are compared with what is said now. */
enum { MOST_WORDINGS = 16 };

/* The current user turn at an ordinal for which `matches`; 0: none. */
static uint64_t find_turn(const struct placing *placing, uint32_t ordinal,
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

/* A request without any answer: does it ask the conversation's first turn again, or reword it? */
static void place_first_turn(struct placing *placing)
{
	struct place *place = placing->place;
	bool carries_history = place->conversation.carries_history;
	uint64_t hash = placing->load->newest_hash;
	if (!carries_history && place->conversation.answers != 1)
		return;
	if (find_exchange(placing, 0, hash, TURN_CURRENT) == 0 &&
	    (!carries_history || (find_exchange(placing, 0, hash, TURN_SUPERSEDED) == 0 &&
				  find_turn(placing, 0, conversation_is_edit) == 0)))
		return;
	place->next_ordinal = 0;
	place->carried_from = 0;
}

static void place_request(struct placing *placing)
{
	struct place *place = placing->place;
	const struct conversation_match *match = &placing->match;
	size_t sent = placing->load->earlier_answers + count_answers(placing->load, 0);
	placing->answers_sent = sent;
	/* A client that sends only its newest message goes on where the conversation stands. */
	place->next_ordinal = place->conversation.answers;
	if (match->conversation != 0)
		place->next_ordinal =
			as_ordinal((uint64_t)match->next_ordinal +
				   count_answers(placing->load, match->last_mark + 1));
	else if (sent > place->next_ordinal)
		place->next_ordinal = as_ordinal(sent);
	place->carried_from = place->next_ordinal > sent ? place->next_ordinal - (uint32_t)sent : 0;
	if (sent > 0 || (match->conversation != 0 && placing->load->open != NULL))
		return;
	place->carried_from = UINT32_MAX;
	if (placing->load->session.size > 0 && match->conversation == 0)
		place_first_turn(placing);
}

/* ---- what it takes back ---- */

/* Whether the last answer of the request's history was found at its ordinal. */
static bool is_anchored(const struct placing *placing)
{
	const struct load *load = placing->load;
	size_t last = load->mark_count;
	while (last > 0 && load->marks[last - 1].tool_calls)
		last--;
	for (size_t i = 0; last > 0 && i < placing->hit_count; i++) {
		const struct answer_hit *hit = &placing->hits[i];
		if (hit->mark == last - 1 && hit->ordinal + 1 == placing->place->next_ordinal)
			return true;
	}
	return false;
}

static bool is_certain(const struct placing *placing)
{
	const struct place *place = placing->place;
	if (placing->load->session.size == 0 || place->conversation_id == 0 ||
	    placing->load->newest_text.size == 0)
		return false;
	if (placing->answers_sent > 0)
		return is_anchored(placing);
	return place->conversation.carries_history && place->next_ordinal == 0;
}

static bool is_unwrapped(struct slice stored, struct slice newest)
{
	return conversation_is_wrapped(stored, newest);
}

static bool is_wrapped(struct slice stored, struct slice newest)
{
	return conversation_is_wrapped(newest, stored);
}

/* The stored exchange at the request's place that asks the same. */
static void find_same_exchange(struct placing *placing)
{
	struct place *place = placing->place;
	uint64_t hash = placing->load->newest_hash;
	struct stored_turn turn;
	struct stored_exchange exchange;
	uint64_t same = find_exchange(placing, place->next_ordinal, hash, TURN_CURRENT);
	if (same == 0 && placing->certain)
		same = find_turn(placing, place->next_ordinal, is_unwrapped);
	if (same == 0 && placing->certain)
		same = find_exchange(placing, place->next_ordinal, hash, TURN_SUPERSEDED);
	if (same == 0 || !branch_turn(placing->memory, same, &turn) ||
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

/* The exchanges that the request's history carries. */
static void keep_carried(const struct placing *placing)
{
	const struct load *load = placing->load;
	uint32_t ordinal = placing->place->next_ordinal;
	for (size_t i = load->mark_count; i > 0 && ordinal > 0; i--) {
		const struct answer_mark *mark = &load->marks[i - 1];
		if (mark->tool_calls)
			continue;
		ordinal--;
		uint64_t carried = find_exchange(placing, ordinal, mark->user_hash, TURN_CURRENT);
		if (carried == 0)
			carried = find_exchange(placing, ordinal, mark->user_hash, TURN_SUPERSEDED);
		keep(placing, carried);
	}
}

static void find_branch(struct placing *placing)
{
	struct place *place = placing->place;
	if (!placing->certain)
		return;
	if (place->conversation.branched)
		keep_carried(placing);
	keep(placing, place->same_exchange);
	keep(placing, find_turn(placing, place->next_ordinal, is_wrapped));
	place->branches = branch_find(&place->branch, placing->memory, place->conversation_id,
				      place->next_ordinal);
}

void place_find(struct place *place, const struct memory *memory, const struct load *load)
{
	struct placing placing = {.memory = memory, .load = load, .place = place};
	*place = (struct place){0};
	find_conversation(&placing);
	place_request(&placing);
	placing.certain = is_certain(&placing);
	find_same_exchange(&placing);
	find_branch(&placing);
}
