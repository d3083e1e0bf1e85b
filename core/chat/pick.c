#include "core/chat/pick.h"

#include "core/base/utf8.h"
#include "core/text/sentence.h"
#include "core/text/text.h"

size_t picker_opening(const struct picker *picker, enum block_section section)
{
	size_t cost = picker->opened[section] ? 0 : text_tokens(block_heading(section));
	if (!picker->framed)
		cost += text_tokens(block_opening()) + text_tokens(block_closing());
	return cost;
}

size_t picker_room(const struct picker *picker, enum block_section section)
{
	size_t opening = picker_opening(picker, section);
	return picker->left > opening ? picker->left - opening : 0;
}

bool picker_pay(struct picker *picker, enum block_section section, size_t cost)
{
	if (cost > picker_room(picker, section))
		return false;
	picker->left -= cost + picker_opening(picker, section);
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
	struct context_item *dropped = &picker->context->dropped[picker->context->dropped_count++];
	*dropped = *item;
	if (dropped->text.size > DROPPED_TEXT)
		dropped->text.size = utf8_boundary(dropped->text, DROPPED_TEXT);
	picker->is_short |= !item->is_unrelated;
}

/* Renders the first sentences of `text`, as many as are sure to cost at most `room`; otherwise
 * returns empty. Text that is too long is cut proportionally, by at least a sentence. */
static struct slice render_sentences(struct slice text, size_t room, bool *is_cut,
				     struct arena *arena)
{
	size_t end = text.size;
	*is_cut = false;
	while (end > 0) {
		struct slice rendered = block_summary(slice_part(text, 0, end), arena);
		size_t tokens = text_tokens(rendered);
		if (tokens <= room)
			return rendered;
		*is_cut = true;
		size_t shorter = end * room / tokens;
		end = sentence_end(text, shorter < end ? shorter : end - 1);
	}
	return (struct slice){0};
}

void pick_summary(struct picker *picker)
{
	const struct summary *summary = picker->input->summary;
	if (summary == NULL || slice_is_blank(summary->text))
		return;
	bool is_cut;
	struct slice rendered = render_sentences(summary->text, picker_room(picker, BLOCK_SUMMARY),
						 &is_cut, picker->arena);
	struct context_item item = {
		.kind = "summary",
		.id = summary->covers,
		.text = slice_trim(rendered.size > 0 ? rendered : summary->text),
	};
	item.tokens = text_tokens(rendered.size > 0 ? rendered : summary->text);
	item.is_unrelated = !picker->gives_summary;
	if (item.is_unrelated || rendered.size == 0 ||
	    !picker_pay(picker, BLOCK_SUMMARY, item.tokens)) {
		picker_drop(picker, &item);
		return;
	}
	picker->summary = rendered;
	picker->is_short |= is_cut;
	picker_take(picker, &item);
}
