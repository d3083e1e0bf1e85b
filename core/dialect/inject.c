/* Where memory goes in a request, and the splice that puts it there. */
#include "core/dialect/request.h"

/* Besides one for each replay and each run of removed steps: the block, the turns, and what
 * closes their list. */
enum { OTHER_EDITS = 3 };

/* An injection while its edits are made. */
struct work {
	const struct request *request;
	const struct injection *injection;
	bool cuts;
	struct edit *edits;
	size_t edit_count;
	struct arena *arena;
};

/* `text` as the inside of a JSON string, with JSON before and after it. */
static struct slice wrap_text(struct slice before, struct slice text, struct slice behind,
			      struct arena *arena)
{
	struct buffer out;
	/* An escape takes at most six bytes for one. */
	buffer_init(&out, text.size * 6 + 128);
	(void)buffer_reserve(&out, text.size + text.size / 16 + 128); /* usually enough */
	(void)buffer_append(&out, before);
	json_escape(&out, text);
	(void)buffer_append(&out, behind);
	return arena_take(arena, &out);
}

bool request_can_cut(const struct request *request, size_t first, size_t end)
{
	const struct step *steps = request->steps;
	bool removes = false;
	if (first >= end || end >= request->step_count || steps[end].kind != STEP_USER)
		return false;
	for (size_t i = first; i < end; i++) {
		bool is_border = i == first || steps[i].stays != steps[i - 1].stays;
		if (is_border && !steps[i].begins_element)
			return false;
		removes |= !steps[i].stays;
	}
	return removes && steps[end].begins_element;
}

static bool is_cut(const struct work *work, size_t step)
{
	return work->cuts && step >= work->injection->cut_first &&
	       step < work->injection->cut_end && !work->request->steps[step].stays;
}

static void add_edit(struct work *work, size_t offset, size_t removed, struct slice bytes)
{
	work->edits[work->edit_count++] = (struct edit){offset, removed, bytes};
}

/* Inserts at the very start of the text's string. */
static void prepend_text(struct work *work, size_t index, struct slice text)
{
	struct json_value string = work->request->texts[index].string;
	add_edit(work, string.begin + 1, 0,
		 wrap_text(SLICE(""), text, SLICE("\\n\\n"), work->arena));
}

/* Whether the block went into a place that we made. */
static bool put_block(struct work *work)
{
	const struct injection *injection = work->injection;
	struct block_place place = {0};
	if (injection->block.size == 0)
		return false;
	if (injection->placement != PLACE_USER)
		place = work->request->places[injection->placement];
	if (place.way == BLOCK_WITH_USER && injection->block_with_text < work->request->text_count)
		prepend_text(work, injection->block_with_text, injection->block);
	if (place.way != BLOCK_PLACED)
		return false;
	add_edit(work, place.offset, place.removed,
		 wrap_text(place.before, injection->block, place.behind, work->arena));
	return place.is_made;
}

/* Inserts before the first step that stays and is not a system step. */
static void put_turns(struct work *work)
{
	const struct request *request = work->request;
	const struct slice turns = work->injection->turns;
	const struct lone_text *lone = &request->lone_text;
	size_t i = 0;
	while (i < request->step_count &&
	       (request->steps[i].kind == STEP_SYSTEM || is_cut(work, i)))
		i++;
	if (turns.size == 0 || !request->takes_turns || i == request->step_count ||
	    request->steps[i].kind != STEP_USER || !request->steps[i].begins_element)
		return;
	const struct step *first = &request->steps[i];
	const struct slice parts[] = {lone->before_turns, turns, lone->behind_turns};
	add_edit(work, first->begin, 0, arena_join(work->arena, parts, 3));
	if (lone->behind_text.size > 0)
		add_edit(work, first->end, 0, lone->behind_text);
}

/* The first step from `first` on that is removed, or that is not. */
static size_t find_cut(const struct work *work, size_t first, bool is_removed)
{
	while (first < work->injection->cut_end && is_cut(work, first) != is_removed)
		first++;
	return first;
}

static size_t count_cuts(const struct work *work)
{
	size_t count = 0;
	size_t at = work->cuts ? find_cut(work, work->injection->cut_first, true) : SIZE_MAX;
	for (; work->cuts && at < work->injection->cut_end; count++)
		at = find_cut(work, find_cut(work, at, false), true);
	return count;
}

/* Removes elements with the comma and the white space after each. */
static void cut(struct work *work)
{
	const struct step *steps = work->request->steps;
	size_t at = find_cut(work, work->injection->cut_first, true);
	while (at < work->injection->cut_end) {
		size_t end = find_cut(work, at, false);
		add_edit(work, steps[at].begin, steps[end].begin - steps[at].begin, SLICE(""));
		at = find_cut(work, end, true);
	}
}

/* Whether the text belongs to a removed step. `step`: none before it has the text; found again from
 * there, as texts rise. */
static bool is_text_cut(const struct work *work, size_t text, size_t *step)
{
	const struct step *steps = work->request->steps;
	size_t end = work->injection->cut_end;
	if (!work->cuts || text < steps[work->injection->cut_first].first_text ||
	    text >= steps[end].first_text)
		return false;
	while (text >= steps[*step].first_text + steps[*step].text_count)
		++*step;
	return is_cut(work, *step);
}

static void put_replays(struct work *work)
{
	const struct replay_text *prefix = work->injection->replay_texts;
	const struct replay_text *end = prefix + work->injection->replay_count;
	size_t step = work->injection->cut_first;
	size_t least = 0;
	for (; prefix < end && prefix->text_index < work->request->text_count; prefix++) {
		if (prefix->text_index < least)
			continue;
		least = prefix->text_index + 1;
		if (prefix->text.size > 0 && !is_text_cut(work, prefix->text_index, &step))
			prepend_text(work, prefix->text_index, prefix->text);
	}
}

/* Keeps edits at one offset in the order in which they were made: block, turns, cut, replay.
 * Nearly all are sorted already. */
static void sort_edits(struct work *work)
{
	struct edit *edits = work->edits;
	for (size_t i = 1; i < work->edit_count; i++) {
		struct edit edit = edits[i];
		size_t at = i;
		for (; at > 0 && edits[at - 1].offset > edit.offset; at--)
			edits[at] = edits[at - 1];
		edits[at] = edit;
	}
}

size_t request_inject(const struct request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena)
{
	struct work work = {
		.request = request,
		.injection = injection,
		.cuts = request_can_cut(request, injection->cut_first, injection->cut_end),
		.arena = arena,
	};
	size_t most = OTHER_EDITS + injection->replay_count + count_cuts(&work);
	work.edits = arena_alloc(arena, most * sizeof(**edits));
	*made_message = put_block(&work);
	put_turns(&work);
	if (work.cuts)
		cut(&work);
	put_replays(&work);
	sort_edits(&work);
	*edits = work.edits;
	return work.edit_count;
}

/* ---- the splice ---- */

size_t request_spliced_size(struct slice body, const struct edit *edits, size_t count)
{
	size_t size = body.size;
	for (size_t i = 0; i < count; i++)
		size += edits[i].bytes.size - edits[i].removed;
	return size;
}

void request_splice(struct slice body, const struct edit *edits, size_t count, struct slice *pieces)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		*pieces++ = slice_part(body, from, edits[i].offset);
		*pieces++ = edits[i].bytes;
		from = edits[i].offset + edits[i].removed;
	}
	*pieces = slice_part(body, from, body.size);
}
