#include "core/chat/pick.h"

#include "core/facts/facts.h"
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

/* Takes it if there is room, within `most` tokens; gives what it cost. */
static size_t pick_fact(struct picker *picker, const struct fact *fact, size_t most)
{
	struct slice line = block_fact_line(fact, picker->arena);
	struct slice added =
		block_fact_added(picker->facts, picker->fact_count, fact, line, picker->arena);
	struct context_item item = fact_item(picker->input, fact, line, text_tokens(added));
	if (item.tokens > most || !picker_pay(picker, BLOCK_FACTS, item.tokens)) {
		picker_drop(picker, &item);
		return 0;
	}
	picker_take(picker, &item);
	picker->facts[picker->fact_count++] = fact;
	return item.tokens;
}

void pick_ended(struct picker *picker)
{
	const struct context_input *input = picker->input;
	struct buffer out;
	buffer_init(&out, SIZE_MAX); /* the budget bounds it */
	for (size_t i = 0; i < input->ended_count; i++) {
		const struct fact *fact = &input->ended[i];
		const struct slice line = block_ended_line(fact, picker->arena);
		const struct context_item item = {
			.kind = "fact",
			.id = fact->id,
			.text = slice_trim(line),
			.source = fact->exchange,
			.tokens = text_tokens(line),
			.is_ended = true,
		};
		if (!picker_pay(picker, BLOCK_ENDED, item.tokens)) {
			picker_drop(picker, &item);
			continue;
		}
		picker_take(picker, &item);
		buffer_append(&out, line);
	}
	picker->ended = arena_take(picker->arena, &out);
}

bool fact_is_given(const struct context_input *input, const struct fact *fact)
{
	return input->fact_scores != NULL && input->fact_scores[fact - input->facts] < 0;
}

bool fact_bears(const struct context_input *input, const struct fact *fact)
{
	const struct recall_question *question = input->question;
	if (fact_is_given(input, fact))
		return false;
	return question == NULL || question->is_broad ||
	       fact_score(input, fact) > (double)RECALL_SLIGHT;
}

/* A receipt lists the first few. */
enum { MOST_UNRELATED = 20 };

static void drop_unrelated(struct picker *picker, const struct fact *fact)
{
	if (picker->unrelated++ >= MOST_UNRELATED)
		return;
	struct slice line = block_fact_line(fact, picker->arena);
	struct context_item item = fact_item(picker->input, fact, line, 0);
	item.tokens = text_tokens(item.text);
	item.is_unrelated = true;
	picker_drop(picker, &item);
}

/* When so many in a row do not fit, there is hardly room for any. */
enum { MOST_MISSES = 32 };

/* Facts of a rank, within `left` tokens; gives what is left of them. */
static size_t pick_rank(struct picker *picker, const struct fact **facts, const unsigned *ranks,
			size_t count, unsigned rank, size_t left)
{
	for (size_t i = 0, misses = 0; i < count && misses < MOST_MISSES; i++) {
		if (ranks[i] != rank)
			continue;
		size_t cost = pick_fact(picker, facts[i], left);
		misses = cost > 0 ? 0 : misses + 1;
		left -= cost;
	}
	return left;
}

/* The ranks behind those of the core profile. */
enum { RANK_BEARS = CORE_RANKS + 1, RANK_SLIGHT, RANK_UNRELATED };

static unsigned rank_of(const struct picker *picker, const struct fact *fact)
{
	if (fact_bears(picker->input, fact))
		return RANK_BEARS;
	unsigned rank = core_rank(fact);
	if (rank > 0)
		return rank;
	return fact_score(picker->input, fact) > 0 ? RANK_SLIGHT : RANK_UNRELATED;
}

/* The core profile first, its frame included: a request that nothing bears on takes no more than
 * its share. Then what bears on the question. What may bear on it although no word says so has as
 * much as the core profile. */
void pick_facts(struct picker *picker)
{
	const size_t profile = picker->input->profile;
	const size_t opening = picker_opening(picker, BLOCK_FACTS);
	size_t count, left = profile > opening ? profile - opening : 0;
	const struct fact **facts =
		facts_by_preference(picker->input, is_current, &count, picker->arena);
	unsigned *ranks = arena_alloc(picker->arena, (count + 1) * sizeof(*ranks));
	picker->facts = arena_alloc(picker->arena, (count + 1) * sizeof(*facts));
	for (size_t i = 0; i < count; i++)
		ranks[i] = rank_of(picker, facts[i]);
	for (unsigned rank = 1; rank <= CORE_RANKS; rank++)
		left = pick_rank(picker, facts, ranks, count, rank, left);
	(void)pick_rank(picker, facts, ranks, count, RANK_BEARS, SIZE_MAX);
	(void)pick_rank(picker, facts, ranks, count, RANK_SLIGHT, profile);
	for (size_t i = 0; i < count; i++) {
		if (ranks[i] == RANK_UNRELATED)
			drop_unrelated(picker, facts[i]);
	}
	fact_sort_shown(picker->facts, picker->fact_count);
}
