#include "core/context/pick.h"

#include "core/memory/fact_order.h"
#include "core/text/text.h"

#include <stdlib.h>

double fact_score(const struct context_input *input, const struct fact *fact)
{
	if (input->fact_scores == NULL)
		return 0;
	float score = input->fact_scores[fact - input->facts];
	return score > 0 ? (double)score : 0; /* NaN becomes 0 as well */
}

struct preference {
	const struct fact *fact;
	double score;
	size_t rank; /* among those with the same score */
};

static int compare_preferences(const void *left, const void *right)
{
	const struct preference *a = left;
	const struct preference *b = right;
	if (a->score < b->score || a->score > b->score)
		return a->score > b->score ? -1 : 1;
	return (a->rank > b->rank) - (a->rank < b->rank);
}

const struct fact **facts_by_preference(const struct context_input *input, fact_filter *is_wanted,
					size_t *count, struct arena *arena)
{
	size_t most = input->fact_count + 1;
	const struct fact **facts = arena_alloc(arena, most * sizeof(*facts));
	struct preference *order = arena_alloc(arena, most * sizeof(*order));
	*count = 0;
	for (size_t i = 0; i < input->fact_count; i++) {
		if (is_wanted(input, &input->facts[i]))
			facts[(*count)++] = &input->facts[i];
	}
	fact_sort_newest(facts, *count);
	for (size_t i = 0; i < *count; i++) {
		size_t rank = fact_is_about_user(facts[i]) ? i : *count + i;
		order[i] = (struct preference){facts[i], fact_score(input, facts[i]), rank};
	}
	qsort(order, *count, sizeof(*order), compare_preferences);
	for (size_t i = 0; i < *count; i++)
		facts[i] = order[i].fact;
	return facts;
}

struct context_item fact_item(const struct context_input *input, const struct fact *fact,
			      struct slice line, size_t tokens)
{
	const struct slice bullet = SLICE("- ");
	return (struct context_item){
		.kind = "fact",
		.id = fact->id,
		.text = slice_trim(slice_part(line, bullet.size, line.size)),
		.source = fact->exchange,
		.tokens = tokens,
		.score = fact_score(input, fact),
	};
}

static bool is_current(const struct context_input *input, const struct fact *fact)
{
	(void)input;
	return fact->state == FACT_CURRENT;
}

static void pick_fact(struct picker *picker, const struct fact *fact)
{
	struct slice line = block_fact_line(fact, picker->arena);
	struct slice added =
		block_fact_added(picker->facts, picker->fact_count, fact, line, picker->arena);
	struct context_item item = fact_item(picker->input, fact, line, text_tokens(added));
	if (!picker_pay(picker, BLOCK_FACTS, item.tokens)) {
		picker_drop(picker, &item);
		return;
	}
	picker_take(picker, &item);
	picker->facts[picker->fact_count++] = fact;
}

void pick_facts(struct picker *picker)
{
	size_t count;
	const struct fact **facts =
		facts_by_preference(picker->input, is_current, &count, picker->arena);
	picker->facts = arena_alloc(picker->arena, (count + 1) * sizeof(*facts));
	for (size_t i = 0; i < count; i++)
		pick_fact(picker, facts[i]);
	fact_sort_shown(picker->facts, picker->fact_count);
}
