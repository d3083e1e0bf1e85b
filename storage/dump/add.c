/* Writes the new parts of a memory. The store holds a whole memory after each turn and each fact,
 * so a part may stay. */
#include "core/facts/change.h"
#include "storage/dump/take_in.h"
#include "storage/files/erasures.h"
#include "storage/user/branch.h"
#include "storage/user/memory.h"

/* Roughly how many records each one writes, and how many bytes of words make another. */
enum { STEPS_OF_CONVERSATION = 4, STEPS_OF_TURN = 16, STEPS_OF_FACT = 4, BYTES_OF_STEP = 4 };

/* The id that a turn of the memory has here; 0: none, or none yet. */
static uint64_t here(const struct taking *taking, uint64_t id)
{
	const size_t at = place_of_turn(taking->from, id);
	if (at == taking->from->turn_count)
		return place_before(taking->from, id);
	if (taking->ids->known_turns[at] != 0)
		return taking->ids->known_turns[at];
	return taking->ids->new_turns[at] && at < taking->at->added ? taking->ids->turns[at] : 0;
}

/* ---- conversations ---- */

static size_t open_conversation(struct taking *taking, size_t at)
{
	const struct memory *memory = &taking->memory;
	const struct past_conversation *from = &taking->from->conversations[at].conversation;
	struct past_conversation conversation = {.session = from->session};
	uint32_t id = taking->ids->known_conversations[at];
	const size_t first = taking->ids->first_new[at];
	if (first == 0)
		return 1;
	if (id == 0)
		id = taking->from->conversations[at].here;
	if (id == 0 && from->session.size > 0)
		id = memory_session(memory, from->session);
	if (id == 0 || !memory_conversation(memory, id, &conversation)) {
		id = memory_begin_conversation(memory, &taking->user, from->session);
		taking->is_user_newer = true;
		taking->at->count.conversations++;
	}
	if (from->last_active > conversation.last_active)
		conversation.last_active = from->last_active;
	if (taking->from->appends) {
		const uint32_t by =
			conversation.answers - taking->from->turns[first - 1].turn.ordinal;
		taking->ids->ordinals_by[at] = by;
		conversation.answers = from->answers + by;
	} else if (from->answers > conversation.answers) {
		conversation.answers = from->answers;
	}
	conversation.carries_history |= from->carries_history;
	conversation.branched |= from->branched;
	memory_put_conversation(memory, id, &conversation);
	taking->ids->conversations[at] = taking->from->conversations[at].here = id;
	return 1 + STEPS_OF_CONVERSATION;
}

bool taking_open(struct taking *taking)
{
	return taking_each(taking, taking->from->conversation_count, open_conversation);
}

/* ---- turns ---- */

static void begin_exchange(struct taking *taking, const struct portable_turn *from,
			   const struct turn *turn)
{
	const struct memory *memory = &taking->memory;
	const struct job like = {.kind = JOB_FACTS, .last_active = taking->now};
	struct stored_exchange exchange = {.answer = here(taking, from->answer),
					   .user_hash = from->own_hash,
					   .queued = from->learning != PORTABLE_NOT_LEARNED,
					   .taken_back_at = from->taken_back_at};
	memory_put_exchange(memory, turn, &exchange);
	if (from->learning != PORTABLE_PENDING || !taking->may_learn)
		return;
	journal_release_jobs(memory, &taking->user);
	journal_add_job(memory, &taking->user, turn->id, &like);
}

/* Links the answer to its exchange, unless that has one. Both ids are the store's. */
static void show_answer(struct taking *taking, uint64_t asked, uint64_t answer)
{
	const struct memory *memory = &taking->memory;
	struct stored_turn stored;
	struct stored_exchange exchange = {0};
	if (!memory_turn(memory, asked, &stored) ||
	    !memory_exchange(memory, &stored.turn, &exchange) || exchange.answer != 0)
		return;
	exchange.answer = answer;
	memory_put_exchange(memory, &stored.turn, &exchange);
}

/* The newest user turn of the conversation that waits for an answer, which an earlier part or
 * import may have brought; 0: none does. */
static uint64_t find_unanswered(const struct taking *taking, const struct turn *answer)
{
	enum { EXCHANGE_AT = 24 /* in the key */ };
	const struct memory *memory = &taking->memory;
	struct stored_exchange exchange = {0};
	struct scan scan;
	uint64_t id = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(memory_conversation_key(memory, answer->conversation), answer->ordinal),
		   BACKWARD);
	if (scan_step(&scan) &&
	    table_decode(memory->transaction, scan.value, stored_exchange_fields, &exchange,
			 NULL) &&
	    exchange.answer == 0)
		id = key_read_u64(scan.at, EXCHANGE_AT);
	scan_end(&scan);
	return id;
}

static void link_answer(struct taking *taking, const struct portable_turn *from,
			const struct turn *turn)
{
	const struct memory *memory = &taking->memory;
	const size_t place = place_of_turn(taking->from, from->turn.exchange);
	const struct portable_turn *asked =
		place < taking->from->turn_count ? &taking->from->turns[place] : NULL;
	const struct stored_answer print = {.user_hash = asked != NULL ? asked->own_hash : 0};
	struct stored_exchange alone = {.answer = turn->id};
	journal_fingerprint_answer(memory, turn->hash, turn->conversation, turn->ordinal, print);
	if (turn->exchange == 0)
		memory_put_exchange(memory, turn, &alone);
	else if (asked == NULL || (asked->turn.role == ROLE_USER && asked->answer == from->turn.id))
		show_answer(taking, turn->exchange, turn->id);
}

static bool is_uncovered(const struct taking *taking, const struct stored_turn *stored, size_t i)
{
	const bool is_covered = taking->takes_summary &&
				taking->from->turns[i].turn.id <= taking->from->summary.covers;
	return stored->learn && stored->turn.state == TURN_CURRENT && !is_covered &&
	       taking->may_learn;
}

static size_t add_turn(struct taking *taking, size_t i)
{
	const struct portable_turn *from = &taking->from->turns[i];
	const size_t at = place_of_conversation(taking->from, from->turn.conversation);
	struct stored_turn stored = {.turn = from->turn, .learn = from->learn};
	if (!taking->ids->new_turns[i])
		return 1;
	stored.turn.conversation = taking->ids->conversations[at];
	stored.turn.ordinal += taking->ids->ordinals_by[at];
	stored.turn.exchange = here(taking, from->turn.exchange);
	stored.earlier = here(taking, from->earlier);
	if (taking->from->appends && from->turn.exchange == 0)
		stored.turn.exchange = find_unanswered(taking, &stored.turn);
	journal_add_turn(&taking->memory, &taking->user, &stored);
	taking->is_user_newer = true;
	taking->ids->turns[i] = taking->from->turns[i].here = stored.turn.id;
	taking->at->added = i + 1;
	taking->at->count.turns++;
	if (stored.turn.role == ROLE_USER)
		begin_exchange(taking, from, &stored.turn);
	else
		link_answer(taking, from, &stored.turn);
	taking->uncovered += is_uncovered(taking, &stored, i);
	if (stored.turn.created_at < taking->user.first_seen)
		taking->user.first_seen = stored.turn.created_at;
	if (stored.turn.created_at > taking->user.last_seen)
		taking->user.last_seen = stored.turn.created_at;
	return 1 + STEPS_OF_TURN + stored.turn.text.size / BYTES_OF_STEP;
}

/* A job that is there keeps its model. */
static void tell_summary(const struct taking *taking)
{
	const struct job like = {.kind = JOB_SUMMARY, .last_active = taking->now};
	struct job job;
	const bool has_job = memory_job(&taking->memory, JOB_SUMMARY, 0, &job);
	journal_count_uncovered(&taking->memory, taking->uncovered, 0, has_job ? NULL : &like);
}

/* A summary may tell of turns that were erased, or that their conversation has left: then it stays
 * out. */
static bool has_summary_to_take(const struct taking *taking)
{
	const struct portable_memory *from = taking->from;
	const size_t at = place_of_turn(from, from->summary.covers);
	struct summary stored;
	const bool has_covered =
		at < from->turn_count || place_before(from, from->summary.covers) != 0;
	return from->has_summary && taking->at->count.erased == 0 && !taking->at->count.withdrawn &&
	       (has_covered || from->has_more) && !memory_summary(&taking->memory, &stored);
}

bool taking_add_turns(struct taking *taking)
{
	taking->takes_summary = has_summary_to_take(taking);
	const bool is_over = taking_each(taking, taking->from->turn_count, add_turn);
	tell_summary(taking);
	return is_over;
}

/* ---- facts ---- */

static uint64_t fact_here(const struct taking *taking, uint64_t id)
{
	const struct places *places = &taking->from->index->fact_ids;
	const size_t at = places_find_id(places, id);
	if (id == 0 || at == places->count)
		return 0;
	if (taking->ids->known_facts[at] != 0)
		return taking->ids->known_facts[at];
	return taking->ids->new_facts[at] ? taking->at->first_fact + taking->ids->facts[at] : 0;
}

static size_t add_fact(struct taking *taking, size_t i)
{
	const struct memory *memory = &taking->memory;
	struct fact fact = taking->from->facts[i];
	if (!taking->ids->new_facts[i])
		return 1;
	fact.id = taking->at->first_fact + taking->ids->facts[i];
	fact.exchange = here(taking, fact.exchange);
	fact.superseded_by = fact_here(taking, fact.superseded_by);
	memory_write(memory, TABLE_FACTS, memory_id_key(memory, fact.id), stored_fact_fields,
		     &fact);
	return 1 + STEPS_OF_FACT + (fact.value.size + fact.quote.size) / BYTES_OF_STEP;
}

/* All ids are taken before the first fact is written, since one may name a later one. */
bool taking_add_facts(struct taking *taking)
{
	if (taking->at->next == 0 && taking->at->new_facts > 0) {
		taking->at->first_fact = taking->user.next_fact;
		taking->user.next_fact += taking->at->new_facts;
		taking->is_user_newer = true;
	}
	return taking_each(taking, taking->from->fact_count, add_fact);
}

/* The first fact to be settled: a crash may have left those that an earlier run wrote. */
static uint64_t first_to_settle(const struct taking *taking)
{
	uint64_t first = taking->at->new_facts > 0 ? taking->at->first_fact : UINT64_MAX;
	for (size_t i = 0; i < taking->from->fact_count; i++) {
		const uint64_t known = taking->ids->known_facts[i];
		first = known != 0 && known < first ? known : first;
	}
	return first;
}

/* Of one key one value stands, and none twice: against the facts that were there, too. */
bool taking_settle_facts(struct taking *taking)
{
	const struct memory *memory = &taking->memory;
	const uint64_t first = first_to_settle(taking);
	size_t count;
	if (first == UINT64_MAX)
		return true;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	const struct fact_changes changes =
		facts_settle(facts, count, first, taking->now, memory->arena);
	supersede_facts(memory, &changes, taking->now);
	taking_spend(taking, count + STEPS_OF_FACT * changes.count);
	return true;
}

/* ---- the end ---- */

static void take_summary(struct taking *taking)
{
	const struct memory *memory = &taking->memory;
	const struct job like = {.kind = JOB_SUMMARY, .last_active = taking->now};
	struct summary summary = taking->from->summary;
	summary.covers = here(taking, summary.covers);
	memory_write(memory, TABLE_SUMMARIES, memory_key(memory), stored_summary_fields, &summary);
	taking->at->count.summary = true;
	if (!taking->is_new_user)
		memory_recount_uncovered(memory, &like);
}

/* The person's own word stands. */
static void take_settings(struct taking *taking)
{
	const struct memory *memory = &taking->memory;
	const struct user_settings *settings = &taking->from->settings;
	if (!settings->is_stored || settings_are_default(settings) ||
	    memory_settings(memory).is_stored)
		return;
	if (erasures_hold_user(memory->transaction->store->erasures, memory->user,
			       settings->changed_at)) {
		taking->at->count.erased++;
		return;
	}
	memory_put_settings(memory, settings);
	taking->at->count.settings = true;
	if (settings->learn)
		return;
	(void)table_delete_all(memory->transaction, TABLE_JOBS, memory_key(memory));
	(void)table_delete_all(memory->transaction, TABLE_PARKED, memory_key(memory));
}

bool taking_close(struct taking *taking)
{
	if (taking->from->has_more)
		return true;
	if (has_summary_to_take(taking))
		take_summary(taking);
	take_settings(taking);
	return true;
}
