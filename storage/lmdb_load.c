/* store_load(): what a request needs to know, in one read transaction. */
#include "core/conversation.h"
#include "storage/lmdb_memory.h"

enum {
	MARKS_LIMIT = 256, /* the newest of the request's answers are looked for */
	HITS_PER_MARK = 64,
	HITS_LIMIT = 2048, /* matching them takes quadratic time at worst */
	UNCOVERED_LOOKED_AT = 4 * STORE_MAX_TURNS,
};

struct loading {
	struct memory memory;
	const struct load *load;
	struct memory_view *view;
	struct conversation_match match;
	size_t answers_sent; /* marks that are no tool calls */
};

/* ---- which conversation ---- */

/* The stored answers that read like the mark; of `conversation` only, unless it is 0. The newest
 * conversations come first. */
static size_t find_hits(const struct loading *loading, size_t mark_index, uint32_t conversation,
			struct answer_hit *hits, size_t limit)
{
	const struct answer_mark *mark = &loading->load->marks[mark_index];
	struct transaction *transaction = loading->memory.transaction;
	struct key prefix = key_u64(key_of_user(loading->load->user), mark->hash);
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
		    answer.tool_calls != mark->tool_calls)
			continue;
		hits[count++] = (struct answer_hit){
			.mark = mark_index,
			.conversation = key_read_u32(key, 24),
			.ordinal = key_read_u32(key, 28),
			.tool_calls = answer.tool_calls,
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

static void match_conversation(struct loading *loading, uint32_t conversation)
{
	size_t marks = loading->load->mark_count;
	if (marks == 0)
		return;
	size_t oldest = marks > MARKS_LIMIT ? marks - MARKS_LIMIT : 0;
	size_t capacity = (marks - oldest) * HITS_PER_MARK;
	if (capacity > HITS_LIMIT)
		capacity = HITS_LIMIT;
	struct answer_hit *hits = arena_alloc(loading->memory.arena, capacity * sizeof(*hits));
	size_t count = 0;
	for (size_t i = marks; i > oldest && count < capacity; i--) {
		size_t limit = capacity - count;
		if (limit > HITS_PER_MARK)
			limit = HITS_PER_MARK;
		count += find_hits(loading, i - 1, conversation, hits + count, limit);
	}
	reverse(hits, count);
	loading->match = conversation_match(hits, count);
}

static void find_conversation(struct loading *loading)
{
	struct memory_view *view = loading->view;
	struct stored_conversation conversation = {0};
	if (loading->load->session.size > 0) {
		view->conversation = memory_session(&loading->memory, loading->load->session);
		if (view->conversation != 0)
			match_conversation(loading, view->conversation);
	} else {
		match_conversation(loading, 0);
		view->conversation = loading->match.conversation;
	}
	if (view->conversation == 0)
		return;
	if (!memory_conversation(&loading->memory, view->conversation, &conversation)) {
		view->conversation = 0;
		loading->match = (struct conversation_match){0};
		return;
	}
	view->last_active = conversation.last_active;
	view->answers = conversation.answers;
}

/* ---- where in it ---- */

static void count_answers_sent(struct loading *loading)
{
	for (size_t i = 0; i < loading->load->mark_count; i++)
		loading->answers_sent += !loading->load->marks[i].tool_calls;
}

static void place_request(struct loading *loading)
{
	struct memory_view *view = loading->view;
	bool matched = loading->match.conversation != 0;
	/* A client that sends only its newest message goes on where the conversation stands. */
	view->next_ordinal = view->answers;
	view->carried_from = UINT32_MAX;
	if (loading->answers_sent == 0)
		return;
	if (matched)
		view->next_ordinal = loading->match.next_ordinal;
	view->carried_from = 0;
	if (matched && loading->answers_sent < view->next_ordinal)
		view->carried_from = loading->match.first_ordinal;
}

/* The newest exchange at the request's place in the conversation that asks the same. */
static void find_same_exchange(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct scan scan;
	struct slice key;
	struct slice value;
	struct key prefix = key_of_user(memory->user);
	if (view->conversation == 0 || loading->load->newest_hash == 0)
		return;
	prefix = key_u32(key_u32(prefix, view->conversation), view->next_ordinal);
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, BACKWARD);
	while (view->same_exchange == 0 && scan_next(&scan, &key, &value)) {
		struct stored_exchange exchange = {0};
		struct stored_turn turn = {0};
		uint64_t id = key_read_u64(key, 24);
		if (table_decode(memory->transaction, value, stored_exchange_fields, &exchange,
				 NULL) &&
		    exchange.user_hash == loading->load->newest_hash &&
		    memory_turn(memory, id, &turn) && turn.turn.state == TURN_CURRENT) {
			view->same_exchange = id;
			view->same_learned = exchange.queued;
		}
	}
	scan_end(&scan);
}

static void read_frozen(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct key key = key_u32(key_of_user(memory->user), view->conversation);
	view->has_frozen = view->conversation != 0 &&
			   table_read(memory->transaction, TABLE_FROZEN, key, stored_frozen_fields,
				      &view->frozen, memory->arena);
	if (!view->has_frozen)
		view->frozen = (struct frozen){0};
}

/* ---- what is known ---- */

static void add_uncovered(struct turn_list *list, const struct memory *memory, uint64_t covers)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t added = 0;
	scan_begin(&scan, memory->transaction, TABLE_TURNS, key_of_user(memory->user), BACKWARD);
	for (unsigned i = 0; i < UNCOVERED_LOOKED_AT && added < STORE_MAX_TURNS; i++) {
		struct stored_turn stored = {0};
		if (!scan_next(&scan, &key, &value) || key_read_u64(key, 16) <= covers)
			break;
		if (!table_decode(memory->transaction, value, stored_turn_fields, &stored,
				  memory->arena) ||
		    stored.turn.state != TURN_CURRENT)
			continue;
		stored.turn.id = key_read_u64(key, 16);
		if (!turn_list_add(list, memory, &stored.turn))
			break;
		added++;
	}
	scan_end(&scan);
}

static void read_turns(struct loading *loading)
{
	const struct load *load = loading->load;
	struct memory_view *view = loading->view;
	struct turn_list list = {0};
	unsigned newest = load->newest_turns;
	turn_list_add_newest(&list, &loading->memory,
			     newest > STORE_MAX_TURNS ? STORE_MAX_TURNS : newest);
	if (load->uncovered_turns)
		add_uncovered(&list, &loading->memory, view->summary.covers);
	turn_list_sort(&list);
	size_t extra = list.count > STORE_MAX_TURNS ? list.count - STORE_MAX_TURNS : 0;
	view->turns = list.turns + extra;
	view->turn_count = list.count - extra;
}

static void read_memory(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct stored_user user = {0};
	view->known = memory_user(memory, &user);
	count_answers_sent(loading);
	if (view->known)
		find_conversation(loading);
	place_request(loading);
	if (!view->known)
		return;
	find_same_exchange(loading);
	read_frozen(loading);
	view->has_summary = memory_summary(memory, &view->summary);
	if (loading->load->facts)
		view->facts = memory_facts(memory, fact_is_current, loading->load->now,
					   &view->fact_count);
	read_turns(loading);
}

struct store_call *store_load(struct store *store, const struct load *load, struct arena *arena,
			      store_loaded *callback, void *cookie)
{
	/* The ticket first: a forgetting in between then makes it an old one. */
	struct memory_view view = {.ticket = atomic_load(&store->ticket)};
	struct transaction transaction;
	struct loading loading = {
		.memory = {&transaction, load->user, arena}, .load = load, .view = &view};
	if (transaction_begin_read(&transaction, store)) {
		read_memory(&loading);
		transaction_abort(&transaction);
	}
	callback(cookie, transaction.result, &view);
	return NULL;
}
