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

/* ---- turns as they are stored for injection ---- */

void said_turns_add(struct buffer *out, enum role role, struct slice text)
{
	buffer_append_number(out, (uint64_t)role);
	buffer_append_byte(out, ' ');
	buffer_append_number(out, text.size);
	buffer_append_byte(out, ':');
	buffer_append(out, text);
}

/* Takes the number before `end` off the list, and `end` with it. */
static bool take_number(struct slice *list, char end, size_t most, size_t *number)
{
	size_t at = 0;
	*number = 0;
	for (; at < list->size && list->data[at] >= '0' && list->data[at] <= '9'; at++) {
		*number = *number * 10 + (size_t)(list->data[at] - '0');
		if (*number > most)
			return false;
	}
	if (at == 0 || at == list->size || list->data[at] != end)
		return false;
	*list = slice_part(*list, at + 1, list->size);
	return true;
}

bool said_turns_take(struct slice *list, enum role *role, struct slice *text)
{
	size_t number;
	size_t size;
	if (!take_number(list, ' ', ROLE_OTHER, &number) ||
	    !take_number(list, ':', list->size, &size) || size > list->size)
		return false;
	*role = (enum role)number;
	*text = slice_part(*list, 0, size);
	*list = slice_part(*list, size, list->size);
	return true;
}
