/* What a recalled turn says and holds no longer. */
#include "core/context/pick.h"

#include "core/text/text.h"

/* A quote of so much of a turn's text is all that it says. */
enum { MOST_OF = 60, PERCENT = 100 };

/* The next fact after `after` (NULL: the first) that rests on the turn and holds no longer. */
static const struct fact *next_outdated(const struct context_input *input, const struct turn *turn,
					const struct fact *after)
{
	size_t i = after == NULL ? 0 : (size_t)(after - input->outdated) + 1;
	for (; i < input->outdated_count && turn->role == ROLE_USER; i++) {
		if (input->outdated[i].exchange == turn->id)
			return &input->outdated[i];
	}
	return NULL;
}

static bool is_all_of(const struct fact *fact, const struct turn *turn)
{
	return fact->quote.size * PERCENT >= slice_trim(turn->text).size * MOST_OF;
}

static struct slice mark(const struct fact *fact, const struct turn *turn, struct arena *arena)
{
	struct slice date = text_date(turn_local_time(fact->ended_at, turn->utc_offset), arena);
	if (is_all_of(fact, turn))
		return arena_printf(arena, "[until %.*s] ", SLICE_PRINT(date));
	if (fact->quote.size == 0)
		return arena_printf(arena, "[in part until %.*s] ", SLICE_PRINT(date));
	return arena_printf(arena, "[until %.*s: \"%.*s\"] ", SLICE_PRINT(date),
			    SLICE_PRINT(fact->quote));
}

struct slice turn_marked(const struct context_input *input, const struct turn *turn,
			 struct arena *arena)
{
	struct slice marked = turn->text;
	const struct fact *fact = next_outdated(input, turn, NULL);
	for (; fact != NULL; fact = next_outdated(input, turn, fact)) {
		const struct slice parts[] = {mark(fact, turn, arena), marked};
		marked = arena_join(arena, parts, 2);
	}
	return marked;
}
