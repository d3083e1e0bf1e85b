/* store_expire(): deletes expired data from a user's memory. */
#include "storage/erase/expiry_scan.h"

#include "storage/files/erasures.h"
#include "storage/lmdb/writer.h"
#include "storage/user/journal.h"
#include "storage/user/memory.h"
#include "storage/user/rights.h"

/* How long after a conversation's last exchange a request in progress may still add to what it was
 * given: a generous bound. */
enum { UNDER_WAY = 24 * 60 * 60 * 1000 };

/* ---- who has any ---- */

static bool next_user(struct transaction *transaction, struct key from, struct user_key *user)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin_at(&scan, transaction, TABLE_USERS, key_empty(), from, FORWARD);
	bool found = scan_next(&scan, &key, &value);
	if (found)
		*user = key_read_user(key);
	scan_end(&scan);
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
	struct user_key user;
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
		(void)table_delete(memory->transaction, TABLE_FACTS, memory_fact_key(memory, id));
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
	struct key user = key_of_user(memory->user);
	struct id_list come = {0};
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, user,
		      key_u64(user, expiring->expired->found.searched + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_next(&scan, &key, &value)) {
		struct stored_turn stored = {0};
		if (table_decode(memory->transaction, value, stored_turn_fields, &stored, NULL) &&
		    !id_list_has(&come, stored.turn.conversation))
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
			(void)table_delete(memory->transaction, TABLE_TURNS,
					   key_u64(key_of_user(memory->user), id));
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
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, table, key_of_user(memory->user), FORWARD);
	bool found = scan_next(&scan, &key, &value);
	scan_end(&scan);
	return !found;
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
	const struct memory memory = {&transaction, own->user, &own->operation.arena};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	expired_find(&own->expired, &memory, &own->expiry);
	transaction_abort(&transaction);
	return transaction.result;
}

struct store_call *store_expire(struct store *store, struct user_key user,
				const struct expiry *expiry, struct expired_count *count,
				struct store_loop *loop, store_done *callback, void *cookie)
{
	struct expire_operation *own = operation_create(sizeof(*own), run_expire);
	own->user = user;
	own->expiry = *expiry;
	own->count = count;
	own->operation.may_wait = true;
	own->searched = search(store, own);
	return writer_submit(store->writer, &own->operation, &own->user, loop, callback, cookie);
}
