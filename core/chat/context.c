#include "core/chat/pick.h"

#include "core/text/text.h"

#include <string.h>

/* In any mode, a summary replaces what was taken out of the history. */
static bool uses_summary(const struct context_input *input)
{
	return mode_uses_summary(input->mode) || input->cut_before > 0;
}

/* The cost of the summary with its heading. */
static size_t summary_cost(const struct context_input *input)
{
	if (!uses_summary(input) || input->summary == NULL)
		return 0;
	return text_tokens(block_heading(BLOCK_SUMMARY)) + text_tokens(input->summary->text);
}

/* The cost of what goes before all else: the summary, if it replaces turns that were taken out,
 * with its line's end. */
static size_t first_cost(const struct context_input *input)
{
	size_t cost = input->cut_before > 0 ? summary_cost(input) : 0;
	return cost > 0 ? cost + 1 : 0;
}

/* Reserves what the summary and the turns could use, but at most half of the budget, unless the
 * summary goes before all else. Facts get what the others do not want. */
static size_t reserve_for_others(const struct picker *picker)
{
	const struct context_input *input = picker->input;
	size_t first = size_min(first_cost(input), picker->budget);
	size_t wanted = picker->gives_summary ? summary_cost(input) : 0;
	if (picker->turn_count > 0)
		wanted += text_tokens(block_heading(BLOCK_TURNS)) + turns_wanted(picker);
	wanted = size_min(wanted, picker->budget / 2);
	return wanted < first ? first : wanted;
}

/* The recalled text's share of a shared budget. */
static size_t share_of_recalled(const struct context_input *input)
{
	size_t first = first_cost(input);
	if (first > 0)
		first += text_tokens(block_opening()) + text_tokens(block_closing());
	return size_min(input->budget / 2, input->budget - size_min(first, input->budget));
}

static void pick_block(struct picker *picker)
{
	enum mode mode = picker->input->mode;
	pick_ended(picker);
	picker->gives_summary = summary_is_wanted(picker->input, picker->arena);
	if (mode_uses_turns(mode))
		find_turns(picker);
	if (mode_uses_facts(mode)) {
		size_t reserved = reserve_for_others(picker);
		picker->left -= reserved;
		pick_facts(picker);
		picker->left += reserved;
	}
	if (uses_summary(picker->input))
		pick_summary(picker);
	if (mode_uses_turns(mode))
		pick_turns(picker);
}

static void append_turns(struct buffer *out, const struct picker *picker, bool pairs)
{
	for (size_t i = 0; i < picker->turn_count; i++) {
		if ((picker->turns[i].answer != NULL) == pairs)
			buffer_append(out, picker->turns[i].rendered);
	}
}

static void append_section(struct buffer *out, const struct picker *picker,
			   enum block_section section)
{
	if (!picker->opened[section])
		return;
	buffer_append(out, block_heading(section));
	if (section == BLOCK_ENDED)
		buffer_append(out, picker->ended);
	else if (section == BLOCK_SUMMARY)
		buffer_append(out, picker->summary);
	else if (section == BLOCK_FACTS)
		block_append_facts(out, picker->facts, picker->fact_count, picker->arena);
	else
		append_turns(out, picker, false);
}

static struct slice render_block(const struct picker *picker)
{
	struct buffer out;
	if (!picker->framed)
		return (struct slice){0};
	buffer_init(&out, SIZE_MAX); /* the budget bounds it */
	buffer_append(&out, block_opening());
	for (enum block_section section = 0; section < BLOCK_SECTIONS; section++)
		append_section(&out, picker, section);
	buffer_append(&out, block_closing());
	return arena_take(picker->arena, &out);
}

static struct slice render_turns(const struct picker *picker)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	append_turns(&out, picker, true);
	return arena_take(picker->arena, &out);
}

static bool is_recalled(const struct context *context, const struct context_item *item)
{
	for (size_t i = context->item_count; i-- > 0 && context->items[i].is_recalled;) {
		const struct context_item *taken = &context->items[i];
		if (taken->id == item->id && strcmp(taken->kind, item->kind) == 0)
			return true;
	}
	return false;
}

/* An item that did not fit into the block is not dropped if it was recalled instead. */
static void forgive_recalled(struct context *context)
{
	size_t kept = 0;
	for (size_t i = 0; i < context->dropped_count; i++) {
		if (!is_recalled(context, &context->dropped[i]))
			context->dropped[kept++] = context->dropped[i];
	}
	context->dropped_count = kept;
}

/* Builds block and turns with `reserve` tokens kept back; the recalled text gets these and all that
 * is left. Returns whether the block or the turns wanted more. */
static bool build(const struct context_input *input, size_t reserve, struct context *context,
		  struct arena *arena)
{
	size_t most = input->fact_count + input->ended_count + input->turn_count +
		      input->recalled_count + 1;
	*context = (struct context){
		.items = (struct context_item *)arena_bytes(arena, most * sizeof(*context->items)),
		.dropped =
			(struct context_item *)arena_bytes(arena, most * sizeof(*context->dropped)),
	};
	struct picker picker = {
		.input = input,
		.context = context,
		.arena = arena,
		.budget = input->budget - reserve,
		.left = input->budget - reserve,
	};
	if (!input->is_frozen)
		pick_block(&picker);
	bool is_short = picker.is_short;
	context->block = render_block(&picker);
	context->turns = render_turns(&picker);
	context->tokens = text_tokens(context->block) + said_turns_tokens(context->turns, arena);
	pick_recalled(&picker, input->budget - context->tokens);
	forgive_recalled(context);
	return is_short;
}

void context_build(const struct context_input *input, struct context *context, struct arena *arena)
{
	bool shared = !input->is_frozen && can_recall(input);
	size_t share = shared ? share_of_recalled(input) : 0;
	bool is_short = build(input, share, context, arena);
	/* Gives the others what the recalled text did not need of its share. Picking again may cost
	 * one more token through rounding. */
	if (is_short && context->recalled_tokens + 1 < share)
		build(input, context->recalled_tokens == 0 ? 0 : context->recalled_tokens + 1,
		      context, arena);
}
