/* Marks facts that a turn states and that no longer hold. */
#include "core/chat/pick.h"

#include "core/base/utf8.h"
#include "core/facts/facts.h"
#include "core/text/text.h"

enum {
	/* A quote of so much of a turn's text is all that it says. */
	MOST_OF = 60,
	PERCENT = 100,
	/* So many facts are sought in so much of a turn that none of them was learned from. */
	SOUGHT = 32,
	LOOKED_AT = 16384,
};

static void read_stubs(struct picker *picker)
{
	const struct context_input *input = picker->input;
	struct slice *stubs =
		arena_alloc(picker->arena, (input->outdated_count + 1) * sizeof(*stubs));
	for (size_t i = 0; i < input->outdated_count; i++) {
		if (input->outdated_count - i <= SOUGHT) /* the newest are last */
			stubs[i] = terms_stub(
				text_comparable(input->outdated[i].value, picker->arena));
	}
	picker->outdated = stubs;
}

/* A turn after the fact's end may speak of the past. */
static bool says(const struct picker *picker, const struct turn *turn, size_t fact,
		 struct slice comparable)
{
	const struct fact *outdated = &picker->input->outdated[fact];
	const struct slice stub = picker->outdated[fact];
	if (outdated->state == FACT_HIDDEN)
		return false;
	if (turn->role == ROLE_USER && outdated->exchange == turn->id)
		return true;
	if (turn->created_at >= outdated->ended_at || stub.size == 0 ||
	    !slice_has(comparable, stub))
		return false;
	const struct fact_saying saying = fact_saying_read(outdated, picker->arena);
	return fact_is_said(&saying, utf8_cut(turn->text, LOOKED_AT));
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
	/* Words that only another turn says would stay here when that turn goes. */
	if (!text_comparable_says(turn->text, fact->quote))
		return arena_printf(arena, "[in part until %.*s] ", SLICE_PRINT(date));
	return arena_printf(arena, "[until %.*s: \"%.*s\"] ", SLICE_PRINT(date),
			    SLICE_PRINT(fact->quote));
}

struct slice turn_marked(struct picker *picker, const struct turn *turn)
{
	const struct context_input *input = picker->input;
	struct slice marked = turn->text;
	if (input->outdated_count == 0)
		return marked;
	if (picker->outdated == NULL)
		read_stubs(picker);
	const struct slice comparable =
		text_comparable(utf8_cut(turn->text, LOOKED_AT), picker->arena);
	for (size_t i = 0; i < input->outdated_count; i++) {
		if (!says(picker, turn, i, comparable))
			continue;
		const struct slice parts[] = {mark(&input->outdated[i], turn, picker->arena),
					      marked};
		marked = arena_join(picker->arena, parts, 2);
	}
	return marked;
}

bool turn_is_concealed(struct picker *picker, const struct turn *turn)
{
	const struct context_input *input = picker->input;
	if (picker->hidden == NULL) {
		picker->hidden = arena_alloc(picker->arena, sizeof(*picker->hidden));
		*picker->hidden =
			facts_hidden_read(input->outdated, input->outdated_count, picker->arena);
	}
	return facts_hide_turn(picker->hidden, turn);
}
