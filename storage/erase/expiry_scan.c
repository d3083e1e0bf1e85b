#include "storage/erase/expiry_scan.h"

#include "storage/user/exchanges.h"

enum {
	/* Limits the writer, and anyone who waits for a commit, to about 20 ms. */
	EXCHANGES_AT_ONCE = 64,
	FACTS_AT_ONCE = 1024,
	RECEIPTS_AT_ONCE = 1024,
	CONVERSATIONS_AT_ONCE = 64,

	/* Offsets in keys, after the user. */
	ID_OFFSET = 16, /* of a turn, fact, conversation, receipt, or answer hash */
	ANSWER_CONVERSATION_OFFSET = 24,
	ANSWER_ORDINAL_OFFSET = 28,
};

/* ---- lists ---- */

static void list_idle(struct id_list *list, const struct memory *memory,
		      const struct expiry *expiry, size_t most)
{
	struct scan scan;
	memory_scan(memory, &scan, TABLE_CONVERSATIONS);
	while (list->count < most && scan_step(&scan)) {
		struct past_conversation conversation = {0};
		if (table_decode(memory->transaction, scan.value, stored_conversation_fields,
				 &conversation, NULL) &&
		    expiry_takes_conversation(expiry, conversation.last_active))
			id_list_add(list, memory->arena, key_read_u32(scan.at, ID_OFFSET));
	}
	scan_end(&scan);
}

static void list_facts(struct id_list *list, const struct memory *memory,
		       const struct expiry *expiry, size_t most)
{
	struct scan scan;
	const bool only_hidden = !expiry_takes_facts(expiry);
	if (only_hidden && expiry->hidden_until == 0)
		return;
	memory_scan(memory, &scan, TABLE_FACTS);
	scan.opens_none = true;
	while (list->count < most && scan_step(&scan)) {
		struct fact fact = {0};
		if (only_hidden && stored_fact_state(scan.value) != FACT_HIDDEN)
			continue;
		scan.value = scan_open(&scan, scan.value);
		if (table_decode(memory->transaction, scan.value, stored_fact_fields, &fact,
				 NULL) &&
		    expiry_of_fact(expiry, &fact) != FACT_STAYS)
			id_list_add(list, memory->arena, key_read_u64(scan.at, ID_OFFSET));
	}
	scan_end(&scan);
}

/* Finds the turns that say what was hidden, and whose time is up: they would stand again. */
static void search_hidden(struct expired *expired, const struct memory *memory)
{
	const size_t count = expired->facts.count;
	struct fact *facts = arena_alloc(memory->arena, count * sizeof(*facts));
	expired->said = arena_alloc(memory->arena, count * sizeof(*expired->said));
	for (size_t i = 0; i < count; i++) {
		struct fact *fact = &facts[expired->said_count];
		if (memory_read_fact(memory, expired->facts.ids[i], fact) &&
		    fact->state == FACT_HIDDEN)
			expired->said[expired->said_count++].fact = fact;
	}
	turn_searches_run(expired->said, expired->said_count, memory);
}

/* Walks all of a user's turns in ascending order of ids. */
static bool next_turn(const struct memory *memory, struct scan *scan, struct stored_turn *turn)
{
	struct slice key;
	struct slice value;
	while (scan_next(scan, &key, &value)) {
		*turn = (struct stored_turn){.turn.id = key_read_u64(key, ID_OFFSET)};
		if (table_decode(memory->transaction, value, stored_turn_fields, turn, NULL))
			return true;
	}
	return false;
}

static void begin_turns(const struct memory *memory, struct scan *scan)
{
	scan_begin(scan, memory->transaction, TABLE_TURNS, key_of_user(memory->user), FORWARD);
	scan_let_go(scan);
}

/* Whether the turn begins an exchange that expires. */
static bool begins_what_goes(const struct memory *memory, const struct turn *turn,
			     const struct expiry *expiry)
{
	struct stored_turn asked;
	if (!expiry_takes_turn(expiry, turn))
		return false;
	bool answers = turn->exchange != turn->id && exchange_turn(memory, turn->exchange, &asked);
	return turn_expires_alone(turn, answers ? &asked.turn : NULL);
}

static bool goes(const struct expired *expired, const struct turn *turn)
{
	return ids_hold(expired->found.turns.ids, expired->found.turns.count, turn->id);
}

static void list_turns(struct expired *expired, const struct memory *memory,
		       const struct expiry *expiry)
{
	struct id_list *list = &expired->found.turns;
	struct stored_turn stored;
	struct scan scan;
	size_t exchanges = 0;
	begin_turns(memory, &scan);
	while (next_turn(memory, &scan, &stored)) {
		const struct turn *turn = &stored.turn;
		expired->found.searched = turn->id;
		if (turn->state == TURN_HIDDEN)
			continue;
		bool begins =
			exchanges < EXCHANGES_AT_ONCE && begins_what_goes(memory, turn, expiry);
		exchanges += begins;
		if (begins || ids_hold(list->ids, list->count, turn->exchange))
			id_list_add(list, memory->arena, turn->id);
	}
	scan_end(&scan);
	expired->is_part |= exchanges == EXCHANGES_AT_ONCE;
}

static void id_list_drop(struct id_list *list, uint64_t id)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (list->ids[i] != id)
			list->ids[kept++] = list->ids[i];
	}
	list->count = kept;
}

/* A conversation with a turn stays, however long it has been idle. */
static void list_conversations(struct expired *expired, const struct memory *memory,
			       const struct expiry *expiry)
{
	struct id_list *list = &expired->conversations;
	struct stored_turn stored;
	struct scan scan;
	list_idle(list, memory, expiry, CONVERSATIONS_AT_ONCE);
	expired->is_part |= list->count == CONVERSATIONS_AT_ONCE;
	begin_turns(memory, &scan);
	while (list->count > 0 && next_turn(memory, &scan, &stored)) {
		if (stored.turn.state != TURN_HIDDEN && !goes(expired, &stored.turn))
			id_list_drop(list, stored.turn.conversation);
	}
	scan_end(&scan);
}

static void list_their_turns(struct expired *expired, const struct memory *memory)
{
	struct stored_turn stored;
	struct scan scan;
	begin_turns(memory, &scan);
	while (next_turn(memory, &scan, &stored)) {
		if (id_list_has(&expired->conversations, stored.turn.conversation))
			id_list_add(&expired->their_turns, memory->arena, stored.turn.id);
	}
	scan_end(&scan);
}

static void list_their_answers(struct expired *expired, const struct memory *memory)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_ANSWERS, key_of_user(memory->user), FORWARD);
	while (scan_step(&scan)) {
		uint32_t conversation = key_read_u32(scan.at, ANSWER_CONVERSATION_OFFSET);
		if (!id_list_has(&expired->conversations, conversation))
			continue;
		struct answer_place *place = arena_alloc(memory->arena, sizeof(*place));
		*place = (struct answer_place){expired->their_answers,
					       key_read_u64(scan.at, ID_OFFSET), conversation,
					       key_read_u32(scan.at, ANSWER_ORDINAL_OFFSET)};
		expired->their_answers = place;
	}
	scan_end(&scan);
}

/* ---- what was made of it ---- */

struct leaving expired_leaving(const struct expired *expired)
{
	const struct id_list *turns = &expired->found.turns;
	return (struct leaving){
		.turns = turns->ids,
		.turn_count = turns->count,
		.facts = expired->facts.ids,
		.fact_count = expired->facts.count,
		.changed_from = expired->has_summary,
	};
}

/* ---- all of it ---- */

static bool has_old_turn(const struct memory *memory, const struct expiry *expiry)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_TURN_TIMES, key_of_user(memory->user),
		   FORWARD);
	bool found = scan_step(&scan) && key_read_time(scan.at, ID_OFFSET) <= expiry->turns_until;
	scan_end(&scan);
	return found;
}

static bool has_taken_back(const struct memory *memory, uint32_t conversation,
			   const struct expiry *expiry)
{
	struct scan scan;
	bool found = false;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), conversation), FORWARD);
	while (!found && scan_step(&scan)) {
		struct stored_turn turn;
		found = exchange_turn(memory, key_read_u64(scan.at, EXCHANGE_OFFSET), &turn) &&
			turn.turn.state == TURN_SUPERSEDED && expiry_takes_turn(expiry, &turn.turn);
	}
	scan_end(&scan);
	return found;
}

/* Superseded turns are in no order of time: each of their conversations is searched. */
static bool has_old_branch(const struct memory *memory, const struct expiry *expiry)
{
	struct scan scan;
	bool found = false;
	memory_scan(memory, &scan, TABLE_CONVERSATIONS);
	while (!found && scan_step(&scan)) {
		struct past_conversation conversation = {0};
		found = table_decode(memory->transaction, scan.value, stored_conversation_fields,
				     &conversation, NULL) &&
			conversation.branched &&
			has_taken_back(memory, key_read_u32(scan.at, ID_OFFSET), expiry);
	}
	scan_end(&scan);
	return found;
}

/* Checks the newest of its turns first: a single read if one of them stays. */
static bool has_old_summary(const struct memory *memory, const struct expiry *expiry,
			    struct summary *summary)
{
	struct key user = key_of_user(memory->user);
	struct stored_turn stored;
	struct scan scan;
	bool stays = false;
	bool may_go = expiry->turns_until != INT64_MIN || expiry->summaries_until != 0;
	if (!may_go || !memory_summary(memory, summary))
		return false;
	if (expiry->turns_until == INT64_MIN || expiry_takes_summary(expiry, summary))
		return expiry_takes_summary(expiry, summary);
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, user,
		      key_after(key_u64(user, summary->covers)), BACKWARD);
	scan_let_go(&scan);
	while (!stays && next_turn(memory, &scan, &stored))
		stays = expiry_keeps_summary(expiry, &stored.turn);
	scan_end(&scan);
	return !stays;
}

/* Lists receipts past their own time, `most` at most. */
static void list_old_receipts(struct id_list *list, const struct memory *memory,
			      const struct expiry *expiry, size_t most)
{
	struct scan scan;
	if (expiry->receipts_until == 0)
		return;
	scan_begin(&scan, memory->transaction, TABLE_USER_RECEIPTS, key_of_user(memory->user),
		   FORWARD);
	while (list->count < most && scan_step(&scan)) {
		if (expiry_takes_receipt(expiry, key_read_u64(scan.at, ID_OFFSET)))
			id_list_add(list, memory->arena, key_read_u64(scan.at, ID_OFFSET));
	}
	scan_end(&scan);
}

/* Finds conversations without turns once they have been idle for as long. */
static bool may_have_old_turns(const struct memory *memory, const struct expiry *expiry)
{
	struct id_list idle = {0};
	if (expiry->turns_until == INT64_MIN)
		return false;
	if (has_old_turn(memory, expiry))
		return true;
	list_idle(&idle, memory, expiry, 1);
	return idle.count > 0 || has_old_branch(memory, expiry);
}

bool expired_any(const struct memory *memory, const struct expiry *expiry)
{
	struct id_list any = {0};
	struct summary summary;
	if (may_have_old_turns(memory, expiry) || has_old_summary(memory, expiry, &summary))
		return true;
	list_facts(&any, memory, expiry, 1);
	list_old_receipts(&any, memory, expiry, 1);
	return any.count > 0;
}

void expired_find(struct expired *expired, const struct memory *memory, const struct expiry *expiry)
{
	*expired = (struct expired){0};
	list_facts(&expired->facts, memory, expiry, FACTS_AT_ONCE);
	list_old_receipts(&expired->old_receipts, memory, expiry, RECEIPTS_AT_ONCE);
	if (expired->facts.count > 0 && expiry->hidden_until != 0)
		search_hidden(expired, memory);
	expired->is_part = expired->facts.count == FACTS_AT_ONCE ||
			   expired->old_receipts.count == RECEIPTS_AT_ONCE;
	if (may_have_old_turns(memory, expiry)) {
		list_turns(expired, memory, expiry);
		list_conversations(expired, memory, expiry);
	}
	if (expired->conversations.count > 0) {
		list_their_turns(expired, memory);
		list_their_answers(expired, memory);
	}
	/* deleted with the last of its turns */
	expired->has_summary =
		!expired->is_part && has_old_summary(memory, expiry, &expired->summary);
	if (expired->has_summary || expired->found.turns.count + expired->facts.count > 0) {
		const struct leaving leaving = expired_leaving(expired);
		receipt_search_run(&expired->receipts, memory, &leaving);
	}
}
