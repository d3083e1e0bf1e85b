#include "core/memory/given.h"

#include "core/base/ids.h"

static bool hold_any(const uint64_t *sorted, size_t sorted_count, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; sorted_count > 0 && i < count; i++) {
		if (ids_hold(sorted, sorted_count, ids[i]))
			return true;
	}
	return false;
}

static bool holds_turn(const struct leaving *leaving, const uint64_t *turns, size_t count)
{
	return hold_any(leaving->turns, leaving->turn_count, turns, count);
}

static bool holds_fact(const struct leaving *leaving, const uint64_t *facts, size_t count)
{
	return hold_any(leaving->facts, leaving->fact_count, facts, count);
}

static bool holds_summary(const struct leaving *leaving, uint64_t covers)
{
	return leaving->changed_from > 0 && covers >= leaving->changed_from;
}

bool frozen_holds(const struct frozen *frozen, const struct leaving *leaving)
{
	return holds_summary(leaving, frozen->covers) ||
	       holds_turn(leaving, frozen->given, frozen->given_count) ||
	       holds_turn(leaving, &frozen->covers, 1) ||
	       holds_fact(leaving, frozen->facts, frozen->fact_count) ||
	       holds_fact(leaving, frozen->ended, frozen->ended_count);
}

bool replay_holds(const struct replay *replay, const struct leaving *leaving)
{
	return holds_turn(leaving, replay->turns, replay->turn_count) ||
	       holds_fact(leaving, replay->facts, replay->fact_count);
}

bool receipt_holds(const struct receipt *receipt, const struct leaving *leaving)
{
	return holds_summary(leaving, receipt->covers) ||
	       holds_turn(leaving, receipt->turns, receipt->turn_count - receipt->turns_left_out) ||
	       holds_fact(leaving, receipt->facts, receipt->fact_count - receipt->facts_left_out);
}

bool receipt_mentions(const struct receipt *receipt, const struct leaving *leaving)
{
	return holds_turn(leaving, receipt->turns, receipt->turn_count) ||
	       holds_fact(leaving, receipt->facts, receipt->fact_count);
}
