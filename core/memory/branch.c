#include "core/memory/position.h"

/* A forgotten turn stays hidden, but its exchange is left and returned to like any other: facts may
 * rest on it. */
static bool stands(const struct past_exchange *exchange)
{
	return exchange->state == TURN_HIDDEN ? exchange->taken_back_at == 0
					      : exchange->state == TURN_CURRENT;
}

static void change_from(struct branch *branch, uint64_t turn)
{
	if (turn != 0 && (branch->first_turn == 0 || turn < branch->first_turn))
		branch->first_turn = turn;
}

uint32_t branch_find_returned(struct branch *branch, const struct past_exchange *kept, size_t count,
			      uint32_t from, struct arena *arena)
{
	branch->returned = (struct id_list){0};
	branch->first_turn = 0;
	for (size_t i = 0; i < count; i++) {
		if (stands(&kept[i]) || id_list_has(&branch->returned, kept[i].id))
			continue;
		id_list_add(&branch->returned, arena, kept[i].id);
		if (kept[i].state != TURN_HIDDEN)
			change_from(branch, kept[i].id);
		if (kept[i].ordinal < from)
			from = kept[i].ordinal;
	}
	return from;
}

static void take(struct branch *branch, const struct past_exchange *exchange, struct arena *arena)
{
	id_list_add(&branch->taken, arena, exchange->id);
	if (exchange->state == TURN_HIDDEN)
		return;
	/* A user turn's id is also its exchange's, and is lower than its answer's. */
	change_from(branch, exchange->id);
	id_list_add(&branch->gone, arena, exchange->id);
	if (exchange->answer != 0)
		id_list_add(&branch->gone, arena, exchange->answer);
}

static void show(struct branch *branch, const struct carried_answer *answer, struct arena *arena)
{
	id_list_add(&branch->shown, arena, answer->id);
	change_from(branch, answer->id);
	change_from(branch, answer->standing);
	if (answer->standing != 0)
		id_list_add(&branch->gone, arena, answer->standing);
}

bool branch_find_taken(struct branch *branch, struct past_exchanges exchanges,
		       const struct carried_answer *carried, size_t carried_count,
		       struct arena *arena)
{
	branch->taken = branch->shown = branch->gone = (struct id_list){0};
	for (size_t i = 0; i < exchanges.count; i++) {
		const struct past_exchange *exchange = &exchanges.exchanges[i];
		if (stands(exchange) && !id_list_has(&branch->kept, exchange->id))
			take(branch, exchange, arena);
	}
	for (size_t i = 0; i < carried_count; i++) {
		if (carried[i].standing != carried[i].id)
			show(branch, &carried[i], arena);
	}
	ids_sort(branch->gone.ids, branch->gone.count);
	return branch->taken.count + branch->returned.count + branch->shown.count > 0;
}

bool branch_lets_stand(const struct branch *branch, const struct past_exchange *exchange)
{
	if (exchange->state == TURN_CURRENT)
		return !id_list_has(&branch->taken, exchange->id);
	return exchange->state == TURN_SUPERSEDED && id_list_has(&branch->returned, exchange->id);
}
