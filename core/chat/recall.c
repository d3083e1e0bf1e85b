/* The recalled text: earlier turns and facts that bear on the question, in order of time. */
#include "core/chat/pick.h"

#include "core/base/ids.h"
#include "core/facts/facts.h"
#include "core/text/text.h"

#include <stdlib.h>

enum {
	/* If this many turns in a row do not fit, there is hardly room for any. */
	MOST_MISSES = 32,
	/* The receipts have to list them. */
	MOST_DROPPED = 20,
	LATIN_PER_TOKEN = 4, /* letters, roughly */
	/* A turn longer than this fraction of the budget is quoted in part. */
	EXCERPT_SHARE = 3,
	SHORTEST_EXCERPT = 24, /* tokens */
};

struct recalled_line {
	const struct turn *turn;
	struct slice rendered;
};

struct recaller {
	struct picker *picker;
	size_t budget;
	size_t left;
	size_t unsettled; /* pieces that were rounded up, each by less than a token, since the whole
			     was last counted */
	const struct fact **facts; /* taken */
	size_t fact_count;
	struct recalled_line *lines; /* taken */
	size_t line_count;
	size_t line_shares; /* token shares of the lines and of their days */
	size_t dropped;
	struct slice said; /* the text of the turn at hand, without marks */
};

/* ---- which ---- */

static bool is_frozen_in(const struct context_input *input, const struct fact *fact)
{
	return input->is_frozen &&
	       ids_hold(input->frozen_facts, input->frozen_fact_count, fact->id);
}

/* Current facts belong to the block, if one is to be made. */
static bool may_recall_fact(const struct context_input *input, const struct fact *fact)
{
	bool is_wanted = fact_score(input, fact) > 0 ||
			 (input->question != NULL && input->question->is_broad &&
			  fact->state == FACT_CURRENT);
	if (!is_wanted || fact_is_given(input, fact) || fact->state == FACT_FORGOTTEN ||
	    fact->state == FACT_HIDDEN)
		return false;
	bool has_block = mode_uses_facts(input->mode) && !input->is_frozen;
	if (has_block && fact->state == FACT_CURRENT)
		return false;
	return (mode_uses_facts(input->mode) || mode_recalls(input->mode)) &&
	       !is_frozen_in(input, fact);
}

/* In any mode, what was taken out of the request can be found again. */
static bool recalls_turns(const struct context_input *input)
{
	return mode_recalls(input->mode) || input->cut_before > 0;
}

static bool may_recall_turn(struct recaller *recaller, const struct turn *turn)
{
	return turn_is_message(turn) && !turn_is_carried(recaller->picker->input, turn) &&
	       !turn_is_taken(recaller->picker, turn) && !turn_is_concealed(recaller->picker, turn);
}

bool can_recall(const struct context_input *input)
{
	if (recalls_turns(input) && input->recalled_count > 0)
		return true;
	for (size_t i = 0; i < input->fact_count; i++) {
		if (may_recall_fact(input, &input->facts[i]))
			return true;
	}
	return false;
}

/* ---- the text ---- */

static int compare_lines(const void *left, const void *right)
{
	const struct turn *a = ((const struct recalled_line *)left)->turn;
	const struct turn *b = ((const struct recalled_line *)right)->turn;
	if (a->created_at != b->created_at)
		return a->created_at > b->created_at ? 1 : -1;
	return (a->id > b->id) - (a->id < b->id);
}

static bool is_same_day(const struct turn *a, const struct turn *b)
{
	return block_day_number(a->created_at) == block_day_number(b->created_at);
}

static struct slice render_facts(struct recaller *recaller)
{
	struct arena *arena = recaller->picker->arena;
	struct buffer out;
	buffer_init(&out, SIZE_MAX); /* the budget bounds it */
	fact_sort_shown(recaller->facts, recaller->fact_count);
	block_append_facts(&out, recaller->facts, recaller->fact_count, arena);
	return arena_take(arena, &out);
}

static struct slice render(struct recaller *recaller)
{
	struct arena *arena = recaller->picker->arena;
	struct recalled_line *lines = recaller->lines;
	if (recaller->fact_count + recaller->line_count == 0)
		return (struct slice){0};
	struct slice *parts = arena_alloc(arena, (2 * recaller->line_count + 3) * sizeof(*parts));
	size_t count = 0;
	parts[count++] = block_recalled_opening();
	parts[count++] = render_facts(recaller);
	if (recaller->line_count > 0)
		qsort(lines, recaller->line_count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < recaller->line_count; i++) {
		const struct turn *turn = lines[i].turn;
		if (i == 0 || !is_same_day(lines[i - 1].turn, turn))
			parts[count++] = block_day(turn->created_at, arena);
		parts[count++] = lines[i].rendered;
	}
	parts[count++] = block_closing();
	return arena_join(arena, parts, count);
}

/* ---- the tokens ---- */

/* The cost of the whole text. Facts that share a line cost less than the sum of what they add. */
static size_t whole_cost(struct recaller *recaller)
{
	if (recaller->fact_count + recaller->line_count == 0)
		return 0;
	size_t shares = text_shares(block_recalled_opening()) +
			text_shares(render_facts(recaller)) + recaller->line_shares +
			text_shares(block_closing());
	return text_tokens_of(shares);
}

static size_t frame_cost(const struct recaller *recaller)
{
	if (recaller->fact_count + recaller->line_count > 0)
		return 0;
	return text_tokens(block_recalled_opening()) + text_tokens(block_closing());
}

/* Takes `cost` from the tokens left. Each piece is rounded up; if that may make the difference, the
 * whole is counted again. */
static bool pay(struct recaller *recaller, size_t cost)
{
	cost += frame_cost(recaller);
	if (cost > recaller->left && cost <= recaller->left + recaller->unsettled) {
		recaller->left = recaller->budget - whole_cost(recaller);
		recaller->unsettled = 0;
	}
	if (cost > recaller->left)
		return false;
	recaller->left -= cost;
	recaller->unsettled += 2; /* the line, and its day or the frame */
	return true;
}

static void take(struct recaller *recaller, struct context_item *item)
{
	item->is_recalled = true;
	picker_take(recaller->picker, item);
}

/* ---- facts ---- */

static bool pick_fact(struct recaller *recaller, const struct fact *fact, size_t most)
{
	struct arena *arena = recaller->picker->arena;
	struct slice line = block_fact_line(fact, arena);
	size_t cost = text_tokens(
		block_fact_added(recaller->facts, recaller->fact_count, fact, line, arena));
	if (cost > most || !pay(recaller, cost))
		return false;
	struct context_item item = fact_item(recaller->picker->input, fact, line, cost);
	take(recaller, &item);
	recaller->facts[recaller->fact_count++] = fact;
	return true;
}

/* Takes the best of `facts` for at most `most` tokens; returns how many stay. */
static size_t pick_some_facts(struct recaller *recaller, const struct fact **facts, size_t count,
			      size_t most)
{
	size_t stay = 0;
	size_t misses = 0;
	size_t begin = recaller->left;
	for (size_t i = 0; i < count; i++) {
		size_t spent = begin > recaller->left ? begin - recaller->left : 0;
		bool tries = misses < MOST_MISSES && spent < most;
		if (tries && pick_fact(recaller, facts[i], most - spent)) {
			misses = 0;
			continue;
		}
		misses++;
		facts[stay++] = facts[i];
	}
	return stay;
}

static void drop_facts(struct recaller *recaller, const struct fact **facts, size_t count)
{
	struct arena *arena = recaller->picker->arena;
	for (size_t i = 0; i < count && recaller->dropped < MOST_DROPPED; i++) {
		struct slice line = block_fact_line(facts[i], arena);
		struct context_item item = fact_item(recaller->picker->input, facts[i], line, 0);
		item.tokens = text_tokens(item.text);
		recaller->dropped++;
		picker_drop(recaller->picker, &item);
	}
}

/* ---- turns ---- */

static size_t day_shares(const struct recaller *recaller, const struct turn *turn)
{
	for (size_t i = 0; i < recaller->line_count; i++) {
		if (is_same_day(recaller->lines[i].turn, turn))
			return 0;
	}
	return text_shares(block_day(turn->created_at, recaller->picker->arena));
}

static bool take_turn(struct recaller *recaller, const struct recalled_turn *recalled,
		      struct slice rendered)
{
	const struct turn *turn = &recalled->turn;
	size_t shares = text_shares(rendered);
	size_t shares_of_day = day_shares(recaller, turn);
	size_t cost = text_tokens_of(shares) + text_tokens_of(shares_of_day);
	struct context_item item = turn_item(turn, cost);
	if (!pay(recaller, cost))
		return false;
	item.text = slice_trim(rendered);
	item.said = recaller->said;
	item.score = recalled->score;
	take(recaller, &item);
	recaller->lines[recaller->line_count++] = (struct recalled_line){turn, rendered};
	recaller->line_shares += shares + shares_of_day;
	return true;
}

/* The part that bears most on the question, with marks where it was cut. */
static struct slice excerpt(const struct recaller *recaller, struct slice text, size_t room)
{
	const struct recall_question *question = recaller->picker->input->question;
	struct arena *arena = recaller->picker->arena;
	if (question == NULL)
		return text;
	struct slice part = recall_excerpt(question, text, room * LATIN_PER_TOKEN, arena);
	if (part.size == 0 || part.data == text.data)
		return text; /* rendering cuts its beginning */
	return arena_printf(arena, "... %.*s", SLICE_PRINT(part));
}

/* Picks an excerpt of a long turn: small enough to leave room for others; for an only turn,
 * whatever fits. */
static bool pick_excerpt(struct recaller *recaller, const struct recalled_turn *recalled)
{
	const struct context_input *input = recaller->picker->input;
	size_t spent = frame_cost(recaller) + text_tokens_of(day_shares(recaller, &recalled->turn));
	size_t room = recaller->left > spent ? recaller->left - spent : 0;
	if (input->recalled_count > 1 && room > recaller->budget / EXCERPT_SHARE)
		room = recaller->budget / EXCERPT_SHARE;
	if (room < SHORTEST_EXCERPT)
		return false;
	struct turn turn = recalled->turn;
	turn.text = excerpt(recaller, turn.text, room);
	struct slice rendered = block_turn_cut(&turn, block_said, room, recaller->picker->arena);
	return rendered.size > 0 && take_turn(recaller, recalled, rendered);
}

static bool is_long(const struct recaller *recaller, struct slice text)
{
	size_t most = recaller->budget / EXCERPT_SHARE;
	/* No character takes more tokens than bytes. */
	return text.size > most && (text.size > most * LATIN_PER_TOKEN || text_tokens(text) > most);
}

/* Counting a long text costs less than rendering it, and most long texts do not fit. */
static bool may_fit(const struct recaller *recaller, struct slice text)
{
	size_t room = recaller->left + recaller->unsettled;
	if (text.size <= room * LATIN_PER_TOKEN)
		return true;
	return text.size <= room * TOKEN_MOST_BYTES && text_tokens(text) <= room;
}

static bool pick_turn(struct recaller *recaller, const struct recalled_turn *recalled)
{
	const struct turn *turn = &recalled->turn;
	if (is_long(recaller, turn->text))
		return pick_excerpt(recaller, recalled);
	return may_fit(recaller, turn->text) &&
	       take_turn(recaller, recalled, block_said(turn, turn->text, recaller->picker->arena));
}

static void drop_turn(struct recaller *recaller, const struct recalled_turn *recalled)
{
	const struct turn *turn = &recalled->turn;
	if (recaller->dropped == MOST_DROPPED)
		return;
	recaller->dropped++;
	picker_drop_turn(recaller->picker, turn, text_tokens(turn->text), recalled->score);
}

/* An outdated turn is marked as such. */
static bool pick_marked(struct recaller *recaller, const struct recalled_turn *recalled)
{
	struct recalled_turn *marked = arena_alloc(recaller->picker->arena, sizeof(*marked));
	*marked = *recalled;
	recaller->said = recalled->turn.text;
	marked->turn.text = turn_marked(recaller->picker, &recalled->turn);
	return pick_turn(recaller, marked);
}

static void pick_recalled_turns(struct recaller *recaller)
{
	const struct context_input *input = recaller->picker->input;
	for (size_t i = 0, misses = 0; i < input->recalled_count && misses < MOST_MISSES; i++) {
		const struct recalled_turn *recalled = &input->recalled[i];
		if (!may_recall_turn(recaller, &recalled->turn))
			continue;
		if (pick_marked(recaller, recalled)) {
			misses = 0;
		} else {
			misses++;
			drop_turn(recaller, recalled);
		}
	}
}

/* ---- both ---- */

/* They are the first of those by preference. */
static size_t count_bearing(const struct context_input *input, const struct fact **facts,
			    size_t count)
{
	size_t bearing = 0;
	while (bearing < count && fact_bears(input, facts[bearing]))
		bearing++;
	return bearing;
}

void pick_recalled(struct picker *picker, size_t budget)
{
	const struct context_input *input = picker->input;
	struct recaller recaller = {.picker = picker, .budget = budget, .left = budget};
	size_t count;
	const struct fact **facts =
		facts_by_preference(input, may_recall_fact, &count, picker->arena);
	bool is_shared = mode_uses_facts(input->mode) && !input->is_frozen;
	size_t facts_share = (is_shared ? input->budget / 2 : input->budget) / 3;
	recaller.facts = arena_alloc(picker->arena, (count + 1) * sizeof(*facts));
	recaller.lines =
		arena_alloc(picker->arena, (input->recalled_count + 1) * sizeof(*recaller.lines));
	size_t bearing = count_bearing(input, facts, count);
	const struct fact **slight = facts + bearing;
	size_t slight_count = count - bearing;
	bearing = pick_some_facts(&recaller, facts, bearing, facts_share);
	slight_count = pick_some_facts(&recaller, slight, slight_count,
				       size_min(facts_share, input->profile));
	if (recalls_turns(input))
		pick_recalled_turns(&recaller);
	/* Facts may use what the turns left. */
	bearing = pick_some_facts(&recaller, facts, bearing, recaller.left);
	drop_facts(&recaller, facts, bearing);
	drop_facts(&recaller, slight, slight_count);
	picker->context->recalled = render(&recaller);
	picker->context->recalled_tokens = whole_cost(&recaller);
}
