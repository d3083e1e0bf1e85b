#include "core/memory/erasure.h"

bool erasure_takes_turn(const struct turn *turn, const struct turn *asked, int64_t until)
{
	const struct turn *said = asked != NULL ? asked : turn;
	return turn->state != TURN_HIDDEN && said->created_at <= until;
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
	erasure->forgotten = true;
	if (turn->id < erasure->first_turn)
		erasure->first_turn = turn->id;
	return true;
}

void erasure_forget_fact(struct erasure *erasure, struct fact *fact, int64_t now)
{
	fact->state = FACT_FORGOTTEN;
	fact->value = fact->metadata = (struct slice){0};
	fact->agent = fact->app = (struct slice){0};
	fact_unquote(fact);
	fact->ended_at = now;
	erasure->forgotten = true;
}

bool erasure_unquote_fact(const struct erasure *erasure, struct fact *fact)
{
	if (fact->quote.size == 0 || !id_list_has(&erasure->exchanges, fact->exchange))
		return false;
	fact_unquote(fact);
	return true;
}

bool erasure_takes_summary(const struct erasure *erasure, const struct summary *summary)
{
	return summary_covers(summary, erasure->first_turn);
}
