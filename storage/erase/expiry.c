/* store_expire(): deletes expired data from a user's memory.
 *
 * Searching a long memory takes a while, so a read transaction lists what is to be deleted before
 * the writer is asked; the writer then checks only what has been added since. */
#include "storage/files/erasures.h"
#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

enum {
	/* Limits the writer, and anyone who waits for a commit, to about 20 ms. */
	EXCHANGES_AT_ONCE = 64,
	FACTS_AT_ONCE = 1024,
	RECEIPTS_AT_ONCE = 1024,
	CONVERSATIONS_AT_ONCE = 64,
};

/* Finds an answer of a conversation by its hash. */
struct answer_place {
	struct answer_place *next;
	uint64_t hash;
	uint32_t conversation;
	uint32_t ordinal;
};

/* One part of it. */
struct expired {
	struct turn_search found; /* the turns to delete; ascending */
	struct id_list facts;     /* to delete or to mask; ascending */
	struct turn_search *said; /* the turns that say those of the facts that are hidden */
	size_t said_count;
	bool has_summary;
	struct summary summary; /* to delete, unless it has been rewritten meanwhile */

	/* Idle conversations whose only remaining turns are these. */
	struct id_list conversations;
	struct id_list their_turns;
	struct answer_place *their_answers;

	struct receipt_search receipts; /* that hold any of it */

	struct id_list old_receipts; /* receipts past their own time */

	bool is_part; /* there may be more */
};

/* ---- lists ---- */

static void list_idle(struct id_list *list, const struct memory *memory,
		      const struct expiry *expiry, size_t most)
{
	struct past_conversation conversation;
	struct scan scan;
	memory_scan(memory, &scan, TABLE_CONVERSATIONS);
	while (list->count < most && scan_read(&scan, stored_conversation_fields, &conversation,
					       sizeof(conversation), NULL)) {
		if (expiry_takes_conversation(expiry, conversation.last_active))
			id_list_add(list, memory->arena, key_read_u32(scan.at, KEY_ID_AT));
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
			id_list_add(list, memory->arena, key_read_u64(scan.at, KEY_ID_AT));
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
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
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
	memory_scan(memory, &scan, TABLE_TURNS);
	while (list->count > 0 && scan_turn(&scan, &stored, NULL)) {
		if (stored.turn.state != TURN_HIDDEN && !goes(expired, &stored.turn))
			id_list_drop(list, stored.turn.conversation);
	}
	scan_end(&scan);
}

static void list_their_turns(struct expired *expired, const struct memory *memory)
{
	struct stored_turn stored;
	struct scan scan;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
		if (id_list_has(&expired->conversations, stored.turn.conversation))
			id_list_add(&expired->their_turns, memory->arena, stored.turn.id);
	}
	scan_end(&scan);
}

static void list_their_answers(struct expired *expired, const struct memory *memory)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_ANSWERS, memory_key(memory), FORWARD);
	while (scan_step(&scan)) {
		uint32_t conversation = key_read_u32(scan.at, KEY_ANSWER_CONVERSATION_AT);
		if (!id_list_has(&expired->conversations, conversation))
			continue;
		struct answer_place *place = arena_alloc(memory->arena, sizeof(*place));
		*place = (struct answer_place){expired->their_answers,
					       key_read_u64(scan.at, KEY_ID_AT), conversation,
					       key_read_u32(scan.at, KEY_ANSWER_ORDINAL_AT)};
		expired->their_answers = place;
	}
	scan_end(&scan);
}

/* ---- what was made of it ---- */

static struct leaving expired_leaving(const struct expired *expired)
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
	return scan_first(&scan, memory->transaction, TABLE_TURN_TIMES, memory_key(memory),
			  FORWARD) &&
	       key_read_time(scan.at, KEY_ID_AT) <= expiry->turns_until;
}

static bool has_taken_back(const struct memory *memory, uint32_t conversation,
			   const struct expiry *expiry)
{
	struct scan scan;
	bool found = false;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   memory_conversation_key(memory, conversation), FORWARD);
	while (!found && scan_step(&scan)) {
		struct stored_turn turn;
		found = exchange_turn(memory, key_read_u64(scan.at, KEY_EXCHANGE_AT), &turn) &&
			turn.turn.state == TURN_SUPERSEDED && expiry_takes_turn(expiry, &turn.turn);
	}
	scan_end(&scan);
	return found;
}

/* Superseded turns are in no order of time: each of their conversations is searched. */
static bool has_old_branch(const struct memory *memory, const struct expiry *expiry)
{
	struct past_conversation conversation;
	struct scan scan;
	bool found = false;
	memory_scan(memory, &scan, TABLE_CONVERSATIONS);
	while (!found && scan_read(&scan, stored_conversation_fields, &conversation,
				   sizeof(conversation), NULL))
		found = conversation.branched &&
			has_taken_back(memory, key_read_u32(scan.at, KEY_ID_AT), expiry);
	scan_end(&scan);
	return found;
}

/* Checks the newest of its turns first: a single read if one of them stays. */
static bool has_old_summary(const struct memory *memory, const struct expiry *expiry,
			    struct summary *summary)
{
	struct key user = memory_key(memory);
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
	while (!stays && scan_turn(&scan, &stored, NULL))
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
	scan_begin(&scan, memory->transaction, TABLE_USER_RECEIPTS, memory_key(memory), FORWARD);
	while (list->count < most && scan_step(&scan)) {
		if (expiry_takes_receipt(expiry, key_read_u64(scan.at, KEY_ID_AT)))
			id_list_add(list, memory->arena, key_read_u64(scan.at, KEY_ID_AT));
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

/* Whether anything has expired: a few reads, but a scan of all facts if they may have expired. */
static bool expired_any(const struct memory *memory, const struct expiry *expiry)
{
	struct id_list any = {0};
	struct summary summary;
	if (may_have_old_turns(memory, expiry) || has_old_summary(memory, expiry, &summary))
		return true;
	list_facts(&any, memory, expiry, 1);
	list_old_receipts(&any, memory, expiry, 1);
	return any.count > 0;
}

/* Lists one part, in the memory's arena. */
static void expired_find(struct expired *expired, const struct memory *memory,
			 const struct expiry *expiry)
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

/* How long after a conversation's last exchange a request in progress may still add to what it was
 * given: a generous bound. */
enum { UNDER_WAY = 24 * 60 * 60 * 1000 };

/* ---- users with something to expire ---- */

static bool next_user(struct transaction *transaction, struct key from, struct user_key *user)
{
	struct scan scan;
	bool found = scan_first_at(&scan, transaction, TABLE_USERS, key_empty(), from, FORWARD);
	if (found)
		*user = key_read_user(scan.at);
	return found;
}

/* Adds the last user checked if something of theirs has expired. */
static void check_user(struct transaction *transaction, expiry_rule *rule, void *cookie,
		       struct user_page *page)
{
	struct arena scratch = {0};
	const struct memory memory = {transaction, page->last, &scratch};
	struct stored_user user = {0};
	struct expiry expiry = {0};
	if (memory_user(&memory, &user)) {
		const struct user_settings settings = memory_settings(&memory);
		rule(cookie, user.tenant, user.user, &settings, &expiry);
		if (expired_any(&memory, &expiry)) {
			page->expiries[page->count] = expiry;
			page->users[page->count++] = page->last;
		}
	}
	arena_finish(&scratch);
}

enum store_result store_users_expired(struct store *store, expiry_rule *rule, void *cookie,
				      const struct user_key *after, size_t limit,
				      struct user_page *page, struct arena *arena)
{
	struct transaction transaction;
	size_t looked_at = 0;
	*page = (struct user_page){.users = arena_alloc(arena, limit * sizeof(struct user_key)),
				   .expiries = arena_alloc(arena, limit * sizeof(struct expiry))};
	if (transaction_begin_read(&transaction, store)) {
		struct key from = after == NULL ? key_empty() : key_after(key_of_user(*after));
		while (looked_at < limit && next_user(&transaction, from, &page->last)) {
			looked_at++;
			check_user(&transaction, rule, cookie, page);
			from = key_after(key_of_user(page->last));
		}
		transaction_abort(&transaction);
	}
	page->more = looked_at == limit;
	return transaction.result;
}

/* ---- taking it out ---- */

struct expire_operation {
	struct operation operation;
	struct expiry expiry;
	struct expired expired;
	enum store_result searched;
	struct expired_count *count; /* owned by the caller */
};

/* One run of the operation. */
struct expiring {
	struct memory memory;
	const struct expiry *expiry;
	const struct expired *expired;
	struct hiding hiding;
	size_t facts;
	size_t conversations;
	bool summary;
};

/* Nobody restored what the user wanted forgotten: it is erased with its turns and those that say
 * it.
 */
static void erase_source(struct expiring *expiring, const struct fact *fact)
{
	const struct memory *memory = &expiring->memory;
	struct erasures *erasures = memory->transaction->store->erasures;
	erasures_add_fact(erasures, memory->user, fact, expiring->expiry->now);
	expiring->hiding.listed_at = expiring->expiry->now;
	hide_exchange(&expiring->hiding, fact->exchange);
	for (size_t i = 0; i < expiring->expired->said_count; i++) {
		const struct turn_search *said = &expiring->expired->said[i];
		if (said->fact->id != fact->id)
			continue;
		const struct turn_search now = turn_search_now(said, memory);
		hide_found(&expiring->hiding, &now, fact->ended_at);
	}
	expiring->hiding.listed_at = 0;
	(void)erasures_sync(erasures);
	memory_note_erasures(memory->transaction);
}

static void end_fact(struct expiring *expiring, uint64_t id)
{
	const struct memory *memory = &expiring->memory;
	struct fact fact;
	if (!memory_read_fact(memory, id, &fact))
		return;
	const enum fact_fate fate = expiry_of_fact(expiring->expiry, &fact);
	if (fate == FACT_STAYS)
		return;
	expiring->facts++;
	if (fact.state == FACT_HIDDEN)
		erase_source(expiring, &fact);
	if (fate == FACT_IS_MASKED) {
		fact_mask(&fact);
		memory_put_fact(memory, &fact);
	} else {
		(void)memory_delete(memory, TABLE_FACTS, memory_id_key(memory, id));
	}
}

/* Deletes its turns and answers with those of the others. False: the conversation has continued. */
static bool end_conversation(struct expiring *expiring, uint32_t id)
{
	struct past_conversation conversation = {0};
	if (!memory_conversation(&expiring->memory, id, &conversation) ||
	    !expiry_takes_conversation(expiring->expiry, conversation.last_active))
		return false;
	erase_conversation(&expiring->memory, id, &conversation);
	expiring->conversations++;
	return true;
}

/* The conversations of turns added since the search: imported ones may be old. */
static struct id_list list_come(const struct expiring *expiring)
{
	const struct memory *memory = &expiring->memory;
	struct key user = memory_key(memory);
	struct id_list come = {0};
	struct stored_turn stored;
	struct scan scan;
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, user,
		      key_u64(user, expiring->expired->found.searched + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_read(&scan, stored_turn_fields, &stored, sizeof(stored), NULL)) {
		if (!id_list_has(&come, stored.turn.conversation))
			id_list_add(&come, memory->arena, stored.turn.conversation);
	}
	scan_end(&scan);
	return come;
}

static void end_conversations(struct expiring *expiring)
{
	const struct memory *memory = &expiring->memory;
	const struct expired *expired = expiring->expired;
	struct id_list ended = {0};
	if (expired->conversations.count == 0)
		return;
	const struct id_list come = list_come(expiring);
	for (size_t i = 0; i < expired->conversations.count; i++) {
		uint32_t id = (uint32_t)expired->conversations.ids[i];
		if (!id_list_has(&come, id) && end_conversation(expiring, id))
			id_list_add(&ended, memory->arena, id);
	}
	links_delete(memory, &ended);
	for (size_t i = 0; i < expired->their_turns.count; i++) {
		struct stored_turn turn;
		uint64_t id = expired->their_turns.ids[i];
		if (memory_turn(memory, id, &turn) && id_list_has(&ended, turn.turn.conversation))
			(void)memory_delete(memory, TABLE_TURNS, memory_id_key(memory, id));
	}
	for (const struct answer_place *at = expired->their_answers; at != NULL; at = at->next) {
		if (id_list_has(&ended, at->conversation))
			(void)table_delete(
				memory->transaction, TABLE_ANSWERS,
				memory_answer_key(memory, at->hash, at->conversation, at->ordinal));
	}
}

static bool has_none(const struct memory *memory, enum table table)
{
	struct scan scan;
	return !scan_first(&scan, memory->transaction, table, memory_key(memory), FORWARD);
}

/* Nothing is stored about the user any more. An exchange in progress starts another
 * conversation. */
static bool is_empty(const struct memory *memory)
{
	return has_none(memory, TABLE_CONVERSATIONS) && has_none(memory, TABLE_TURNS) &&
	       has_none(memory, TABLE_FACTS) && has_none(memory, TABLE_SUMMARIES);
}

/* Skips a walk through a long memory unless its summary is deleted. */
static void count_uncovered(const struct expiring *expiring)
{
	const struct memory *memory = &expiring->memory;
	const struct id_list *learned = &expiring->hiding.erasure.learned;
	const struct job like = {.kind = JOB_SUMMARY};
	struct summary summary;
	size_t went = 0;
	if (expiring->summary) {
		memory_recount_uncovered(memory, &like);
		return;
	}
	(void)memory_summary(memory, &summary);
	for (size_t i = 0; i < learned->count; i++)
		went += !summary_covers(&summary, learned->ids[i]);
	journal_count_uncovered(memory, 0, went, NULL);
}

/* A summary that has been rewritten since the search stays. */
static struct leaving leaving_now(const struct expiring *expiring)
{
	struct leaving leaving = expired_leaving(expiring->expired);
	const struct summary *found = &expiring->expired->summary;
	struct summary summary;
	if (!memory_summary(&expiring->memory, &summary) || summary.covers != found->covers ||
	    summary.updated_at != found->updated_at)
		leaving.changed_from = 0;
	return leaving;
}

static enum store_result expire(struct expiring *expiring)
{
	const struct memory *memory = &expiring->memory;
	const struct expired *expired = expiring->expired;
	size_t steps = SIZE_MAX;
	hiding_init(&expiring->hiding, memory);
	hide_found(&expiring->hiding, &expired->found, expiring->expiry->turns_until);
	for (size_t i = 0; i < expired->facts.count; i++)
		end_fact(expiring, expired->facts.ids[i]);
	end_conversations(expiring);
	for (size_t i = 0; i < expired->old_receipts.count; i++)
		memory_delete_receipt(memory, expired->old_receipts.ids[i]);
	const struct leaving leaving = leaving_now(expiring);
	const bool has_receipts_only = !expiring->hiding.erasure.forgotten &&
				       leaving.changed_from == 0 &&
				       expiring->facts + expiring->conversations == 0;
	if (has_receipts_only && expired->old_receipts.count == 0)
		return STORE_NOT_FOUND;
	transaction_erases(memory->transaction);
	if (has_receipts_only)
		return STORE_OK;
	expiring->summary =
		erase_derived(memory, &leaving, &expired->receipts, expiring->expiry->turns_until)
			.summaries > 0;
	count_uncovered(expiring);
	if (is_empty(memory))
		(void)memory_delete_user(memory, &steps, NULL);
	return STORE_OK;
}

static enum store_result run_expire(struct operation *operation, const struct memory *memory)
{
	struct expire_operation *own = (struct expire_operation *)operation;
	struct expiring expiring = {
		.memory = *memory,
		.expiry = &own->expiry,
		.expired = &own->expired,
	};
	/* half a search might leave derived data behind */
	const enum store_result result =
		own->searched == STORE_OK ? expire(&expiring) : own->searched;
	*own->count = (struct expired_count){expiring.hiding.erasure.exchanges.count,
					     expiring.facts, own->expired.is_part};
	return result;
}

/* On the caller's thread. */
static enum store_result search(struct store *store, struct expire_operation *own)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, own->operation.user, &own->operation.arena};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	expired_find(&own->expired, &memory, &own->expiry);
	transaction_abort(&transaction);
	return transaction.result;
}

struct store_call *store_expire(struct store *store, struct user_key user,
				const struct expiry *expiry, struct expired_count *count,
				struct store_waiter waiter)
{
	struct expire_operation *own = operation_create(sizeof(*own), run_expire, &user);
	own->expiry = *expiry;
	own->count = count;
	own->operation.may_wait = true;
	own->searched = search(store, own);
	return writer_submit(store->writer, &own->operation, waiter);
}
