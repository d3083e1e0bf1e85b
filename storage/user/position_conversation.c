/* Finds the conversation that a request continues: its session's, the one that its history matches,
 * or that of a first turn whose reply broke off. */
#include "storage/user/request_position.h"

enum {
	CONVERSATION_OFFSET = 16, /* in a key of TABLE_CONVERSATIONS */
	ORDINAL_OFFSET = 20,      /* offset of an exchange's ordinal in its key */
	MOST_CONVERSATIONS = 64,  /* search only the newest */
	MARKS_LIMIT = 256,        /* look for only the newest of the request's answers */
	HITS_PER_MARK = 64,
	HITS_LIMIT =
		2048, /* matching them takes this times the number of runs that begin among them */
};

/* Finds the stored answers that have the fingerprint's hash; only those of `conversation`, unless
 * it is 0. The newest conversations come first. */
static size_t find_hits(const struct memory *memory, const struct load *load, size_t mark_index,
			uint32_t conversation, struct answer_hit *hits, size_t limit)
{
	/* The open answer follows the fingerprints. */
	bool is_open = load->open != NULL && mark_index == load->fingerprint_count;
	const struct answer_fingerprint *mark =
		is_open ? load->open : &load->fingerprints[mark_index];
	struct transaction *transaction = memory->transaction;
	struct key prefix = key_u64(key_of_user(load->user), mark->hash);
	if (conversation != 0)
		prefix = key_u32(prefix, conversation);
	struct scan scan;
	size_t count = 0;
	scan_begin(&scan, transaction, TABLE_ANSWERS, prefix, BACKWARD);
	while (count < limit && scan_step(&scan)) {
		struct stored_answer answer = {0};
		if (!table_decode(transaction, scan.value, stored_answer_fields, &answer, NULL) ||
		    answer.tool_calls != mark->tool_calls ||
		    (is_open && mark->user_hash != answer.user_hash))
			continue;
		hits[count++] = (struct answer_hit){
			.mark = mark_index,
			.conversation = key_read_u32(scan.at, 24),
			.ordinal = key_read_u32(scan.at, 28),
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

/* Matches in `conversation` only, unless it is 0. */
static struct conversation_match match_history(const struct memory *memory, const struct load *load,
					       uint32_t conversation)
{
	size_t marks = load->fingerprint_count + (load->open != NULL);
	if (marks == 0)
		return (struct conversation_match){0};
	size_t oldest = marks > MARKS_LIMIT ? marks - MARKS_LIMIT : 0;
	size_t capacity = (marks - oldest) * HITS_PER_MARK;
	if (capacity > HITS_LIMIT)
		capacity = HITS_LIMIT;
	struct answer_hit *hits = arena_alloc(memory->arena, capacity * sizeof(*hits));
	size_t count = 0;
	for (size_t i = marks; i > oldest && count < capacity; i--) {
		size_t limit = capacity - count;
		if (limit > HITS_PER_MARK)
			limit = HITS_PER_MARK;
		count += find_hits(memory, load, i - 1, conversation, hits + count, limit);
	}
	reverse(hits, count);
	return conversation_match(hits, count);
}

static bool holds_one_turn(const struct memory *memory, uint32_t conversation)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), conversation), BACKWARD);
	bool is_one = scan_step(&scan) && key_read_u32(scan.at, ORDINAL_OFFSET) == 0;
	scan_end(&scan);
	return is_one;
}

static bool asks_it_again(const struct memory *memory, const struct load *load, uint32_t id,
			  const struct past_conversation *conversation)
{
	if (!conversation_may_be_asked_again(conversation, load) || !holds_one_turn(memory, id))
		return false;
	return exchanges_find(exchanges_read(memory, id, 0, 0), 0, load->newest_hash,
			      TURN_CURRENT) != NULL;
}

/* Whether a conversation's last user turns are those that stand before a compaction. */
static bool ends_as_compacted(const struct memory *memory, const struct load *load, uint32_t id,
			      const struct past_conversation *conversation)
{
	struct scan scan;
	size_t found = 0;
	(void)conversation;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), id), BACKWARD);
	while (found < load->compacted_count && scan_step(&scan)) {
		struct stored_exchange exchange = {0};
		if (!table_decode(memory->transaction, scan.value, stored_exchange_fields,
				  &exchange, NULL) ||
		    exchange.user_hash != load->compacted[found])
			break;
		found++;
	}
	scan_end(&scan);
	return found == load->compacted_count;
}

/* A client that names no session shows by its answers which conversation it continues. It has none
 * if the reply to the first turn broke off and the turn is asked again, or behind a compaction. 0:
 * none. */
static uint32_t find_without_answers(const struct memory *memory, const struct load *load)
{
	bool (*is_it)(const struct memory *memory, const struct load *load, uint32_t id,
		      const struct past_conversation *conversation) =
		load->compacted_count > 0 ? ends_as_compacted : asks_it_again;
	struct scan scan;
	uint32_t found = 0;
	if (!load_begins_anew(load))
		return 0;
	scan_begin(&scan, memory->transaction, TABLE_CONVERSATIONS, key_of_user(memory->user),
		   BACKWARD);
	for (unsigned i = 0; i < MOST_CONVERSATIONS && found == 0; i++) {
		struct past_conversation conversation = {0};
		if (!scan_step(&scan))
			break;
		uint32_t id = key_read_u32(scan.at, CONVERSATION_OFFSET);
		if (table_decode(memory->transaction, scan.value, stored_conversation_fields,
				 &conversation, memory->arena) &&
		    is_it(memory, load, id, &conversation))
			found = id;
	}
	scan_end(&scan);
	return found;
}

void request_position_read_conversation(struct position_known *known, const struct memory *memory)
{
	const struct load *load = known->load;
	uint32_t id;
	if (load->session.size > 0) {
		id = memory_session(memory, load->session);
		if (id != 0)
			known->match = match_history(memory, load, id);
	} else if (load->previous.size > 0) {
		id = known->link == NULL ? 0 : known->link->conversation;
	} else {
		known->match = match_history(memory, load, 0);
		id = known->match.conversation;
		if (id == 0)
			id = find_without_answers(memory, load);
	}
	if (id != 0 && memory_conversation(memory, id, &known->conversation))
		known->conversation_id = id;
	else
		*known = (struct position_known){.load = load, .link = known->link};
}
