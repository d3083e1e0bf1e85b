/* Files of others: mem0, OpenMemory, ChatGPT, Claude. Their shapes as of 2026. */
#include "core/base/ids.h"
#include "core/clients/forms.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"

#include <stdlib.h>
#include <string.h>

/* ---- memories ---- */

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
	fact->metadata = portable_metadata(json_object_get(object, "metadata"), &reader->arena);
	portable_finish_fact(reader);
	const struct slice id = portable_text(object, "id");
	if (reader->memory.fact_count > before && id.size > 0)
		portable_note_place(reader, &reader->newest, id, before);
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
	const struct fact *newest = fact_of(reader, reader->newest, id);
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
	portable_note_place(reader, &reader->versions, slice_of(id), before);
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

/* ---- conversations: trees of messages ---- */

/* A message as it stands in the conversation's text; ids are hashes, 0: none. */
struct node {
	uint64_t id;
	uint64_t parent;
	size_t place;
	struct slice message; /* empty: it has none */
};

struct tree {
	struct node *nodes;
	size_t count;
	size_t capacity;
};

static uint64_t id_of(struct slice text, struct json_value string)
{
	struct arena scratch = {0};
	const uint64_t id = string.type == JSON_TYPE_STRING
				    ? text_hash(json_string_text(text, string, &scratch))
				    : 0;
	arena_finish(&scratch);
	return id;
}

static void add_node(struct tree *tree, uint64_t id, uint64_t parent, struct slice text,
		     struct json_value message)
{
	tree->nodes = xgrow(tree->nodes, tree->count, &tree->capacity, sizeof(*tree->nodes));
	const size_t end = message.type == JSON_TYPE_OBJECT ? message.end : message.begin;
	tree->nodes[tree->count] =
		(struct node){id, parent, tree->count, slice_part(text, message.begin, end)};
	tree->count++;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct node *left = a;
	const struct node *right = b;
	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

static void sort_nodes(struct tree *tree)
{
	if (tree->count > 1)
		qsort(tree->nodes, tree->count, sizeof(*tree->nodes), compare_nodes);
}

/* The first of several, once they are sorted. NULL: there is none. */
static const struct node *find_node(const struct tree *tree, uint64_t id)
{
	const size_t at = ids_first_from(tree->nodes, tree->count, sizeof(*tree->nodes), id);
	return id != 0 && at < tree->count && tree->nodes[at].id == id ? &tree->nodes[at] : NULL;
}

typedef void message_reader(struct portable_reader *reader, json_t *message, int64_t at);

static void read_message(struct portable_reader *reader, const struct node *node, int64_t at,
			 message_reader *read)
{
	if (node->message.size == 0)
		return;
	if (!portable_fits(node->message)) {
		reader->intake.left_out[LEFT_TOO_LARGE]++;
		return;
	}
	json_t *message = portable_load(node->message);
	if (message == NULL)
		reader->intake.left_out[LEFT_OTHER]++;
	else
		read(reader, message, at);
	json_decref(message);
}

/* Reads the path from the root to that node; one of a damaged tree may be a circle. Returns its
 * length. */
static size_t read_path(struct portable_reader *reader, const struct tree *tree,
			const struct node *last, int64_t at, message_reader *read)
{
	const struct node **path = xcalloc(tree->count + 1, sizeof(*path));
	size_t count = 0;
	for (; last != NULL && count < tree->count; last = find_node(tree, last->parent))
		path[count++] = last;
	for (size_t i = count; i-- > 0;)
		read_message(reader, path[i], at, read);
	free(path);
	return count;
}

/* A short value of the text; NULL: it is none. The caller releases it. */
static json_t *load(struct slice text, struct json_value value)
{
	enum { SHORT = 1024 };
	return value.end - value.begin > SHORT
		       ? NULL
		       : portable_load(slice_part(text, value.begin, value.end));
}

/* Returns when it was begun. */
static int64_t begin_conversation(struct portable_reader *reader, const char *prefix,
				  struct slice text, struct json_value id, struct json_value time)
{
	int64_t at = reader->now;
	json_t *name = load(text, id);
	json_t *begun = load(text, time);
	(void)portable_add_conversation(reader, prefix, name);
	portable_read_time(begun, &at);
	json_decref(name);
	json_decref(begun);
	return at;
}

static void add_message(struct portable_reader *reader, bool is_user, struct buffer *text,
			int64_t at)
{
	struct portable_memory *memory = &reader->memory;
	const struct text_part whole = {.text = buffer_slice(text)};
	portable_add_message(reader, &memory->conversations[memory->conversation_count - 1],
			     is_user ? ROLE_USER : ROLE_ASSISTANT, &whole, 1, at);
	buffer_finish(text);
}

/* Adds a text to a message's others; anything else than a text is left out. */
static void join_text(struct buffer *joined, json_t *text)
{
	if (joined->size > 0 && json_string_length(text) > 0)
		buffer_append_byte(joined, '\n');
	buffer_append(joined, (struct slice){json_string_value(text), json_string_length(text)});
}

/* ---- ChatGPT ---- */

/* Messages that the person saw. */
static bool is_shown(json_t *message)
{
	json_t *content = json_object_get(message, "content");
	json_t *metadata = json_object_get(message, "metadata");
	json_t *weight = json_object_get(message, "weight");
	const char *recipient = json_string_value(json_object_get(message, "recipient"));
	const bool is_to_tool = recipient != NULL && strcmp(recipient, "all") != 0;
	bool is_text = portable_says(content, "content_type", "text") ||
		       portable_says(content, "content_type", "multimodal_text");
	return is_text && !is_to_tool && !portable_says(message, "channel", "commentary") &&
	       !(json_is_number(weight) && json_number_value(weight) == 0) &&
	       !json_is_true(json_object_get(metadata, "is_visually_hidden_from_conversation"));
}

static void read_chatgpt_message(struct portable_reader *reader, json_t *message, int64_t at)
{
	json_t *author = json_object_get(message, "author");
	json_t *parts = json_object_get(json_object_get(message, "content"), "parts");
	const bool is_user = portable_says(author, "role", "user");
	struct buffer text;
	size_t i;
	json_t *part;
	if (!is_shown(message) || (!is_user && !portable_says(author, "role", "assistant"))) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return;
	}
	portable_time(message, "create_time", &at);
	buffer_init(&text, SIZE_MAX);
	json_array_foreach(parts, i, part) join_text(&text, part);
	add_message(reader, is_user, &text, at);
}

/* The node of the newest message, the last of several. */
static const struct node *newest_node(const struct tree *tree)
{
	const struct node *last = NULL;
	int64_t newest = INT64_MIN;
	for (size_t i = 0; i < tree->count; i++) {
		const struct node *node = &tree->nodes[i];
		struct json_value object;
		int64_t at = 0;
		if (!json_scan(node->message, &object))
			continue;
		json_t *value =
			load(node->message, json_member(node->message, object, "create_time"));
		portable_read_time(value, &at);
		json_decref(value);
		if (last == NULL || at > newest || (at == newest && node->place > last->place)) {
			last = node;
			newest = at;
		}
	}
	return last;
}

static struct tree tree_of_mapping(struct slice text, struct json_value mapping)
{
	static const char *const names[] = {"parent", "message"};
	struct tree tree = {0};
	struct json_walk walk = json_walk(text, mapping);
	while (json_next(&walk)) {
		struct json_value found[2];
		(void)JSON_PICK(text, walk.value, names, found);
		add_node(&tree, id_of(text, walk.key), id_of(text, found[0]), text, found[1]);
	}
	sort_nodes(&tree);
	return tree;
}

/* Of a tree, only the path from the root to the node that was shown last counts: `current_node`, or
 * without it the newest message's. */
const char *portable_read_chatgpt(struct portable_reader *reader, json_t *none)
{
	static const char *const names[] = {"mapping", "current_node", "conversation_id", "id",
					    "create_time"};
	const struct slice text = reader->part.text;
	struct json_value object, found[5];
	(void)none;
	if (!json_scan(text, &object))
		return "The file is not JSON.";
	(void)JSON_PICK(text, object, names, found);
	if (found[0].type != JSON_TYPE_OBJECT)
		return "A conversation of ChatGPT has no \"mapping\".";
	struct tree tree = tree_of_mapping(text, found[0]);
	const struct node *last = find_node(&tree, id_of(text, found[1]));
	const int64_t at = begin_conversation(reader, "chatgpt:", text,
					      found[2].end > 0 ? found[2] : found[3], found[4]);
	(void)read_path(reader, &tree, last != NULL ? last : newest_node(&tree), at,
			read_chatgpt_message);
	free(tree.nodes);
	return NULL;
}

/* ---- Claude ---- */

/* The blocks of type text; `text`, which may hold thinking and tools' lines, only without them. */
static void read_claude_message(struct portable_reader *reader, json_t *message, int64_t at)
{
	const bool is_user = portable_says(message, "sender", "human");
	struct buffer text;
	size_t i;
	json_t *block;
	if (!is_user && !portable_says(message, "sender", "assistant")) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return;
	}
	portable_time(message, "created_at", &at);
	buffer_init(&text, SIZE_MAX);
	json_array_foreach(json_object_get(message, "content"), i, block)
	{
		if (portable_says(block, "type", "text"))
			join_text(&text, json_object_get(block, "text"));
	}
	if (text.size == 0)
		join_text(&text, json_object_get(message, "text"));
	add_message(reader, is_user, &text, at);
}

static struct tree tree_of_messages(struct slice text, struct json_value messages)
{
	static const char *const names[] = {"uuid", "parent_message_uuid"};
	struct tree tree = {0};
	struct json_walk walk = json_walk(text, messages);
	while (json_next(&walk)) {
		struct json_value found[2];
		(void)JSON_PICK(text, walk.value, names, found);
		add_node(&tree, id_of(text, found[0]), id_of(text, found[1]), text, walk.value);
	}
	return tree;
}

/* Of an edited message's branches, the newest message's counts. */
const char *portable_read_claude(struct portable_reader *reader, json_t *none)
{
	static const char *const names[] = {"chat_messages", "uuid", "created_at"};
	const struct slice text = reader->part.text;
	struct json_value object, found[3];
	(void)none;
	if (!json_scan(text, &object))
		return "The file is not JSON.";
	(void)JSON_PICK(text, object, names, found);
	if (found[0].type != JSON_TYPE_ARRAY)
		return "A conversation of Claude has no \"chat_messages\".";
	struct tree tree = tree_of_messages(text, found[0]);
	const int64_t at = begin_conversation(reader, "claude:", text, found[1], found[2]);
	if (tree.count > 0 && tree.nodes[tree.count - 1].parent != 0) {
		const struct node last = tree.nodes[tree.count - 1];
		sort_nodes(&tree);
		reader->intake.left_out[LEFT_UNSHOWN] +=
			tree.count - read_path(reader, &tree, &last, at, read_claude_message);
	} else {
		for (size_t i = 0; i < tree.count; i++)
			read_message(reader, &tree.nodes[i], at, read_claude_message);
	}
	free(tree.nodes);
	return NULL;
}
