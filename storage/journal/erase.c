#include "storage/journal/erase.h"

#include "core/facts/facts.h"
#include "core/text/terms.h"
#include "storage/erasures/erasures.h"
#include "storage/user/links.h"
#include "storage/user/replays.h"
#include "storage/user/rights.h"

#include <string.h>

enum {
	/* Offsets in keys. */
	EXCHANGE_AT = 24,
	RECEIPT_AT = 16,
	FACT_AT = 16,
};

void hiding_init(struct hiding *hiding, const struct memory *memory)
{
	*hiding = (struct hiding){.memory = memory, .erasure = ERASURE_NONE};
}

/* Returns the turn that it had superseded, or 0. */
static uint64_t hide_turn(struct hiding *hiding, uint64_t id)
{
	struct stored_turn stored = {0};
	if (id == 0 || !memory_turn(hiding->memory, id, &stored))
		return 0;
	if (!erasure_hide_turn(&hiding->erasure, &stored.turn, stored.learn, hiding->memory->arena))
		return stored.earlier;
	memory_put_turn(hiding->memory, &stored);
	transaction_erases(hiding->memory->transaction);
	if (hiding->listed_at != 0)
		erasures_add_turn(hiding->memory->transaction->store->erasures,
				  hiding->memory->user, stored.turn.hash, hiding->listed_at);
	return stored.earlier;
}

static void hide_answers(struct hiding *hiding, uint64_t answer)
{
	/* A damaged chain may be circular. */
	for (size_t i = 0; i < ANSWERS_LIMIT && answer != 0; i++)
		answer = hide_turn(hiding, answer);
}

void hide_exchange(struct hiding *hiding, uint64_t exchange_id)
{
	const struct memory *memory = hiding->memory;
	struct stored_turn turn = {0};
	struct stored_exchange exchange = {0};
	if (exchange_id == 0 || !memory_turn(memory, exchange_id, &turn))
		return;
	(void)hide_turn(hiding, exchange_id);
	if (memory_exchange(memory, &turn.turn, &exchange))
		hide_answers(hiding, exchange.answer);
	(void)memory_delete_job(memory, JOB_FACTS, exchange_id);
	id_list_add(&hiding->erasure.exchanges, memory->arena, exchange_id);
}

void turn_search_run(struct turn_search *search, const struct memory *memory, struct slice text)
{
	struct transaction *transaction = memory->transaction;
	struct key prefix = key_of_user(memory->user);
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin_at(&scan, transaction, TABLE_TURNS, prefix,
		      key_u64(prefix, search->searched + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_next(&scan, &key, &value)) {
		struct stored_turn stored = {0};
		search->searched = key_read_u64(key, 16);
		if (!table_decode(transaction, value, stored_turn_fields, &stored, NULL) ||
		    !terms_say(stored.turn.text, text))
			continue;
		id_list_add(&search->turns, memory->arena, search->searched);
	}
	scan_end(&scan);
}

/* An answer whose question is missing counts as infinitely old. */
static bool is_to_hide(const struct hiding *hiding, const struct turn *turn, int64_t until)
{
	struct stored_turn asked;
	if (turn->exchange == 0 || turn->exchange == turn->id)
		return erasure_takes_turn(turn, NULL, until);
	(void)memory_turn(hiding->memory, turn->exchange, &asked);
	return erasure_takes_turn(turn, &asked.turn, until);
}

/* Returns whether it is there and to be hidden. */
static bool find_to_hide(const struct hiding *hiding, uint64_t id, int64_t until,
			 struct stored_turn *stored)
{
	return memory_turn(hiding->memory, id, stored) && is_to_hide(hiding, &stored->turn, until);
}

enum { HIDDEN_AT_ONCE = 64 };

/* Takes them out of the index together: many share words, whose lists would change with each. */
static void hide_some(struct hiding *hiding, const uint64_t *ids, size_t count, int64_t until)
{
	uint64_t gone[HIDDEN_AT_ONCE];
	size_t gone_count = 0;
	struct stored_turn stored;
	for (size_t i = 0; i < count; i++) {
		if (find_to_hide(hiding, ids[i], until, &stored))
			gone[gone_count++] = ids[i];
	}
	memory_unindex_turns(hiding->memory, gone, gone_count);
	for (size_t i = 0; i < gone_count; i++) {
		/* Not if it was hidden with another's exchange. */
		if (!find_to_hide(hiding, gone[i], until, &stored))
			continue;
		hide_exchange(hiding, stored.turn.exchange);
		(void)hide_turn(hiding, gone[i]);
	}
}

void hide_found(struct hiding *hiding, const struct turn_search *search, int64_t until)
{
	const struct id_list *turns = &search->turns;
	for (size_t i = 0; i < turns->count; i += HIDDEN_AT_ONCE) {
		const size_t left = turns->count - i;
		hide_some(hiding, turns->ids + i, left < HIDDEN_AT_ONCE ? left : HIDDEN_AT_ONCE,
			  until);
	}
}

/* What was learned from a hidden exchange stays unless it was forgotten itself; the user's words do
 * not. */
static void erase_quotes(const struct hiding *hiding)
{
	const struct memory *memory = hiding->memory;
	size_t count;
	struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	for (size_t i = 0; i < count; i++) {
		if (erasure_unquote_fact(&hiding->erasure, &facts[i]))
			table_write(memory->transaction, TABLE_FACTS,
				    memory_fact_key(memory, facts[i].id), stored_fact_fields,
				    &facts[i]);
	}
}

void hiding_finish(struct hiding *hiding, const struct job *like)
{
	const struct memory *memory = hiding->memory;
	if (!hiding->erasure.forgotten)
		return;
	const struct leaving leaving = erasure_leaving(&hiding->erasure);
	(void)erase_derived(memory, &leaving, NULL, INT64_MAX);
	memory_recount_uncovered(memory, like);
	erase_quotes(hiding);
}

/* ---- what was derived ---- */

static bool read_receipt(const struct memory *memory, uint64_t id, struct arena *arena,
			 struct stored_receipt *stored)
{
	*stored = (struct stored_receipt){0};
	return table_read(memory->transaction, TABLE_RECEIPTS, key_of_number(id),
			  stored_receipt_fields, stored, arena);
}

/* Receipts of other users, which the writer meets, are not copied. */
static void look_at_receipt(struct receipt_search *search, const struct memory *memory,
			    const struct leaving *leaving, uint64_t id)
{
	struct arena scratch = {0};
	struct stored_receipt stored;
	if (!read_receipt(memory, id, NULL, &stored) ||
	    memcmp(&stored.user, &memory->user, sizeof(stored.user)) != 0)
		return;
	if (read_receipt(memory, id, &scratch, &stored)) {
		if (!stored.tells_ids || receipt_holds(&stored.receipt, leaving))
			id_list_add(&search->receipts, memory->arena, id);
		else if (receipt_mentions(&stored.receipt, leaving))
			id_list_add(&search->mentions, memory->arena, id);
	}
	arena_finish(&scratch);
}

/* The first search reads the user's own, a later one those of all users since. */
void receipt_search_run(struct receipt_search *search, const struct memory *memory,
			const struct leaving *leaving)
{
	const bool is_first = search->until == 0;
	struct scan scan;
	struct slice key;
	struct slice value;
	if (leaving->turn_count + leaving->fact_count == 0 && leaving->changed_from == 0)
		return;
	if (is_first)
		memory_scan(memory, &scan, TABLE_USER_RECEIPTS);
	else
		scan_begin_at(&scan, memory->transaction, TABLE_RECEIPT_AGES, key_empty(),
			      key_of_number(search->until + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_next(&scan, &key, &value)) {
		uint64_t id = 0;
		if (is_first)
			id = key_read_u64(key, RECEIPT_AT);
		else if (!table_decode(memory->transaction, value, stored_number_fields, &id, NULL))
			continue;
		look_at_receipt(search, memory, leaving, id);
	}
	scan_end(&scan);
	search->until = memory_newest_receipt_age(memory);
}

static size_t delete_receipts(const struct memory *memory, const struct leaving *leaving,
			      const struct receipt_search *found)
{
	for (size_t i = 0; i < found->receipts.count; i++)
		memory_delete_receipt(memory, found->receipts.ids[i]);
	for (size_t i = 0; i < found->mentions.count; i++)
		memory_silence_receipt(memory, found->mentions.ids[i], leaving);
	return found->receipts.count;
}

struct derived_count erase_derived(const struct memory *memory, const struct leaving *leaving,
				   const struct receipt_search *found, int64_t until)
{
	struct store *store = memory->transaction->store;
	struct derived_count count = {0};
	struct receipt_search since = {.until = found == NULL ? 0 : found->until};
	struct summary summary;
	forget_epochs_record(store->hidden, memory->user, ++store->next_forget_epoch);
	transaction_erases(memory->transaction);
	if (leaving->changed_from > 0 && memory_summary(memory, &summary) &&
	    summary_covers(&summary, leaving->changed_from))
		count.summaries = table_delete(memory->transaction, TABLE_SUMMARIES,
					       key_of_user(memory->user));
	count.frozen = frozen_delete_holding(memory, leaving);
	count.replays = replays_delete_holding(memory, leaving);
	receipt_search_run(&since, memory, leaving);
	count.receipts = delete_receipts(memory, leaving, &since);
	if (found != NULL)
		count.receipts += delete_receipts(memory, leaving, found);
	links_drop_pending(memory, until);
	return count;
}

/* ---- more facts than a user may have ---- */

static bool is_any(const struct fact *fact, int64_t now)
{
	(void)fact;
	(void)now;
	return true;
}

/* Reads nothing but the keys, and of most users only the first and the last one. */
static bool has_too_many_facts(const struct memory *memory)
{
	const struct key user = key_of_user(memory->user);
	uint64_t ends[2] = {0, 0};
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t count = 0;
	for (size_t i = 0; i < 2; i++) {
		scan_begin(&scan, memory->transaction, TABLE_FACTS, user,
			   i == 0 ? FORWARD : BACKWARD);
		scan.opens_none = true;
		if (scan_next(&scan, &key, &value))
			ends[i] = key_read_u64(key, FACT_AT);
		scan_end(&scan);
	}
	if (ends[1] - ends[0] < FACTS_LIMIT)
		return false;
	scan_begin(&scan, memory->transaction, TABLE_FACTS, user, FORWARD);
	scan.opens_none = true;
	while (count <= FACTS_LIMIT && scan_next(&scan, &key, &value))
		count++;
	scan_end(&scan);
	return count > FACTS_LIMIT;
}

size_t erase_least_used_facts(const struct memory *memory, uint64_t spared, int64_t now)
{
	size_t count;
	if (!has_too_many_facts(memory) || memory_settings(memory).hold_until > now)
		return 0;
	const struct fact *facts = memory_facts(memory, is_any, now, &count);
	const struct id_list gone =
		facts_least_used(facts, count, FACTS_LIMIT, spared, now, memory->arena);
	const struct leaving leaving = {.facts = gone.ids, .fact_count = gone.count};
	for (size_t i = 0; i < gone.count; i++)
		(void)table_delete(memory->transaction, TABLE_FACTS,
				   memory_fact_key(memory, gone.ids[i]));
	if (gone.count > 0)
		(void)erase_derived(memory, &leaving, NULL, INT64_MIN);
	memory->transaction->facts_gone += gone.count;
	return gone.count;
}

/* ---- a conversation that is not to be remembered ---- */

static struct key declined_key(const struct memory *memory, uint32_t conversation)
{
	return key_u32(key_of_user(memory->user), conversation);
}

bool conversation_is_declined(const struct memory *memory, uint32_t conversation)
{
	struct slice value;
	return conversation != 0 && table_get(memory->transaction, TABLE_DECLINED,
					      declined_key(memory, conversation), &value);
}

void erase_conversation(const struct memory *memory, uint32_t id,
			const struct past_conversation *conversation)
{
	struct transaction *transaction = memory->transaction;
	const struct key user = key_of_user(memory->user);
	if (conversation->session.size > 0 && memory_session(memory, conversation->session) == id)
		(void)table_delete(transaction, TABLE_SESSIONS,
				   key_digest(user, conversation->session));
	(void)table_delete_all(transaction, TABLE_EXCHANGES, key_u32(user, id));
	(void)table_delete(transaction, TABLE_FROZEN, key_u32(user, id));
	replays_delete(memory, id);
	(void)table_delete(transaction, TABLE_CONVERSATIONS, key_u32(user, id));
	(void)table_delete(transaction, TABLE_DECLINED, declined_key(memory, id));
}

static void hide_conversation(struct hiding *hiding, uint32_t conversation)
{
	const struct memory *memory = hiding->memory;
	struct id_list exchanges = {0};
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), conversation), FORWARD);
	while (scan_next(&scan, &key, &value))
		id_list_add(&exchanges, memory->arena, key_read_u64(key, EXCHANGE_AT));
	scan_end(&scan);
	for (size_t i = 0; i < exchanges.count; i++)
		hide_exchange(hiding, exchanges.ids[i]);
}

/* What a person wrote down or pinned does not rest on the conversation. */
static void forget_what_it_taught(struct hiding *hiding, int64_t now)
{
	const struct memory *memory = hiding->memory;
	size_t count;
	struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	for (size_t i = 0; i < count; i++) {
		if (facts[i].pinned || facts[i].by.size > 0 ||
		    !id_list_has(&hiding->erasure.exchanges, facts[i].exchange))
			continue;
		erasure_forget_fact(&hiding->erasure, &facts[i], now, memory->arena);
		table_write(memory->transaction, TABLE_FACTS, memory_fact_key(memory, facts[i].id),
			    stored_fact_fields, &facts[i]);
	}
}

void decline_conversation(const struct memory *memory, uint32_t conversation, int64_t now,
			  const struct job *like)
{
	struct hiding hiding;
	uint64_t at = now > 0 ? (uint64_t)now : 0;
	hiding_init(&hiding, memory);
	hide_conversation(&hiding, conversation);
	forget_what_it_taught(&hiding, now);
	hiding_finish(&hiding, like);
	table_write(memory->transaction, TABLE_DECLINED, declined_key(memory, conversation),
		    stored_number_fields, &at);
}
