#include "storage/user/erase.h"

#include "core/facts/facts.h"
#include "storage/files/erasures.h"
#include "storage/user/memory.h"

void hiding_init(struct hiding *hiding, const struct memory *memory)
{
	*hiding = (struct hiding){.memory = memory, .erasure = ERASURE_NONE};
}

static void hide_turn(struct hiding *hiding, uint64_t id)
{
	struct stored_turn stored = {0};
	if (!memory_turn(hiding->memory, id, &stored) ||
	    !erasure_hide_turn(&hiding->erasure, &stored.turn, stored.learn, hiding->memory->arena))
		return;
	memory_put_turn(hiding->memory, &stored);
	transaction_erases(hiding->memory->transaction);
	if (hiding->listed_at != 0)
		erasures_add_turn(hiding->memory->transaction->store->erasures,
				  hiding->memory->user, stored.turn.hash, hiding->listed_at);
}

void exchange_list_turns(const struct memory *memory, uint64_t exchange, struct id_list *turns)
{
	struct stored_turn turn = {0};
	struct stored_exchange stored = {0};
	if (exchange == 0 || !memory_turn(memory, exchange, &turn))
		return;
	id_list_add(turns, memory->arena, exchange);
	uint64_t answer = memory_exchange(memory, &turn.turn, &stored) ? stored.answer : 0;
	/* A damaged chain may be circular. */
	for (size_t i = 0; i < ANSWERS_LIMIT && answer != 0; i++) {
		id_list_add(turns, memory->arena, answer);
		answer = memory_turn(memory, answer, &turn) ? turn.earlier : 0;
	}
}

void hide_exchange(struct hiding *hiding, uint64_t exchange)
{
	const struct memory *memory = hiding->memory;
	struct id_list turns = {0};
	exchange_list_turns(memory, exchange, &turns);
	if (turns.count == 0)
		return;
	for (size_t i = 0; i < turns.count; i++)
		hide_turn(hiding, turns.ids[i]);
	(void)memory_delete_job(memory, JOB_FACTS, exchange);
	id_list_add(&hiding->erasure.exchanges, memory->arena, exchange);
}

static void add_found(struct turn_search *searches, const struct fact_saying *sayings, size_t count,
		      const struct memory *memory, const struct turn *turn)
{
	for (size_t i = 0; i < count; i++) {
		if (searches[i].fact == NULL)
			continue;
		searches[i].searched = turn->id;
		if (turn->state != TURN_HIDDEN && fact_is_said(&sayings[i], turn->text))
			id_list_add(&searches[i].turns, memory->arena, turn->id);
	}
}

void turn_searches_run(struct turn_search *searches, size_t count, const struct memory *memory)
{
	struct transaction *transaction = memory->transaction;
	const struct key prefix = memory_key(memory);
	struct fact_saying *sayings = arena_alloc(memory->arena, (count + 1) * sizeof(*sayings));
	uint64_t searched = UINT64_MAX;
	struct stored_turn stored;
	struct scan scan;
	for (size_t i = 0; i < count; i++) {
		if (searches[i].fact == NULL)
			continue;
		sayings[i] = fact_saying_read(searches[i].fact, memory->arena);
		searched = searches[i].searched;
	}
	if (searched == UINT64_MAX)
		return;
	scan_begin_at(&scan, transaction, TABLE_TURNS, prefix, key_u64(prefix, searched + 1),
		      FORWARD);
	scan_let_go(&scan);
	while (scan_turn(&scan, &stored, NULL))
		add_found(searches, sayings, count, memory, &stored.turn);
	scan_end(&scan);
}

struct turn_search turn_search_now(const struct turn_search *search, const struct memory *memory)
{
	struct turn_search now = {.fact = search->fact, .searched = search->searched};
	for (size_t i = 0; i < search->turns.count; i++)
		id_list_add(&now.turns, memory->arena, search->turns.ids[i]);
	turn_searches_run(&now, 1, memory);
	return now;
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
		hide_turn(hiding, gone[i]);
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

/* Facts from a hidden exchange stay unless they were forgotten themselves; their quotes go. */
static void erase_quotes(const struct hiding *hiding)
{
	const struct memory *memory = hiding->memory;
	size_t count;
	struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	for (size_t i = 0; i < count; i++) {
		if (erasure_unquote_fact(&hiding->erasure, &facts[i]))
			memory_put_fact(memory, &facts[i]);
	}
}

void hiding_finish(struct hiding *hiding, const struct job *like)
{
	const struct memory *memory = hiding->memory;
	if (!hiding->erasure.forgotten)
		return;
	erase_quotes(hiding);
	const struct leaving leaving = erasure_leaving(&hiding->erasure);
	(void)erase_derived(memory, &leaving, hiding->found, INT64_MAX);
	memory_recount_uncovered(memory, like);
}

/* ---- what was derived ---- */

enum held { HOLDS_NONE, MENTIONS, HOLDS };

/* Reads a receipt into the arena. Those of other users, which the writer meets, are not read. */
static enum held look_at_receipt(const struct memory *memory, const struct leaving *leaving,
				 uint64_t id, struct stored_receipt *stored, struct arena *arena)
{
	struct slice value;
	*stored = (struct stored_receipt){0};
	if (!table_get(memory->transaction, TABLE_USER_RECEIPTS, memory_id_key(memory, id),
		       &value) ||
	    !table_read(memory->transaction, TABLE_RECEIPTS, key_of_number(id),
			stored_receipt_fields, stored, arena))
		return HOLDS_NONE;
	if (!stored->tells_ids || receipt_holds(&stored->receipt, leaving))
		return HOLDS;
	return receipt_mentions(&stored->receipt, leaving) ? MENTIONS : HOLDS_NONE;
}

static bool is_empty(const struct leaving *leaving)
{
	return leaving->turn_count + leaving->fact_count == 0 && leaving->changed_from == 0;
}

/* The user's own, or those of all users after an age. */
static struct id_list list_receipts(const struct memory *memory, uint64_t age)
{
	struct id_list ids = {0};
	struct scan scan;
	if (age == 0)
		memory_scan(memory, &scan, TABLE_USER_RECEIPTS);
	else
		scan_begin_at(&scan, memory->transaction, TABLE_RECEIPT_AGES, key_empty(),
			      key_of_number(age + 1), FORWARD);
	scan_let_go(&scan);
	while (scan_step(&scan)) {
		uint64_t id = 0;
		if (age == 0)
			id = key_read_u64(scan.at, KEY_ID_AT);
		else if (!table_decode(memory->transaction, scan.value, stored_number_fields, &id,
				       NULL))
			continue;
		id_list_add(&ids, memory->arena, id);
	}
	scan_end(&scan);
	return ids;
}

void receipt_search_run(struct receipt_search *search, const struct memory *memory,
			const struct leaving *leaving)
{
	if (is_empty(leaving))
		return;
	const struct id_list ids = list_receipts(memory, search->until);
	for (size_t i = 0; i < ids.count; i++) {
		const size_t mark = transaction_mark(memory->transaction);
		struct arena scratch = {0};
		struct stored_receipt stored;
		const enum held held =
			look_at_receipt(memory, leaving, ids.ids[i], &stored, &scratch);
		if (held != HOLDS_NONE)
			id_list_add(&search->receipts, memory->arena, ids.ids[i]);
		search->held += held == HOLDS;
		transaction_let_go(memory->transaction, mark);
		arena_finish(&scratch);
	}
	search->until = memory_newest_receipt_age(memory);
}

/* Whose receipts change. Those that hold at least so much go; the others lose the texts of what
 * leaves, unless rewriting them takes room or time that is not there. */
struct receipt_change {
	const struct memory *memory;
	const struct leaving *leaving;
	enum held least;
	size_t rewrites; /* so many more may be rewritten */
	size_t deleted;
};

static void change_receipt(struct receipt_change *change, uint64_t id)
{
	const struct memory *memory = change->memory;
	const struct store *store = memory->transaction->store;
	const size_t mark = transaction_mark(memory->transaction);
	struct arena scratch = {0};
	struct stored_receipt stored;
	const enum held held = look_at_receipt(memory, change->leaving, id, &stored, &scratch);
	if (held != HOLDS_NONE && held < change->least && change->rewrites > 0 &&
	    !store_is_crowded(store) && store_has_room(store)) {
		memory_silence_receipt(memory, id, &stored, change->leaving, &scratch);
		change->rewrites--;
	} else if (held != HOLDS_NONE) {
		memory_delete_receipt(memory, id);
		change->deleted++;
	}
	transaction_let_go(memory->transaction, mark);
	arena_finish(&scratch);
}

/* Returns how many went. */
static size_t change_receipts(struct receipt_change change, const struct receipt_search *found)
{
	if (is_empty(change.leaving))
		return 0;
	const struct id_list since = list_receipts(change.memory, found == NULL ? 0 : found->until);
	for (size_t i = 0; found != NULL && i < found->receipts.count; i++)
		change_receipt(&change, found->receipts.ids[i]);
	for (size_t i = 0; i < since.count; i++)
		change_receipt(&change, since.ids[i]);
	return change.deleted;
}

static bool frozen_goes(const struct memory *memory, struct slice value,
			const struct leaving *leaving, struct arena *scratch)
{
	struct frozen frozen = {0};
	return !table_decode(memory->transaction, value, stored_frozen_fields, &frozen, scratch) ||
	       frozen_holds(&frozen, leaving);
}

static bool replay_goes(const struct memory *memory, struct slice value,
			const struct leaving *leaving, struct arena *scratch)
{
	struct replay replay = {0};
	return !table_decode(memory->transaction, value, stored_replay_fields, &replay, scratch) ||
	       replay_holds(&replay, leaving);
}

static size_t delete_given(const struct memory *memory, enum table table,
			   const struct leaving *leaving)
{
	struct arena scratch = {0};
	size_t deleted = 0;
	struct scan scan;
	memory_scan(memory, &scan, table);
	while (scan_step(&scan)) {
		if (table == TABLE_FROZEN ? frozen_goes(memory, scan.value, leaving, &scratch)
					  : replay_goes(memory, scan.value, leaving, &scratch)) {
			scan_delete(&scan);
			deleted++;
		}
		arena_finish(&scratch);
	}
	scan_end(&scan);
	return deleted;
}

static struct deletion_report erase_given(const struct memory *memory,
					  const struct leaving *leaving)
{
	struct deletion_report count = {0};
	struct summary summary;
	if (is_empty(leaving))
		return count;
	if (leaving->changed_from > 0 && memory_summary(memory, &summary) &&
	    summary_covers(&summary, leaving->changed_from))
		count.summaries = memory_delete(memory, TABLE_SUMMARIES, memory_key(memory));
	count.frozen = delete_given(memory, TABLE_FROZEN, leaving);
	count.replays = delete_given(memory, TABLE_REPLAYS, leaving);
	return count;
}

enum { MOST_REWRITTEN = 256 };

struct deletion_report erase_derived(const struct memory *memory, const struct leaving *leaving,
				     const struct receipt_search *found, int64_t until)
{
	memory_note_epoch(memory, EPOCH_HIDDEN);
	transaction_erases(memory->transaction);
	struct deletion_report count = erase_given(memory, leaving);
	count.receipts = change_receipts(
		(struct receipt_change){memory, leaving, HOLDS, MOST_REWRITTEN, 0}, found);
	links_drop_pending(memory, until);
	return count;
}

struct deletion_report withdraw_derived(const struct memory *memory, const struct leaving *leaving)
{
	memory_note_epoch(memory, EPOCH_TAKEN_BACK);
	return erase_given(memory, leaving);
}

void silence_receipts(const struct memory *memory, const struct leaving *leaving)
{
	(void)change_receipts((struct receipt_change){memory, leaving, HOLDS + 1, SIZE_MAX, 0},
			      NULL);
}

/* ---- more facts than a user may have ---- */

/* Reads nothing but the keys, and of most users only the first and the last one. */
static bool has_too_many_facts(const struct memory *memory)
{
	const struct key user = memory_key(memory);
	uint64_t ends[2] = {0, 0};
	struct scan scan;
	size_t count = 0;
	for (size_t i = 0; i < 2; i++) {
		if (scan_first(&scan, memory->transaction, TABLE_FACTS, user,
			       i == 0 ? FORWARD : BACKWARD))
			ends[i] = key_read_u64(scan.at, KEY_ID_AT);
	}
	if (ends[1] - ends[0] < FACTS_LIMIT)
		return false;
	scan_begin(&scan, memory->transaction, TABLE_FACTS, user, FORWARD);
	scan.opens_none = true;
	while (count <= FACTS_LIMIT && scan_step(&scan))
		count++;
	scan_end(&scan);
	return count > FACTS_LIMIT;
}

size_t erase_facts_beyond(const struct memory *memory, size_t keep, uint64_t spared, int64_t now)
{
	size_t count;
	if (memory_settings(memory).hold_until > now)
		return 0;
	const struct fact *facts = memory_facts(memory, fact_is_any, now, &count);
	const struct id_list gone =
		facts_least_used(facts, count, keep, spared, now, memory->arena);
	const struct leaving leaving = {.facts = gone.ids, .fact_count = gone.count};
	for (size_t i = 0; i < gone.count; i++)
		(void)memory_delete(memory, TABLE_FACTS, memory_id_key(memory, gone.ids[i]));
	if (gone.count > 0)
		(void)erase_derived(memory, &leaving, NULL, INT64_MIN);
	memory->transaction->facts_gone += gone.count;
	return gone.count;
}

size_t erase_least_used_facts(const struct memory *memory, uint64_t spared, int64_t now)
{
	return has_too_many_facts(memory) ? erase_facts_beyond(memory, FACTS_LIMIT, spared, now)
					  : 0;
}

/* ---- a conversation that is not to be remembered ---- */

bool conversation_is_declined(const struct memory *memory, uint32_t conversation)
{
	struct slice value;
	return conversation != 0 &&
	       table_get(memory->transaction, TABLE_DECLINED,
			 memory_conversation_key(memory, conversation), &value);
}

void erase_conversation(const struct memory *memory, uint32_t id,
			const struct past_conversation *conversation)
{
	struct transaction *transaction = memory->transaction;
	const struct key user = memory_key(memory);
	if (conversation->session.size > 0 && memory_session(memory, conversation->session) == id)
		(void)table_delete(transaction, TABLE_SESSIONS,
				   key_digest(user, conversation->session));
	(void)table_delete_all(transaction, TABLE_EXCHANGES, key_u32(user, id));
	(void)table_delete(transaction, TABLE_FROZEN, key_u32(user, id));
	replays_delete(memory, id);
	(void)table_delete(transaction, TABLE_CONVERSATIONS, key_u32(user, id));
	(void)table_delete(transaction, TABLE_DECLINED, memory_conversation_key(memory, id));
}

static void hide_conversation(struct hiding *hiding, uint32_t conversation)
{
	const struct memory *memory = hiding->memory;
	struct id_list exchanges = {0};
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   memory_conversation_key(memory, conversation), FORWARD);
	while (scan_step(&scan))
		id_list_add(&exchanges, memory->arena, key_read_u64(scan.at, KEY_EXCHANGE_AT));
	scan_end(&scan);
	for (size_t i = 0; i < exchanges.count; i++)
		hide_exchange(hiding, exchanges.ids[i]);
}

/* Facts that a person wrote or pinned do not rest on the conversation. */
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
		memory_put_fact(memory, &facts[i]);
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
	memory_write(memory, TABLE_DECLINED, memory_conversation_key(memory, conversation),
		     stored_number_fields, &at);
}
