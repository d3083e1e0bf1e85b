/* Files of others: mem0, OpenMemory, ChatGPT, Claude. Their shapes as of 2026. */
#include "proxy/portable/forms.h"

#include <string.h>

/* ---- memories ---- */

static void note_place(json_t **places, const char *id, size_t place)
{
	if (*places == NULL)
		*places = json_object();
	if (id != NULL)
		(void)json_object_set_new(*places, id, json_integer((json_int_t)place));
}

/* A memory of mem0's get_all(): {"memory", "updated_at" or "created_at", "expiration_date",
 * "agent_id", "app_id", "metadata"}. */
const char *portable_read_mem0(struct portable_reader *reader, json_t *object)
{
	int64_t at = reader->now;
	int64_t until = 0;
	portable_time(object, "created_at", &at);
	portable_time(object, "updated_at", &at);
	portable_time(object, "expiration_date", &until);
	const size_t before = reader->memory.fact_count;
	struct fact *fact = portable_add_note(reader, object, "memory", at);
	if (fact == NULL)
		return NULL;
	fact->expires_at = until;
	fact->agent = portable_text(object, "agent_id");
	fact->app = portable_text(object, "app_id");
	fact->metadata = portable_metadata(json_object_get(object, "metadata"), reader->arena);
	portable_finish_fact(reader);
	if (reader->memory.fact_count > before)
		note_place(&reader->places, json_string_value(json_object_get(object, "id")),
			   before);
	return NULL;
}

/* The fact that the id of a memory stands for; NULL: none. */
static struct fact *fact_of(struct portable_reader *reader, json_t *places, const char *id)
{
	json_t *place = id == NULL ? NULL : json_object_get(places, id);
	return place == NULL ? NULL : &reader->memory.facts[json_integer_value(place)];
}

/* A row of mem0's history, the oldest first: {"memory_id", "old_memory", "new_memory", "event",
 * "created_at", "updated_at"}. What was changed is a version before the one that the file has; of a
 * memory that was deleted the file has none, and nothing is taken. */
const char *portable_read_mem0_history(struct portable_reader *reader, json_t *object)
{
	const char *id = json_string_value(json_object_get(object, "memory_id"));
	const struct fact *newest = fact_of(reader, reader->places, id);
	const size_t before = reader->memory.fact_count;
	int64_t begun = reader->now;
	portable_time(object, "created_at", &begun);
	int64_t ended = begun;
	portable_time(object, "updated_at", &ended);
	if (newest == NULL || !portable_says(object, "event", "UPDATE")) {
		reader->intake.left_out[LEFT_UNSHOWN] += newest == NULL;
		return NULL;
	}
	const uint64_t successor = newest->id;
	struct fact *fact = portable_add_note(reader, object, "old_memory", begun);
	if (fact == NULL)
		return NULL;
	portable_finish_fact(reader);
	if (reader->memory.fact_count == before)
		return NULL;
	struct fact *earlier = fact_of(reader, reader->versions, id);
	if (earlier != NULL) {
		earlier->superseded_by = fact->id;
		fact->observed_at = earlier->ended_at;
	}
	fact->state = FACT_SUPERSEDED;
	fact->ended_at = ended;
	fact->superseded_by = successor;
	note_place(&reader->versions, id, before);
	return NULL;
}

/* A memory of OpenMemory's backup: {"content", "state", "created_at", "updated_at"}. Paused ones
 * wait for a person to take them, archived ones can be restored, deleted ones are not taken. */
const char *portable_read_openmemory(struct portable_reader *reader, json_t *object)
{
	const bool is_paused = portable_says(object, "state", "paused");
	const bool is_archived = portable_says(object, "state", "archived");
	int64_t at = reader->now;
	if (!is_paused && !is_archived && !portable_says(object, "state", "active")) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return NULL;
	}
	portable_time(object, "created_at", &at);
	portable_time(object, "updated_at", &at);
	struct fact *fact = portable_add_note(reader, object, "content", at);
	if (fact == NULL)
		return NULL;
	if (is_paused || is_archived)
		fact->state = is_paused ? FACT_SUGGESTED : FACT_RETRACTED;
	if (is_archived) {
		fact->ended_at = at;
		portable_time(object, "archived_at", &fact->ended_at);
	}
	portable_finish_fact(reader);
	return NULL;
}

/* ---- ChatGPT ---- */

/* The string parts, joined by a line break. */
static struct slice text_of_parts(struct portable_reader *reader, json_t *parts)
{
	struct buffer text;
	size_t i;
	json_t *part;
	buffer_init(&text, SIZE_MAX);
	json_array_foreach(parts, i, part)
	{
		if (!json_is_string(part) || json_string_length(part) == 0)
			continue;
		if (text.size > 0)
			buffer_append_byte(&text, '\n');
		buffer_append(&text,
			      (struct slice){json_string_value(part), json_string_length(part)});
	}
	struct slice copy = arena_copy(reader->arena, buffer_slice(&text));
	buffer_finish(&text);
	return copy;
}

/* What the person saw of it. */
static bool is_shown(json_t *message)
{
	json_t *content = json_object_get(message, "content");
	json_t *metadata = json_object_get(message, "metadata");
	json_t *weight = json_object_get(message, "weight");
	bool is_text = portable_says(content, "content_type", "text") ||
		       portable_says(content, "content_type", "multimodal_text");
	return is_text && !portable_says(message, "channel", "commentary") &&
	       !(json_is_number(weight) && json_number_value(weight) == 0) &&
	       !json_is_true(json_object_get(metadata, "is_visually_hidden_from_conversation"));
}

static void read_chatgpt_message(struct portable_reader *reader, json_t *message, int64_t at)
{
	json_t *author = json_object_get(message, "author");
	json_t *content = json_object_get(message, "content");
	bool is_user = portable_says(author, "role", "user");
	if (!json_is_object(message))
		return; /* the root has none */
	if (!is_shown(message) || (!is_user && !portable_says(author, "role", "assistant"))) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return;
	}
	portable_time(message, "create_time", &at);
	portable_add_message(reader, is_user ? ROLE_USER : ROLE_ASSISTANT,
			     text_of_parts(reader, json_object_get(content, "parts")), at);
}

/* The node that was shown last: `current_node`, or without it the newest message's. */
static const char *last_node(json_t *object, json_t *mapping)
{
	const char *last = json_string_value(json_object_get(object, "current_node"));
	const char *name;
	json_t *node;
	int64_t newest = INT64_MIN;
	if (last != NULL && json_object_get(mapping, last) != NULL)
		return last;
	last = NULL;
	json_object_foreach(mapping, name, node)
	{
		int64_t at = 0;
		json_t *message = json_object_get(node, "message");
		portable_time(message, "create_time", &at);
		if (json_is_object(message) && at >= newest) {
			last = name;
			newest = at;
		}
	}
	return last;
}

/* The conversation is a tree: only the path from the root to that node counts. */
const char *portable_read_chatgpt(struct portable_reader *reader, json_t *object)
{
	json_t *mapping = json_object_get(object, "mapping");
	const char *name = last_node(object, mapping);
	size_t most = json_object_size(mapping); /* a path of a damaged tree may be a circle */
	json_t **path = arena_alloc(reader->arena, (most + 1) * sizeof(json_t *));
	size_t count = 0;
	int64_t at = reader->now;
	json_t *id = json_object_get(object, "conversation_id");
	if (!json_is_object(mapping))
		return "A conversation of ChatGPT has no \"mapping\".";
	while (name != NULL && count < most) {
		json_t *node = json_object_get(mapping, name);
		path[count++] = node;
		name = json_string_value(json_object_get(node, "parent"));
	}
	(void)portable_add_conversation(
		reader, "chatgpt:", id != NULL ? id : json_object_get(object, "id"));
	portable_time(object, "create_time", &at);
	while (count > 0)
		read_chatgpt_message(reader, json_object_get(path[--count], "message"), at);
	return NULL;
}

/* ---- Claude ---- */

/* The blocks of type text; `text`, which may hold thinking and tools' lines, only without them. */
static struct slice text_of_claude(struct portable_reader *reader, json_t *message)
{
	struct buffer text;
	size_t i;
	json_t *block;
	buffer_init(&text, SIZE_MAX);
	json_array_foreach(json_object_get(message, "content"), i, block)
	{
		json_t *said = json_object_get(block, "text");
		if (!portable_says(block, "type", "text") || !json_is_string(said))
			continue;
		if (text.size > 0)
			buffer_append_byte(&text, '\n');
		buffer_append(&text,
			      (struct slice){json_string_value(said), json_string_length(said)});
	}
	struct slice copy = arena_copy(reader->arena, buffer_slice(&text));
	buffer_finish(&text);
	return copy.size > 0 ? copy : portable_text(message, "text");
}

/* The messages by their "uuid", the first of several; the caller frees it. */
static json_t *index_messages(json_t *messages)
{
	json_t *index = json_object();
	size_t i;
	json_t *message;
	json_array_foreach(messages, i, message)
	{
		const char *uuid = json_string_value(json_object_get(message, "uuid"));
		if (uuid != NULL && json_object_get(index, uuid) == NULL)
			(void)json_object_set(index, uuid, message);
	}
	return index;
}

static const char *parent_of(json_t *message)
{
	return json_string_value(json_object_get(message, "parent_message_uuid"));
}

static void read_claude_message(struct portable_reader *reader, json_t *message, int64_t at)
{
	bool is_user = portable_says(message, "sender", "human");
	if (!is_user && !portable_says(message, "sender", "assistant")) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return;
	}
	portable_time(message, "created_at", &at);
	portable_add_message(reader, is_user ? ROLE_USER : ROLE_ASSISTANT,
			     text_of_claude(reader, message), at);
}

const char *portable_read_claude(struct portable_reader *reader, json_t *object)
{
	json_t *messages = json_object_get(object, "chat_messages");
	const size_t most = json_array_size(messages);
	json_t **path = arena_alloc(reader->arena, (most + 1) * sizeof(json_t *));
	json_t *message = json_array_get(messages, most - 1);
	size_t count = 0;
	int64_t at = reader->now;
	if (!json_is_array(messages))
		return "A conversation of Claude has no \"chat_messages\".";
	(void)portable_add_conversation(reader, "claude:", json_object_get(object, "uuid"));
	portable_time(object, "created_at", &at);
	if (message == NULL || parent_of(message) == NULL) {
		for (size_t i = 0; i < most; i++)
			read_claude_message(reader, json_array_get(messages, i), at);
		return NULL;
	}
	/* of an edited message's branches, the newest message's */
	json_t *index = index_messages(messages);
	for (; message != NULL && count < most;
	     message = json_object_get(index, parent_of(message)))
		path[count++] = message;
	json_decref(index);
	reader->intake.left_out[LEFT_UNSHOWN] += most - count;
	while (count > 0)
		read_claude_message(reader, path[--count], at);
	return NULL;
}
