#include "core/context_pick.h"

#include "core/fact_order.h"
#include "core/text.h"

/* What the summary and the turns would like to have, but no more than half of the budget: facts get
 * all that the others do not want. */
static size_t reserve_for_others(const struct picker *picker)
{
	const struct summary *summary = picker->input->summary;
	size_t half = picker->input->budget / 2;
	size_t wanted = 0;
	if (mode_uses_summary(picker->input->mode) && summary != NULL)
		wanted = text_tokens(block_heading(BLOCK_SUMMARY)) + text_tokens(summary->text);
	if (picker->turn_count > 0)
		wanted += text_tokens(block_heading(BLOCK_TURNS)) + turns_wanted(picker);
	return wanted < half ? wanted : half;
}

static void pick(struct picker *picker)
{
	enum mode mode = picker->input->mode;
	if (mode_uses_turns(mode))
		find_turns(picker);
	if (mode_uses_facts(mode)) {
		size_t reserved = reserve_for_others(picker);
		picker->left -= reserved;
		pick_facts(picker);
		picker->left += reserved;
	}
	if (mode_uses_summary(mode))
		pick_summary(picker);
	if (mode_uses_turns(mode))
		pick_turns(picker);
}

static void append_facts(struct buffer *out, const struct picker *picker)
{
	for (size_t i = 0; i < picker->fact_count;) {
		size_t run = 1;
		while (i + run < picker->fact_count &&
		       fact_same_key(picker->facts[i], picker->facts[i + run]))
			run++;
		buffer_append(out, block_fact_line(picker->facts + i, run, picker->arena));
		i += run;
	}
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
	if (section == BLOCK_SUMMARY)
		buffer_append(out, picker->summary);
	else if (section == BLOCK_FACTS)
		append_facts(out, picker);
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
	struct slice block = arena_copy(picker->arena, buffer_slice(&out));
	buffer_finish(&out);
	return block;
}

static struct slice render_turns(const struct picker *picker)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	append_turns(&out, picker, true);
	struct slice turns = arena_copy(picker->arena, buffer_slice(&out));
	buffer_finish(&out);
	return turns;
}

void context_build(const struct context_input *input, struct context *context, struct arena *arena)
{
	size_t most = input->fact_count + input->turn_count + 1;
	*context = (struct context){
		.items = arena_alloc(arena, most * sizeof(*context->items)),
		.dropped = arena_alloc(arena, most * sizeof(*context->dropped)),
	};
	struct picker picker = {
		.input = input,
		.context = context,
		.arena = arena,
		.left = input->budget,
	};
	pick(&picker);
	context->block = render_block(&picker);
	context->turns = render_turns(&picker);
	context->tokens = text_tokens(context->block) + text_tokens(context->turns);
}
