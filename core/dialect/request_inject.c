/* Where memory goes in a request, and the splice that puts it there. */
#include "core/dialect/request.h"

#include <string.h>

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
	const struct chat_request *request;
	const struct injection *injection;
	struct plan plan;
	const struct turn_prefix *turn_prefix; /* the next one... */
	size_t turn_prefixes_left;             /* ...and how many there are */
	struct edit *edits;
	size_t edit_count;
	struct arena *arena;
};

static bool is_system(const struct message *message)
{
	return message->role == ROLE_SYSTEM || message->role == ROLE_DEVELOPER;
}

static bool is_user(const struct message *message)
{
	return message->role == ROLE_USER;
}

static bool is_turn(const struct message *message)
{
	return !is_system(message);
}

/* `text` as the inside of a JSON string, with JSON before and behind it. */
static struct slice wrap_text(const char *before, struct slice text, const char *behind,
			      struct arena *arena)
{
	struct buffer out;
	/* An escape takes at most six bytes for one. */
	buffer_init(&out, text.size * 6 + 128);
	(void)buffer_reserve(&out, text.size + text.size / 16 + 128); /* mostly enough */
	(void)buffer_append(&out, slice_of(before));
	json_escape(&out, text);
	(void)buffer_append(&out, slice_of(behind));
	return arena_take(arena, &out);
}

static bool carries_text(const struct message *message)
{
	return message->content_kind == CONTENT_STRING || message->content_kind == CONTENT_PARTS;
}

static bool is_empty(const struct message *message)
{
	if (message->content_kind == CONTENT_PARTS)
		return message->parts_empty;
	return message->content.end - message->content.begin == sizeof("\"\"") - 1;
}

/* ---- where ---- */

bool request_can_cut(const struct chat_request *request, size_t first, size_t end)
{
	return first < end && end < request->message_count &&
	       request->messages[end].role == ROLE_USER;
}

/* The first message that stays and is of that sort; the message count: none. */
static size_t find_staying(const struct work *work, bool (*is_sought)(const struct message *))
{
	size_t count = work->request->message_count;
	for (size_t i = 0; i < count; i++) {
		if (i == work->plan.cut_first)
			i = work->injection->cut_end;
		if (is_sought(&work->request->messages[i]))
			return i;
	}
	return count;
}

/* Templates that take one system message refuse two, and some servers keep the last only. */
static void plan_block(struct work *work)
{
	const struct message *messages = work->request->messages;
	size_t nowhere = work->request->message_count;
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
	if (first < work->request->message_count && is_user(&work->request->messages[first]))
		work->plan.turns_before = first;
}

static void make_plan(struct work *work)
{
	const struct injection *injection = work->injection;
	size_t nowhere = work->request->message_count;
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
	size_t begin = work->request->messages[work->plan.cut_first].object.begin;
	size_t end = work->request->messages[work->injection->cut_end].object.begin;
	add_edit(work, begin, end - begin, SLICE(""));
}

static void append_text(struct work *work, const struct message *message, struct slice text)
{
	bool alone = is_empty(message);
	struct slice bytes;
	if (message->content_kind == CONTENT_STRING)
		bytes = wrap_text(alone ? "" : "\\n\\n", text, "", work->arena);
	else
		bytes = wrap_text(alone ? "{\"type\":\"text\",\"text\":\""
					: ",{\"type\":\"text\",\"text\":\"",
				  text, "\"}", work->arena);
	add_edit(work, message->content.end - 1, 0, bytes);
}

/* `alone`: nothing follows it in the content. */
static void prepend_text(struct work *work, const struct message *message, struct slice text,
			 bool alone)
{
	struct slice bytes;
	if (message->content_kind == CONTENT_STRING)
		bytes = wrap_text("", text, alone ? "" : "\\n\\n", work->arena);
	else
		bytes = wrap_text("{\"type\":\"text\",\"text\":\"", text, alone ? "\"}" : "\"},",
				  work->arena);
	add_edit(work, message->content.begin + 1, 0, bytes);
}

static void make_message(struct work *work, const struct message *before)
{
	const char *opening = work->injection->placement == PLACE_DEVELOPER
				      ? "{\"role\":\"developer\",\"content\":\""
				      : "{\"role\":\"system\",\"content\":\"";
	add_edit(work, before->object.begin, 0,
		 wrap_text(opening, work->injection->block, "\"},", work->arena));
}

/* The text that rides with the message; empty: none. Riders are taken in their order. */
static struct slice take_turn_prefix(struct work *work, size_t message)
{
	for (; work->turn_prefixes_left > 0 && work->turn_prefix->message < message;
	     work->turn_prefixes_left--)
		work->turn_prefix++;
	if (work->turn_prefixes_left == 0 || work->turn_prefix->message != message)
		return (struct slice){0};
	const struct message *carrier = &work->request->messages[message];
	return is_user(carrier) && carries_text(carrier) ? work->turn_prefix->text
							 : (struct slice){0};
}

static void edit_message(struct work *work, size_t i)
{
	const struct message *message = &work->request->messages[i];
	struct slice turn_prefix = take_turn_prefix(work, i);
	if (i == work->plan.make_before)
		make_message(work, message);
	if (i == work->plan.turns_before)
		add_edit(work, message->object.begin, 0, work->injection->turns);
	if (i == work->plan.append_to)
		append_text(work, message, work->injection->block);
	if (i == work->plan.prepend_to)
		prepend_text(work, message, work->injection->block,
			     is_empty(message) && turn_prefix.size == 0);
	if (turn_prefix.size > 0)
		prepend_text(work, message, turn_prefix, is_empty(message));
}

size_t request_inject(const struct chat_request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena)
{
	size_t turn_prefixes = injection->turn_prefix_count < request->message_count
				       ? injection->turn_prefix_count
				       : request->message_count;
	struct work work = {
		.request = request,
		.injection = injection,
		.turn_prefix = injection->turn_prefixes,
		.turn_prefixes_left = injection->turn_prefix_count,
		.edits = arena_alloc(arena, (OTHER_EDITS + turn_prefixes) * sizeof(**edits)),
		.arena = arena,
	};
	make_plan(&work);
	for (size_t i = 0; i < request->message_count; i++) {
		if (i == work.plan.cut_first) {
			cut(&work);
			i = injection->cut_end;
		}
		edit_message(&work, i);
	}
	*edits = work.edits;
	*made_message = work.plan.make_before < request->message_count;
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

void request_append_turn(struct buffer *out, enum role role, struct slice text)
{
	(void)buffer_append(out, SLICE("{\"role\":"));
	json_quote(out, slice_of(role_name(role)));
	(void)buffer_append(out, SLICE(",\"content\":"));
	json_quote(out, text);
	(void)buffer_append(out, SLICE("},"));
}
