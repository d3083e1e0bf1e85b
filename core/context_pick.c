#include "core/context_pick.h"

#include "core/fact_order.h"
#include "core/sentence.h"
#include "core/text.h"

static size_t opening_cost(const struct picker *picker, enum block_section section)
{
	size_t cost = picker->opened[section] ? 0 : text_tokens(block_heading(section));
	if (!picker->framed)
		cost += text_tokens(block_opening()) + text_tokens(block_closing());
	return cost;
}

size_t picker_room(const struct picker *picker, enum block_section section)
{
	size_t opening = opening_cost(picker, section);
	return picker->left > opening ? picker->left - opening : 0;
}

bool picker_pay(struct picker *picker, enum block_section section, size_t cost)
{
	if (cost > picker_room(picker, section))
		return false;
	picker->left -= cost + opening_cost(picker, section);
	picker->opened[section] = true;
	picker->framed = true;
	return true;
}

void picker_take(struct picker *picker, const struct context_item *item)
{
	picker->context->items[picker->context->item_count++] = *item;
}

void picker_drop(struct picker *picker, const struct context_item *item)
{
	picker->context->dropped[picker->context->dropped_count++] = *item;
}

/* ---- facts ---- */

static bool has_line(const struct picker *picker, const struct fact *fact)
{
	for (size_t i = 0; i < picker->fact_count; i++) {
		if (fact_same_key(picker->facts[i], fact))
			return true;
	}
	return false;
}

static void pick_fact(struct picker *picker, const struct fact *fact)
{
	const struct slice bullet = SLICE("- ");
	struct slice line = block_fact_line(&fact, 1, picker->arena);
	struct slice added = has_line(picker, fact) ? block_fact_more(fact, picker->arena) : line;
	struct context_item item = {
		.kind = "fact",
		.id = fact->id,
		.text = slice_trim(slice_part(line, bullet.size, line.size)),
		.source = fact->exchange,
		.tokens = text_tokens(added),
	};
	if (!picker_pay(picker, BLOCK_FACTS, item.tokens)) {
		picker_drop(picker, &item);
		return;
	}
	picker_take(picker, &item);
	picker->facts[picker->fact_count++] = fact;
}

void pick_facts(struct picker *picker)
{
	const struct context_input *input = picker->input;
	const struct fact **facts =
		arena_alloc(picker->arena, (input->fact_count + 1) * sizeof(*facts));
	size_t count = 0;
	for (size_t i = 0; i < input->fact_count; i++) {
		if (input->facts[i].state == FACT_CURRENT)
			facts[count++] = &input->facts[i];
	}
	fact_sort_newest(facts, count);
	picker->facts = arena_alloc(picker->arena, (count + 1) * sizeof(*facts));
	for (int of_others = 0; of_others < 2; of_others++) {
		for (size_t i = 0; i < count; i++) {
			if (fact_is_about_user(facts[i]) == (of_others == 0))
				pick_fact(picker, facts[i]);
		}
	}
	fact_sort_shown(picker->facts, picker->fact_count);
}

/* ---- the summary ---- */

/* The first sentences of `text`, as many as are sure to cost no more than `room`, rendered; else
 * empty. What is too long is cut in proportion, by a sentence at least. */
static struct slice render_sentences(struct slice text, size_t room, struct arena *arena)
{
	size_t end = text.size;
	while (end > 0) {
		struct slice rendered = block_summary(slice_part(text, 0, end), arena);
		size_t tokens = text_tokens(rendered);
		if (tokens <= room)
			return rendered;
		size_t shorter = end * room / tokens;
		end = sentence_end(text, shorter < end ? shorter : end - 1);
	}
	return (struct slice){0};
}

void pick_summary(struct picker *picker)
{
	const struct summary *summary = picker->input->summary;
	if (summary == NULL || slice_trim(summary->text).size == 0)
		return;
	struct slice rendered =
		render_sentences(summary->text, picker_room(picker, BLOCK_SUMMARY), picker->arena);
	struct context_item item = {
		.kind = "summary",
		.id = summary->covers,
		.text = slice_trim(rendered.size > 0 ? rendered : summary->text),
	};
	item.tokens = text_tokens(rendered.size > 0 ? rendered : summary->text);
	if (rendered.size == 0 || !picker_pay(picker, BLOCK_SUMMARY, item.tokens)) {
		picker_drop(picker, &item);
		return;
	}
	picker->summary = rendered;
	picker_take(picker, &item);
}
