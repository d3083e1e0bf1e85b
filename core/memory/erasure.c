#include "core/memory/erasure.h"

bool erasure_takes_turn(const struct turn *turn, const struct turn *asked, int64_t until)
{
	const struct turn *said = asked != NULL ? asked : turn;
	return turn->state != TURN_HIDDEN && said->created_at <= until;
}

static void reach(struct erasure *erasure, uint64_t turn)
{
	erasure->forgotten = true;
	if (turn != 0 && turn < erasure->first_turn)
		erasure->first_turn = turn;
}

void erasure_note_turn(struct erasure *erasure, uint64_t turn, struct arena *arena)
{
	id_list_add(&erasure->turns, arena, turn);
	reach(erasure, turn);
}

bool erasure_hide_turn(struct erasure *erasure, struct turn *turn, bool is_for_summary,
		       struct arena *arena)
{
	if (turn->state == TURN_HIDDEN)
		return false;
	if (turn->state == TURN_CURRENT && is_for_summary)
		id_list_add(&erasure->learned, arena, turn->id);
	turn->state = TURN_HIDDEN;
	turn->text = (struct slice){0};
	erasure_note_turn(erasure, turn->id, arena);
	return true;
}

void erasure_forget_fact(struct erasure *erasure, struct fact *fact, int64_t now,
			 struct arena *arena)
{
	fact->state = FACT_FORGOTTEN;
	fact->value = fact->metadata = (struct slice){0};
	fact->agent = fact->app = (struct slice){0};
	fact_unquote(fact);
	fact->ended_at = now;
	id_list_add(&erasure->facts, arena, fact->id);
	reach(erasure, fact->exchange);
}

void erasure_conceal_fact(struct erasure *erasure, const struct fact *fact, struct arena *arena)
{
	id_list_add(&erasure->facts, arena, fact->id);
	if (fact->exchange != 0)
		id_list_add(&erasure->turns, arena, fact->exchange);
	reach(erasure, fact->exchange);
}

bool erasure_unquote_fact(const struct erasure *erasure, struct fact *fact)
{
	if (fact->quote.size == 0 || !id_list_has(&erasure->exchanges, fact->exchange))
		return false;
	fact_unquote(fact);
	return true;
}

struct leaving erasure_leaving(struct erasure *erasure)
{
	ids_sort(erasure->turns.ids, erasure->turns.count);
	ids_sort(erasure->facts.ids, erasure->facts.count);
	return (struct leaving){
		.turns = erasure->turns.ids,
		.turn_count = erasure->turns.count,
		.facts = erasure->facts.ids,
		.fact_count = erasure->facts.count,
		.changed_from = erasure->first_turn == UINT64_MAX ? 0 : erasure->first_turn,
	};
}
