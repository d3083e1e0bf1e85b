#include "storage/user/branch.h"

#include "core/base/ids.h"
#include "core/text/text.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

struct superseding {
	const struct memory *memory;
	struct stored_user *user;
	const struct branch *branch;
	int64_t at;
	const struct job *like;
	struct id_list turns; /* superseded ones */
	struct id_list facts; /* facts that ceased to be current */
};

static void change_turn(struct superseding *superseding, uint64_t id, enum turn_state from,
			enum turn_state to)
{
	struct stored_turn turn;
	if (id == 0 || !memory_turn(superseding->memory, id, &turn) || turn.turn.state != from)
		return;
	turn.turn.state = to;
	memory_put_turn(superseding->memory, &turn);
	if (to == TURN_SUPERSEDED)
		id_list_add(&superseding->turns, superseding->memory->arena, id);
}

static void take(struct superseding *superseding, uint64_t id)
{
	const struct memory *memory = superseding->memory;
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!exchange_turn(memory, id, &turn) || !memory_exchange(memory, &turn.turn, &exchange))
		return;
	change_turn(superseding, id, TURN_CURRENT, TURN_SUPERSEDED);
	change_turn(superseding, exchange.answer, TURN_CURRENT, TURN_SUPERSEDED);
	/* A job that is dropped means that nothing was learned yet. */
	if (memory_delete_job(memory, JOB_FACTS, id))
		exchange.queued = false;
	exchange.taken_back_at = superseding->at;
	memory_put_exchange(memory, &turn.turn, &exchange);
}

static void give_back(struct superseding *superseding, uint64_t id)
{
	const struct memory *memory = superseding->memory;
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!exchange_turn(memory, id, &turn) || !memory_exchange(memory, &turn.turn, &exchange))
		return;
	change_turn(superseding, id, TURN_SUPERSEDED, TURN_CURRENT);
	change_turn(superseding, exchange.answer, TURN_SUPERSEDED, TURN_CURRENT);
	if (turn.learn && !exchange.queued && turn.turn.state != TURN_HIDDEN) {
		journal_add_job(memory, superseding->user, id, superseding->like);
		exchange.queued = true;
	}
	exchange.taken_back_at = 0;
	memory_put_exchange(memory, &turn.turn, &exchange);
}

static uint64_t earlier_answer(const struct memory *memory, uint64_t id)
{
	struct stored_turn turn;
	return memory_turn(memory, id, &turn) ? turn.earlier : 0;
}

static void set_earlier(const struct memory *memory, uint64_t id, uint64_t earlier)
{
	struct stored_turn turn;
	if (!memory_turn(memory, id, &turn))
		return;
	turn.earlier = earlier;
	memory_put_turn(memory, &turn);
}

/* Moves the answer to the head of its exchange's answers. */
static void show(struct superseding *superseding, uint64_t id)
{
	const struct memory *memory = superseding->memory;
	struct stored_turn answer;
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!memory_turn(memory, id, &answer) ||
	    !exchange_turn(memory, answer.turn.exchange, &turn) ||
	    !memory_exchange(memory, &turn.turn, &exchange))
		return;
	uint64_t before = exchange.answer;
	for (size_t i = 0; i < ANSWERS_LIMIT && before != 0; i++) {
		uint64_t next = earlier_answer(memory, before);
		if (next == id)
			break;
		before = next;
	}
	if (before == 0 || before == id)
		return;
	change_turn(superseding, exchange.answer, TURN_CURRENT, TURN_SUPERSEDED);
	set_earlier(memory, before, answer.earlier);
	set_earlier(memory, id, exchange.answer);
	if (turn.turn.state == TURN_CURRENT)
		change_turn(superseding, id, TURN_SUPERSEDED, TURN_CURRENT);
	exchange.answer = id;
	memory_put_exchange(memory, &turn.turn, &exchange);
}

/* Runs before the turns change, since it reads from them what the facts rest on. */
static void change_facts(struct superseding *superseding)
{
	const struct memory *memory = superseding->memory;
	size_t count;
	bool *changed;
	struct fact *facts =
		branch_facts(superseding->branch, memory, superseding->at, &changed, &count);
	for (size_t i = 0; i < count; i++) {
		if (!changed[i])
			continue;
		memory_put_fact(memory, &facts[i]);
		if (facts[i].state != FACT_CURRENT)
			id_list_add(&superseding->facts, memory->arena, facts[i].id);
	}
}

void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like)
{
	struct superseding superseding = {
		.memory = memory, .user = user, .branch = branch, .at = at, .like = like};
	change_facts(&superseding);
	for (size_t i = 0; i < branch->taken.count; i++)
		take(&superseding, branch->taken.ids[i]);
	for (size_t i = 0; i < branch->returned.count; i++)
		give_back(&superseding, branch->returned.ids[i]);
	for (size_t i = 0; i < branch->shown.count; i++)
		show(&superseding, branch->shown.ids[i]);
	ids_sort(superseding.turns.ids, superseding.turns.count);
	ids_sort(superseding.facts.ids, superseding.facts.count);
	const struct leaving leaving = {.turns = superseding.turns.ids,
					.turn_count = superseding.turns.count,
					.facts = superseding.facts.ids,
					.fact_count = superseding.facts.count,
					.changed_from = branch->first_turn};
	(void)withdraw_derived(memory, &leaving);
	memory_recount_uncovered(memory, like);
}

/* ---- facts ---- */

/* The turns that say what is now wrong: they stay, and are given with a mark from now on. */
static struct id_list wrong_turns(const struct memory *memory, const struct fact_changes *changes)
{
	struct id_list turns = {0};
	for (size_t i = 0; i < changes->wrong_count; i++) {
		if (changes->wrong[i].exchange != 0)
			id_list_add(&turns, memory->arena, changes->wrong[i].exchange);
	}
	ids_sort(turns.ids, turns.count);
	return turns;
}

/* A summary that may tell of a wrong value goes; the next one is told what holds. */
static bool summary_tells(const struct memory *memory, const struct fact_changes *changes)
{
	struct summary summary;
	bool tells = false;
	if (changes->wrong_count == 0 || !memory_summary(memory, &summary))
		return false;
	for (size_t i = 0; i < changes->wrong_count; i++) {
		const struct fact *wrong = &changes->wrong[i];
		tells |= (wrong->exchange != 0 && summary_covers(&summary, wrong->exchange)) ||
			 text_says(summary.text, wrong->value);
	}
	return tells;
}

static void write_facts(const struct memory *memory, const struct fact_changes *changes,
			int64_t now)
{
	for (size_t i = 0; i < changes->count; i++)
		memory_put_fact(memory, &changes->facts[i]);
	for (size_t i = 0; i < changes->dropped_count; i++)
		(void)memory_delete(memory, TABLE_FACTS,
				    memory_id_key(memory, changes->dropped[i]));
	for (size_t i = 0; i < changes->wrong_count; i++)
		memory_bury(memory, &changes->wrong[i], now);
	for (size_t i = 0; i < changes->right_count; i++)
		memory_lift(memory, &changes->right[i]);
}

void supersede_facts(const struct memory *memory, const struct fact_changes *changes, int64_t now)
{
	const struct job like = {.kind = JOB_SUMMARY, .last_active = now};
	if (changes->count + changes->dropped_count == 0)
		return;
	write_facts(memory, changes, now);
	const struct id_list turns = wrong_turns(memory, changes);
	const struct leaving leaving = {.turns = turns.ids,
					.turn_count = turns.count,
					.facts = changes->left,
					.fact_count = changes->left_count,
					.changed_from = summary_tells(memory, changes)};
	if (withdraw_derived(memory, &leaving).summaries > 0)
		memory_recount_uncovered(memory, &like);
}
