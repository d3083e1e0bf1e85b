#include "core/learn/learn.h"

bool change_update_fact(struct fact *fact, bool is_stored, const struct change *change,
			uint64_t superseded_by, uint64_t exchange)
{
	const bool stands = change->fact.state == FACT_CURRENT;
	/* A fact forgotten in the meantime stays forgotten. */
	if (is_stored ? fact->state == FACT_FORGOTTEN : !stands)
		return false;
	/* While this turn, which says the fact again, was learned from, the turn that the fact
	 * rested on was taken back or expired. */
	const bool moves = stands && (!is_stored || fact->state == FACT_RETRACTED);
	if (!is_stored)
		*fact = change->fact;
	if (moves) {
		fact->exchange = exchange;
		fact->quote = (struct slice){0};
	}
	fact->state = change->fact.state;
	fact->ended_at = change->fact.ended_at;
	fact->expires_at = change->fact.expires_at;
	fact->observed_at = change->fact.observed_at;
	fact->superseded_by = superseded_by;
	return true;
}
