#include "core/memory/erasure.h"

#include <stdlib.h>

bool expiry_takes_turn(const struct expiry *expiry, const struct turn *turn)
{
	return turn->created_at <= expiry->turns_until;
}

bool turn_expires_alone(const struct turn *turn, const struct turn *asked)
{
	/* In a damaged store, the turn that it answers may be missing. */
	return turn->exchange == turn->id || asked == NULL || asked->state == TURN_HIDDEN;
}

bool expiry_takes_conversation(const struct expiry *expiry, int64_t last_active)
{
	return last_active <= expiry->turns_until;
}

bool expiry_keeps_summary(const struct expiry *expiry, const struct turn *covered)
{
	return covered->state != TURN_HIDDEN && !expiry_takes_turn(expiry, covered);
}

enum fact_fate expiry_of_fact(const struct expiry *expiry, const struct fact *fact)
{
	int64_t kind_until = expiry->kinds_until[fact_kind_of(fact->kind)];
	if (fact->state == FACT_HIDDEN && expiry->hidden_until != 0 &&
	    fact->ended_at <= expiry->hidden_until)
		return FACT_IS_DELETED;
	if (fact->observed_at <= expiry->facts_until ||
	    (kind_until != 0 && fact->observed_at <= kind_until))
		return FACT_IS_DELETED;
	if (!fact->pii || fact->state == FACT_FORGOTTEN)
		return FACT_STAYS;
	if (expiry->pii == PII_DROP)
		return FACT_IS_DELETED;
	return expiry->pii == PII_REDACT && !fact_is_masked(fact) ? FACT_IS_MASKED : FACT_STAYS;
}

bool expiry_takes_facts(const struct expiry *expiry)
{
	bool takes_kind = false;
	for (size_t i = 0; i < FACT_KINDS; i++)
		takes_kind |= expiry->kinds_until[i] != 0;
	return takes_kind || expiry->facts_until != INT64_MIN || expiry->pii != PII_KEEP;
}

bool expiry_takes_summary(const struct expiry *expiry, const struct summary *summary)
{
	return expiry->summaries_until != 0 && summary->updated_at <= expiry->summaries_until;
}

bool expiry_takes_receipt(const struct expiry *expiry, uint64_t receipt)
{
	return expiry->receipts_until > 0 &&
	       receipt >> RECEIPT_TIME_SHIFT <= (uint64_t)expiry->receipts_until;
}

static int compare_times(const void *a, const void *b)
{
	int64_t left = ((const struct sized_turn *)a)->said_at;
	int64_t right = ((const struct sized_turn *)b)->said_at;
	return (left > right) - (left < right);
}

void expiry_cut(struct expiry *expiry, struct sized_turn *turns, size_t count, uint64_t keep)
{
	uint64_t left = 0;
	expiry->turns_until = INT64_MIN;
	for (size_t i = 0; i < count; i++)
		left += turns[i].bytes;
	if (left <= keep)
		return;
	qsort(turns, count, sizeof(*turns), compare_times);
	for (size_t i = 0; i < count; i++) {
		if (left <= keep && turns[i].said_at > expiry->turns_until)
			return;
		expiry->turns_until = turns[i].said_at;
		left -= turns[i].bytes;
	}
}
