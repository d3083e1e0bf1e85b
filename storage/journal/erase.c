#include "storage/journal/erase.h"

#include "core/text/terms.h"
#include "storage/user/links.h"

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
	if (erasure_hide_turn(&hiding->erasure, &stored.turn, stored.learn, hiding->memory->arena))
		memory_put_turn(hiding->memory, &stored);
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

void hide_found(struct hiding *hiding, const struct turn_search *search, int64_t until)
{
	for (size_t i = 0; i < search->turns.count; i++) {
		struct stored_turn stored = {0};
		if (!memory_turn(hiding->memory, search->turns.ids[i], &stored) ||
		    !is_to_hide(hiding, &stored.turn, until))
			continue;
		hide_exchange(hiding, stored.turn.exchange);
		(void)hide_turn(hiding, search->turns.ids[i]);
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
