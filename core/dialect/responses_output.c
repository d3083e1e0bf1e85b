#include "core/dialect/responses.h"

#include <stdlib.h>

/* A response of more items, or one message of more parts, is read up to there. */
enum { MOST_ITEMS = 1024, MOST_PARTS = 1024 };

struct part {
	struct part *next;
	int64_t index;
	bool is_refusal;
	struct buffer said;
	struct answer_half half;
};

struct item {
	struct item *next;
	int64_t index;
	enum response_kind kind;
	bool is_final;
	uint64_t id_hash;      /* step_hash_call() over its id; 0: it has none */
	struct buffer call_id; /* empty: unknown, or too long */
	struct part *parts;    /* by ascending index */
};

struct response_output {
	struct item *items; /* by ascending index */
	struct item *newest;
	size_t item_count;
	size_t part_count;
	size_t left; /* bytes that may still be kept */
};

struct response_output *response_output_create(size_t limit)
{
	struct response_output *output = xcalloc(1, sizeof(*output));
	output->left = limit;
	return output;
}

static void drop_parts(struct response_output *output, struct item *item)
{
	for (struct part *part = item->parts, *next; part != NULL; part = next) {
		next = part->next;
		output->left += part->said.size;
		output->part_count--;
		buffer_finish(&part->said);
		free(part);
	}
	item->parts = NULL;
}

static void drop_items(struct response_output *output)
{
	for (struct item *item = output->items, *next; item != NULL; item = next) {
		next = item->next;
		drop_parts(output, item);
		buffer_finish(&item->call_id);
		free(item);
	}
	output->items = NULL;
	output->newest = NULL;
	output->item_count = 0;
}

void response_output_destroy(void *cookie)
{
	struct response_output *output = cookie;
	if (output == NULL)
		return;
	drop_items(output);
	free(output);
}

/* Made when it is not there; NULL: there are too many. Events nearly always go on with the item
 * that the last one was about. */
static struct item *find_item(struct response_output *output, int64_t index)
{
	struct item **link = &output->items;
	if (output->newest != NULL && output->newest->index == index)
		return output->newest;
	if (output->newest != NULL && output->newest->index < index)
		link = &output->newest->next;
	while (*link != NULL && (*link)->index < index)
		link = &(*link)->next;
	if (*link == NULL || (*link)->index != index) {
		if (output->item_count == MOST_ITEMS)
			return NULL;
		struct item *item = xcalloc(1, sizeof(*item));
		*item = (struct item){.next = *link, .index = index, .kind = RESPONSE_MESSAGE};
		buffer_init(&item->call_id, ANSWER_MAX_TOOL_CALL_ID);
		*link = item;
		output->item_count++;
	}
	output->newest = *link;
	return *link;
}

static struct part *find_part(struct response_output *output, struct item *item, int64_t index)
{
	struct part **link = &item->parts;
	while (*link != NULL && (*link)->index < index)
		link = &(*link)->next;
	if (*link != NULL && (*link)->index == index)
		return *link;
	if (output->part_count == MOST_PARTS)
		return NULL;
	struct part *part = xcalloc(1, sizeof(*part));
	*part = (struct part){.next = *link, .index = index};
	buffer_init(&part->said, SIZE_MAX);
	*link = part;
	output->part_count++;
	return part;
}

static void say(struct response_output *output, struct part *part, struct slice json,
		struct json_value said, bool replaces)
{
	if (said.type != JSON_TYPE_STRING)
		return;
	output->left += part->said.size;
	if (replaces) {
		buffer_clear(&part->said);
		part->half = (struct answer_half){0};
	}
	part->said.limit = output->left;
	answer_add_piece(&part->said, &part->half, json, said);
	output->left -= part->said.size;
}

void response_output_say(struct response_output *output, struct response_place place,
			 struct slice json, struct json_value said, bool replaces)
{
	struct item *item = find_item(output, place.item);
	struct part *part = item == NULL ? NULL : find_part(output, item, place.part);
	if (part == NULL)
		return;
	part->is_refusal = place.is_refusal;
	say(output, part, json, said, replaces);
}

static void set_parts(struct response_output *output, struct item *item, struct slice json,
		      struct json_value content)
{
	struct json_walk walk = json_walk(json, content);
	for (int64_t index = 0; content.type == JSON_TYPE_ARRAY && json_next(&walk); index++) {
		struct json_value said;
		enum response_part kind = response_read_part(json, walk.value, &said);
		struct part *part = kind == PART_OTHER ? NULL : find_part(output, item, index);
		if (part == NULL)
			continue;
		part->is_refusal = kind == PART_REFUSAL;
		say(output, part, json, said, true);
	}
}

static uint64_t hash_id(struct slice json, const struct json_value *members)
{
	struct arena arena = {0};
	struct slice id = json_string_text(json, members[ITEM_ID], &arena);
	uint64_t hash = id.size == 0 ? 0 : step_hash_call(0, id);
	arena_finish(&arena);
	return hash;
}

/* Every event about the item may bring it once more. */
static void set_call_id(struct item *item, struct slice json, const struct json_value *members)
{
	struct arena arena = {0};
	(void)buffer_append(&item->call_id, response_call_id(json, members, &arena));
	arena_finish(&arena);
}

void response_output_set(struct response_output *output, int64_t index, struct slice json,
			 struct json_value object)
{
	struct json_value members[ITEM_MEMBERS];
	struct item *item = object.type == JSON_TYPE_OBJECT ? find_item(output, index) : NULL;
	if (item == NULL)
		return;
	(void)JSON_PICK(json, object, response_item_members, members);
	drop_parts(output, item);
	item->kind = response_kind_of(json, members);
	item->is_final = response_is_final(json, members);
	item->id_hash = hash_id(json, members);
	buffer_clear(&item->call_id);
	if (item->kind == RESPONSE_MESSAGE)
		set_parts(output, item, json, members[ITEM_CONTENT]);
	else if (item->kind == RESPONSE_CALL || item->kind == RESPONSE_OUTPUT)
		set_call_id(item, json, members);
}

void response_output_read(struct response_output *output, struct slice json,
			  struct json_value items)
{
	struct json_walk walk = json_walk(json, items);
	drop_items(output);
	for (int64_t index = 0; items.type == JSON_TYPE_ARRAY && json_next(&walk); index++)
		response_output_set(output, index, json, walk.value);
}

/* ---- what it comes to ---- */

/* Whether the server ran that call itself: its output is in the same response. */
static bool has_output(const struct item *call)
{
	struct slice id = buffer_slice(&call->call_id);
	for (const struct item *item = call->next; item != NULL; item = item->next) {
		if (item->kind == RESPONSE_OUTPUT && slice_equal(buffer_slice(&item->call_id), id))
			return true;
	}
	return false;
}

static bool says_something(const struct item *item)
{
	const struct part *part = item->parts;
	while (part != NULL && (part->is_refusal || part->said.size == 0))
		part = part->next;
	return part != NULL;
}

/* Where the answer begins: behind what the server ran itself, for that parts the steps of the
 * request that brings all of it back. */
static const struct item *find_answer(const struct response_output *output)
{
	const struct item *first = output->items;
	const struct item *behind = NULL;
	for (const struct item *item = output->items; item != NULL; item = item->next) {
		if (item->kind == RESPONSE_OUTPUT)
			behind = item->next;
		else if (item->kind == RESPONSE_MESSAGE && behind != NULL && says_something(item))
			first = behind;
	}
	return first;
}

static bool has_final(const struct item *first)
{
	const struct item *item = first;
	while (item != NULL && !(item->kind == RESPONSE_MESSAGE && item->is_final))
		item = item->next;
	return item != NULL;
}

static void tell_message(const struct item *item, struct answer *answer)
{
	bool breaks_text = answer->text.size > 0;
	bool breaks_refusal = answer->refusal.size > 0;
	for (const struct part *part = item->parts; part != NULL; part = part->next) {
		struct buffer *out = part->is_refusal ? &answer->refusal : &answer->text;
		bool *breaks = part->is_refusal ? &breaks_refusal : &breaks_text;
		if (part->said.size == 0)
			continue;
		if (*breaks)
			answer_add_text(out, SLICE("\n"));
		*breaks = false;
		answer_add_text(out, buffer_slice(&part->said));
		out->overflowed |= part->said.overflowed;
	}
}

void response_output_tell(const struct response_output *output, struct answer *answer)
{
	const struct item *first = find_answer(output);
	bool only_final = has_final(first);
	for (const struct item *item = first; item != NULL; item = item->next) {
		if (item->kind != RESPONSE_MESSAGE || (only_final && !item->is_final))
			continue;
		tell_message(item, answer);
		answer->item_hash = item->id_hash;
	}
	for (const struct item *item = output->items; item != NULL; item = item->next) {
		if (item->kind != RESPONSE_CALL || has_output(item))
			continue;
		answer_add_call(answer, &item->index, buffer_slice(&item->call_id));
		answer->item_hash = item->id_hash;
	}
}
