#include "storage/journal/erase.h"

#include "core/text/terms.h"
#include "storage/erasures/erasures.h"
#include "storage/user/links.h"

enum { EXCHANGE_AT = 24 }; /* in a key */

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
	struct store *store = memory->transaction->store;
	struct key user = key_of_user(memory->user);
	struct summary summary;
	if (!hiding->erasure.forgotten)
		return;
	/* Also invalidates requests in progress: they may have been given what is now hidden. */
	forget_epochs_record(store->hidden, memory->user, ++store->next_forget_epoch);
	if (memory_summary(memory, &summary) && erasure_takes_summary(&hiding->erasure, &summary))
		(void)table_delete(memory->transaction, TABLE_SUMMARIES, user);
	memory_recount_uncovered(memory, like);
	erase_quotes(hiding);
	(void)table_delete_all(memory->transaction, TABLE_FROZEN, user);
	(void)table_delete_all(memory->transaction, TABLE_REPLAYS, user);
	links_drop_pending(memory, INT64_MAX);
	memory_delete_receipts(memory);
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
		erasure_forget_fact(&hiding->erasure, &facts[i], now);
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
