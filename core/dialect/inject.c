/* Where memory goes in a request, and the splice that puts it there. */
#include "core/dialect/dialect.h"

/* Beside one for each turn_prefix: the cut, the block, the turns. */
enum { OTHER_EDITS = 3 };

/* Where each thing goes: the index of a message; the message count: nowhere. */
struct plan {
	size_t append_to;    /* the block, behind this message's text */
	size_t prepend_to;   /* the block, before this message's text */
	size_t make_before;  /* the block, as a message of its own */
	size_t turns_before; /* the turns */
	size_t cut_first;    /* what is taken out, up to injection->cut_end */
};

/* An injection while its edits are made, from the first message to the last. */
struct work {
	const struct request *request;
	const struct injection *injection;
	struct plan plan;
	const struct turn_prefix *turn_prefix; /* the next one... */
	size_t turn_prefixes_left;             /* ...and how many there are */
	struct edit *edits;
	size_t edit_count;
	struct arena *arena;
};

static bool is_system(const struct step *step)
{
	return step->kind == STEP_SYSTEM;
}

static bool is_user(const struct step *step)
{
	return step->kind == STEP_USER;
}

static bool is_turn(const struct step *step)
{
	return !is_system(step);
}

/* `text` as the inside of a JSON string, with JSON before and behind it. */
static struct slice wrap_text(struct slice before, struct slice text, struct slice behind,
			      struct arena *arena)
{
	struct buffer out;
	/* An escape takes at most six bytes for one. */
	buffer_init(&out, text.size * 6 + 128);
	(void)buffer_reserve(&out, text.size + text.size / 16 + 128); /* mostly enough */
	(void)buffer_append(&out, before);
	json_escape(&out, text);
	(void)buffer_append(&out, behind);
	return arena_take(arena, &out);
}

static bool carries_text(const struct step *step)
{
	return step->content_kind == CONTENT_STRING || step->content_kind == CONTENT_PARTS;
}

static bool is_empty(const struct step *step)
{
	if (step->content_kind == CONTENT_PARTS)
		return step->parts_empty;
	return step->content.end - step->content.begin == sizeof("\"\"") - 1;
}

/* ---- where ---- */

bool request_can_cut(const struct request *request, size_t first, size_t end)
{
	return first < end && end < request->step_count && request->steps[end].kind == STEP_USER;
}

/* The first message that stays and is of that sort; the message count: none. */
static size_t find_staying(const struct work *work, bool (*is_sought)(const struct step *))
{
	size_t count = work->request->step_count;
	for (size_t i = 0; i < count; i++) {
		if (i == work->plan.cut_first)
			i = work->injection->cut_end;
		if (is_sought(&work->request->steps[i]))
			return i;
	}
	return count;
}

/* Templates that take one system message refuse two, and some servers keep the last only. */
static void plan_block(struct work *work)
{
	const struct step *messages = work->request->steps;
	size_t nowhere = work->request->step_count;
	size_t first = work->plan.cut_first == 0 ? work->injection->cut_end : 0;
	size_t user = find_staying(work, is_user);
	size_t system = find_staying(work, is_system);
	bool wants_user = work->injection->placement == PLACE_USER;
	if (!wants_user && system == nowhere)
		work->plan.make_before = first;
	else if (!wants_user && system == first && carries_text(&messages[system]))
		work->plan.append_to = system;
	else if (user < nowhere && carries_text(&messages[user]))
		work->plan.prepend_to = user;
}

static void plan_turns(struct work *work)
{
	size_t first = find_staying(work, is_turn);
	if (first < work->request->step_count && is_user(&work->request->steps[first]))
		work->plan.turns_before = first;
}

static void make_plan(struct work *work)
{
	const struct injection *injection = work->injection;
	size_t nowhere = work->request->step_count;
	work->plan = (struct plan){nowhere, nowhere, nowhere, nowhere, nowhere};
	if (nowhere == 0)
		return;
	if (request_can_cut(work->request, injection->cut_first, injection->cut_end))
		work->plan.cut_first = injection->cut_first;
	if (injection->block.size > 0)
		plan_block(work);
	if (injection->turns.size > 0)
		plan_turns(work);
}

/* ---- the edits ---- */

static void add_edit(struct work *work, size_t offset, size_t removed, struct slice bytes)
{
	work->edits[work->edit_count++] = (struct edit){offset, removed, bytes};
}

/* The messages go with the comma and the white space behind each of them. */
static void cut(struct work *work)
{
	size_t begin = work->request->steps[work->plan.cut_first].element.begin;
	size_t end = work->request->steps[work->injection->cut_end].element.begin;
	add_edit(work, begin, end - begin, SLICE(""));
}

static void append_text(struct work *work, const struct step *step, struct slice text)
{
	const struct dialect *dialect = work->request->dialect;
	bool alone = is_empty(step);
	struct slice before = alone ? SLICE("") : SLICE("\\n\\n");
	struct slice behind = SLICE("");
	if (step->content_kind == CONTENT_PARTS) {
		before = slice_part(dialect->part_before, alone ? 1 : 0, dialect->part_before.size);
		behind = slice_part(dialect->part_behind, 0, dialect->part_behind.size - 1);
	}
	add_edit(work, step->content.end - 1, 0, wrap_text(before, text, behind, work->arena));
}

/* `alone`: nothing follows it in the content. */
static void prepend_text(struct work *work, const struct step *step, struct slice text, bool alone)
{
	const struct dialect *dialect = work->request->dialect;
	struct slice before = SLICE("");
	struct slice behind = alone ? SLICE("") : SLICE("\\n\\n");
	if (step->content_kind == CONTENT_PARTS) {
		before = slice_part(dialect->part_before, 1, dialect->part_before.size);
		behind = slice_part(dialect->part_behind, 0,
				    dialect->part_behind.size - (alone ? 1 : 0));
	}
	add_edit(work, step->content.begin + 1, 0, wrap_text(before, text, behind, work->arena));
}

static void make_step(struct work *work, size_t first)
{
	const struct request *request = work->request;
	struct block_place place =
		request->dialect->make_place(request, work->injection->placement, first);
	add_edit(work, place.offset, 0,
		 wrap_text(place.before, work->injection->block, place.behind, work->arena));
}

/* The text that rides with the message; empty: none. Riders are taken in their order. */
static struct slice take_turn_prefix(struct work *work, size_t index)
{
	for (; work->turn_prefixes_left > 0 && work->turn_prefix->step < index;
	     work->turn_prefixes_left--)
		work->turn_prefix++;
	if (work->turn_prefixes_left == 0 || work->turn_prefix->step != index)
		return (struct slice){0};
	const struct step *carrier = &work->request->steps[index];
	return is_user(carrier) && carries_text(carrier) ? work->turn_prefix->text
							 : (struct slice){0};
}

static void edit_step(struct work *work, size_t i)
{
	const struct step *step = &work->request->steps[i];
	struct slice turn_prefix = take_turn_prefix(work, i);
	if (i == work->plan.make_before)
		make_step(work, i);
	if (i == work->plan.turns_before)
		add_edit(work, step->element.begin, 0, work->injection->turns);
	if (i == work->plan.append_to)
		append_text(work, step, work->injection->block);
	if (i == work->plan.prepend_to)
		prepend_text(work, step, work->injection->block,
			     is_empty(step) && turn_prefix.size == 0);
	if (turn_prefix.size > 0)
		prepend_text(work, step, turn_prefix, is_empty(step));
}

size_t request_inject(const struct request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena)
{
	size_t turn_prefixes = injection->turn_prefix_count < request->step_count
				       ? injection->turn_prefix_count
				       : request->step_count;
	struct work work = {
		.request = request,
		.injection = injection,
		.turn_prefix = injection->turn_prefixes,
		.turn_prefixes_left = injection->turn_prefix_count,
		.edits = arena_alloc(arena, (OTHER_EDITS + turn_prefixes) * sizeof(**edits)),
		.arena = arena,
	};
	make_plan(&work);
	for (size_t i = 0; i < request->step_count; i++) {
		if (i == work.plan.cut_first) {
			cut(&work);
			i = injection->cut_end;
		}
		edit_step(&work, i);
	}
	*edits = work.edits;
	*made_message = work.plan.make_before < request->step_count;
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
