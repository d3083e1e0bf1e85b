#include "storage/journal/supersede.h"

#include "core/base/ids.h"
#include "storage/user/replays.h"

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
		table_write(memory->transaction, TABLE_FACTS, memory_fact_key(memory, facts[i].id),
			    stored_fact_fields, &facts[i]);
		if (facts[i].state != FACT_CURRENT)
			id_list_add(&superseding->facts, memory->arena, facts[i].id);
	}
}

/* A context stands if it has no summary, or only one of older turns. */
void supersede_summary(const struct memory *memory, uint64_t from, const struct job *like)
{
	(void)table_delete(memory->transaction, TABLE_SUMMARIES, key_of_user(memory->user));
	(void)frozen_delete_holding(memory, &(struct leaving){.changed_from = from});
	memory_recount_uncovered(memory, like);
}

/* Every reader of a frozen context checks whether its facts stand. */
static void drop_given(struct superseding *superseding, uint64_t from)
{
	ids_sort(superseding->turns.ids, superseding->turns.count);
	ids_sort(superseding->facts.ids, superseding->facts.count);
	struct leaving leaving = {.turns = superseding->turns.ids,
				  .turn_count = superseding->turns.count,
				  .changed_from = from};
	(void)frozen_delete_holding(superseding->memory, &leaving);
	leaving.facts = superseding->facts.ids;
	leaving.fact_count = superseding->facts.count;
	(void)replays_delete_holding(superseding->memory, &leaving);
}

void supersede_given(const struct memory *memory, uint64_t turn)
{
	struct store *store = memory->transaction->store;
	const struct leaving leaving = {.turns = &turn, .turn_count = 1};
	forget_epochs_record(store->taken_back, memory->user, ++store->next_forget_epoch);
	(void)frozen_delete_holding(memory, &leaving);
	(void)replays_delete_holding(memory, &leaving);
}

void supersede(const struct memory *memory, struct stored_user *user, const struct branch *branch,
	       int64_t at, const struct job *like)
{
	struct store *store = memory->transaction->store;
	struct superseding superseding = {
		.memory = memory, .user = user, .branch = branch, .at = at, .like = like};
	const uint64_t from = branch->first_turn;
	struct summary summary;
	bool summary_goes = memory_summary(memory, &summary) && summary_covers(&summary, from);
	/* Also invalidates requests in progress: they may have been given what is now taken
	 * back. */
	forget_epochs_record(store->taken_back, memory->user, ++store->next_forget_epoch);
	change_facts(&superseding);
	for (size_t i = 0; i < branch->taken.count; i++)
		take(&superseding, branch->taken.ids[i]);
	for (size_t i = 0; i < branch->returned.count; i++)
		give_back(&superseding, branch->returned.ids[i]);
	for (size_t i = 0; i < branch->shown.count; i++)
		show(&superseding, branch->shown.ids[i]);
	drop_given(&superseding, from);
	if (summary_goes)
		(void)table_delete(memory->transaction, TABLE_SUMMARIES, key_of_user(memory->user));
	memory_recount_uncovered(memory, like);
}
