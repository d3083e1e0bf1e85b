#include "storage/journal/position.h"

enum {
	MARKS_LIMIT = 256, /* the newest of the request's answers are looked for */
	HITS_PER_MARK = 64,
	HITS_LIMIT = 2048, /* matching them takes that times the runs that begin among them */
};

/* ---- which conversation ---- */

/* The stored answers that read like the mark; of `conversation` only, unless it is 0. The newest
 * conversations come first. */
static size_t find_hits(const struct placing *placing, size_t mark_index, uint32_t conversation,
			struct answer_hit *hits, size_t limit)
{
	const struct load *load = placing->load;
	/* Behind the marks comes the open answer. */
	bool is_open = load->open != NULL && mark_index == load->fingerprint_count;
	const struct answer_fingerprint *mark =
		is_open ? load->open : &load->fingerprints[mark_index];
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
	size_t marks = placing->load->fingerprint_count + (placing->load->open != NULL);
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
		if (place->conversation_id == 0)
			place->conversation_id = placing_find_broken_first(placing);
	}
	if (place->conversation_id != 0 &&
	    memory_conversation(placing->memory, place->conversation_id, &place->conversation))
		return;
	place->conversation_id = 0;
	place->conversation = (struct past_conversation){0};
	placing->match = (struct conversation_match){0};
}

/* ---- where in it ---- */

/* Answers of the request's history from the mark `first` on. */
static size_t count_answers(const struct load *load, size_t first)
{
	size_t count = 0;
	for (size_t i = first; i < load->fingerprint_count; i++)
		count += !load->fingerprints[i].tool_calls;
	return count;
}

static uint32_t as_ordinal(uint64_t number)
{
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX - 1;
}

static bool asks_first_turn(const struct placing *placing, uint32_t ordinal)
{
	uint64_t hash = placing->load->newest_hash;
	bool carries_history = placing->place->conversation.carries_history;
	return placing_find_exchange(placing, ordinal, hash, TURN_CURRENT) != 0 ||
	       (carries_history &&
		(placing_find_exchange(placing, ordinal, hash, TURN_SUPERSEDED) != 0 ||
		 placing_find_turn(placing, ordinal, conversation_is_edit) != 0));
}

/* A request without any answer: does it ask the conversation's first turn again, or reword it? Its
 * place is not 0 when what stood there was taken back later. */
static void place_first_turn(struct placing *placing)
{
	struct place *place = placing->place;
	if (!place->conversation.carries_history && place->conversation.answers != 1)
		return;
	uint32_t first = placing_first_standing(placing);
	if (first == UINT32_MAX || !asks_first_turn(placing, first))
		first = 0;
	if (first == 0 && !asks_first_turn(placing, 0))
		return;
	place->next_ordinal = first;
	place->carried_from = first;
	placing->is_first = true;
}

/* A session's history of which memory knows no answer, for they were edited or said while it was
 * off, is placed by the newest user turn that was said once. */
static bool place_by_user_turns(struct placing *placing)
{
	const struct load *load = placing->load;
	size_t behind = 0;
	for (size_t i = load->fingerprint_count; i > 0 && load->session.size > 0; i--) {
		uint32_t ordinal;
		if (load->fingerprints[i - 1].tool_calls)
			continue;
		behind++;
		if (!placing_find_only_place(placing, load->fingerprints[i - 1].user_hash,
					     &ordinal))
			continue;
		placing->place->next_ordinal = as_ordinal((uint64_t)ordinal + behind);
		return true;
	}
	return false;
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
	else if (sent > 0 && place_by_user_turns(placing))
		placing->is_anchored = true;
	else if (sent > place->next_ordinal)
		place->next_ordinal = as_ordinal(sent);
	place->carried_from = place->next_ordinal > sent ? place->next_ordinal - (uint32_t)sent : 0;
	if (sent > 0 || (match->conversation != 0 && placing->load->open != NULL))
		return;
	place->carried_from = UINT32_MAX;
	if (placing->load->session.size > 0 && match->conversation == 0)
		place_first_turn(placing);
}

void place_find(struct place *place, const struct memory *memory, const struct load *load)
{
	struct placing placing = {.memory = memory, .load = load, .place = place};
	*place = (struct place){0};
	find_conversation(&placing);
	place_request(&placing);
	placing.certain = placing_is_certain(&placing);
	placing_find_same_exchange(&placing);
	placing_find_branch(&placing);
	place->leaves_out = place->conversation_id != 0 && place->carried_from > 0 &&
			    placing_first_standing(&placing) < place->carried_from;
}
