#include "core/dialect/request.h"

#include <string.h>

static bool is_empty(struct slice body, struct json_value array)
{
	return slice_trim(slice_part(body, array.begin + 1, array.end - 1)).size == 0;
}

/* The most frequent first. */
static const struct role_word {
	struct slice word;
	enum role role;
} role_words[] = {
	{SLICE("user"), ROLE_USER},     {SLICE("assistant"), ROLE_ASSISTANT},
	{SLICE("tool"), ROLE_TOOL},     {SLICE("system"), ROLE_SYSTEM},
	{SLICE("function"), ROLE_TOOL}, {SLICE("developer"), ROLE_DEVELOPER},
};

static enum role role_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(role_words) / sizeof(role_words[0]); i++) {
		struct slice name = role_words[i].word;
		if (name.size == word.size && memcmp(name.data, word.data, name.size) == 0)
			return role_words[i].role;
	}
	return ROLE_OTHER;
}

static enum role read_role(struct slice body, struct json_value value, struct arena *arena)
{
	if (value.type != JSON_TYPE_STRING)
		return ROLE_OTHER;
	struct slice word = {body.data + value.begin + 1, value.end - value.begin - 2};
	enum role role = role_of(word);
	/* An escape may stand for any letter. */
	if (role == ROLE_OTHER && memchr(word.data, '\\', word.size) != NULL)
		role = role_of(json_string_text(body, value, arena));
	return role;
}

static enum content_kind content_kind(struct json_value content)
{
	switch (content.type) {
	case JSON_TYPE_NULL:
		return CONTENT_NONE;
	case JSON_TYPE_STRING:
		return CONTENT_STRING;
	case JSON_TYPE_ARRAY:
		return CONTENT_PARTS;
	default:
		return CONTENT_OTHER;
	}
}

static uint64_t hash_tool_calls(struct slice body, struct json_value calls, struct arena *arena)
{
	static const char *const names[] = {"id"};
	uint64_t hash = 0;
	struct json_walk walk = json_walk(body, calls);
	while (json_next(&walk)) {
		struct json_value id[1];
		(void)JSON_PICK(body, walk.value, names, id);
		struct slice text = json_string_text(body, id[0], arena);
		if (text.size > 0)
			hash = request_hash_tool_call(hash, text);
	}
	return hash;
}

enum { NAME_ROLE, NAME_CONTENT, NAME_TOOL_CALLS, NAME_FUNCTION_CALL, NAME_REFUSAL, MESSAGE_NAMES };

static const char *const message_names[MESSAGE_NAMES] = {"role", "content", "tool_calls",
							 "function_call", "refusal"};

/* In its place: one that is built elsewhere and copied costs a tenth of a scan. */
static void read_message(struct slice body, struct json_value object,
			 const struct json_value values[MESSAGE_NAMES], struct arena *arena,
			 struct message *message)
{
	struct json_value calls = values[NAME_TOOL_CALLS];
	message->object = object;
	message->role = read_role(body, values[NAME_ROLE], arena);
	message->content = values[NAME_CONTENT];
	message->content_kind = content_kind(message->content);
	message->refusal = values[NAME_REFUSAL];
	message->parts_empty =
		message->content_kind == CONTENT_PARTS && is_empty(body, message->content);
	message->has_tool_calls = false;
	message->tool_calls_hash = 0;
	if (message->role != ROLE_ASSISTANT)
		return;
	if (calls.type == JSON_TYPE_ARRAY && !is_empty(body, calls)) {
		message->has_tool_calls = true;
		message->tool_calls_hash = hash_tool_calls(body, calls, arena);
	}
	if (values[NAME_FUNCTION_CALL].type == JSON_TYPE_OBJECT)
		message->has_tool_calls = true;
}

/* The messages, as the scan comes by them. */
struct reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct buffer messages; /* which grows without a copy where realloc() can */
	bool is_refused;        /* an element is no object, or there are too many */
	bool has_parts;         /* some message's content is an array */
};

static void take_message(void *cookie, struct json_value object)
{
	struct reading *reading = cookie;
	struct buffer *messages = &reading->messages;
	if (object.type != JSON_TYPE_OBJECT || !buffer_reserve(messages, sizeof(struct message))) {
		reading->is_refused = true;
		return;
	}
	struct message *message = (void *)(messages->data + messages->size);
	read_message(reading->body, object, reading->values, reading->arena, message);
	reading->has_parts = reading->has_parts || message->content_kind == CONTENT_PARTS;
	messages->size += sizeof(struct message);
}

/* In the arena, where they may stay where they are. */
static void keep_messages(struct chat_request *request, struct reading *reading)
{
	struct slice taken = arena_take(reading->arena, &reading->messages);
	request->messages = (void *)taken.data;
	request->message_count = taken.size / sizeof(struct message);
	if (reading->has_parts)
		request->parts = arena_alloc(reading->arena,
					     request->message_count * sizeof(*request->parts));
}

static bool has_response_format(struct slice body, struct json_value format)
{
	static const char *const names[] = {"type"};
	struct json_value type[1];
	(void)JSON_PICK(body, format, names, type);
	return format.type == JSON_TYPE_OBJECT && !json_string_is(body, type[0], SLICE("text"));
}

static struct slice metadata_user_id(struct slice body, struct json_value metadata,
				     struct arena *arena)
{
	static const char *const names[] = {"user_id"};
	struct json_value user_id[1];
	(void)JSON_PICK(body, metadata, names, user_id);
	return json_string_text(body, user_id[0], arena);
}

enum {
	NAME_MESSAGES,
	NAME_MODEL,
	NAME_STREAM,
	NAME_RESPONSE_FORMAT,
	NAME_USER,
	NAME_SAFETY_IDENTIFIER,
	NAME_METADATA,
	NAMES
};

static void read_fields(struct chat_request *request, const struct json_value values[NAMES],
			struct arena *arena)
{
	struct slice body = request->body;
	request->messages_array = values[NAME_MESSAGES];
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_response_format = has_response_format(body, values[NAME_RESPONSE_FORMAT]);
	request->user = json_string_text(body, values[NAME_USER], arena);
	request->safety_identifier = json_string_text(body, values[NAME_SAFETY_IDENTIFIER], arena);
	request->metadata_user_id = metadata_user_id(body, values[NAME_METADATA], arena);
}

/* Of what is valid JSON. */
static enum request_verdict judge(struct chat_request *request, struct reading *reading,
				  const struct json_value values[NAMES], unsigned repeated)
{
	if (values[NAME_MESSAGES].type != JSON_TYPE_ARRAY || (repeated & 1U << NAME_MESSAGES) != 0)
		return REQUEST_NOT_CHAT;
	read_fields(request, values, reading->arena);
	if (reading->is_refused)
		return REQUEST_NOT_CHAT;
	keep_messages(request, reading);
	return REQUEST_OK;
}

enum request_verdict request_scan(struct chat_request *request, struct slice body,
				  struct arena *arena)
{
	static const char *const names[NAMES] = {"messages",        "model", "stream",
						 "response_format", "user",  "safety_identifier",
						 "metadata"};
	struct json_value values[NAMES];
	struct reading reading = {.body = body, .arena = arena};
	const struct json_list messages = {.name = names[NAME_MESSAGES],
					   .names = message_names,
					   .count = MESSAGE_NAMES,
					   .values = reading.values,
					   .take = take_message,
					   .cookie = &reading};
	unsigned repeated;
	*request = (struct chat_request){.body = body};
	buffer_init(&reading.messages, REQUEST_MAX_MESSAGES * sizeof(struct message));
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, names, NAMES, values, &repeated, &messages))
		verdict = judge(request, &reading, values, repeated);
	buffer_finish(&reading.messages);
	return verdict;
}

/* The text of a content part; false when it is of another type. */
static bool part_text(struct slice body, struct json_value part, struct arena *arena,
		      struct slice *text)
{
	static const char *const names[] = {"type", "text"};
	struct json_value values[2];
	(void)JSON_PICK(body, part, names, values);
	*text = json_string_text(body, values[1], arena);
	return json_string_is(body, values[0], SLICE("text")) && values[1].type == JSON_TYPE_STRING;
}

static struct slice join_parts(const struct text_part *parts, size_t count, struct arena *arena)
{
	if (count == 0)
		return SLICE(""); /* it was looked for */
	if (count == 1)
		return parts[0].text.data == NULL ? SLICE("") : parts[0].text;
	struct slice *pieces = arena_alloc(arena, (2 * count - 1) * sizeof(*pieces));
	for (size_t i = 0; i < count; i++) {
		pieces[2 * i] = parts[i].text;
		if (i + 1 < count)
			pieces[2 * i + 1] = SLICE("\n");
	}
	return arena_join(arena, pieces, 2 * count - 1);
}

static struct message_parts read_parts(struct slice body, struct json_value parts,
				       struct arena *arena)
{
	struct buffer texts;
	buffer_init(&texts, SIZE_MAX);
	struct text_part part;
	bool follows_text = false;
	struct json_walk walk = json_walk(body, parts);
	while (json_next(&walk)) {
		part.follows_text = follows_text;
		follows_text = part_text(body, walk.value, arena, &part.text);
		if (follows_text)
			(void)buffer_append(&texts,
					    (struct slice){(const char *)&part, sizeof(part)});
	}
	struct slice taken = arena_take(arena, &texts);
	struct message_parts read = {.texts = (const void *)taken.data,
				     .count = taken.size / sizeof(part)};
	read.joined = join_parts(read.texts, read.count, arena);
	return read;
}

struct message_parts request_text_parts(const struct chat_request *request,
					const struct message *message, struct arena *arena)
{
	if (message->content_kind == CONTENT_PARTS) {
		struct message_parts *parts = &request->parts[message - request->messages];
		if (parts->joined.data == NULL)
			*parts = read_parts(request->body, message->content, arena);
		return *parts;
	}
	struct text_part *only = arena_alloc(arena, sizeof(*only));
	*only = (struct text_part){.text = request_text(request, message, arena)};
	return (struct message_parts){.joined = only->text, .texts = only, .count = 1};
}

struct slice request_text(const struct chat_request *request, const struct message *message,
			  struct arena *arena)
{
	if (message->content_kind == CONTENT_PARTS)
		return request_text_parts(request, message, arena).joined;
	if (message->content_kind == CONTENT_NONE && message->role == ROLE_ASSISTANT)
		return json_string_text(request->body, message->refusal, arena);
	return json_string_text(request->body, message->content, arena);
}

uint64_t request_hash_tool_call(uint64_t hash, struct slice id)
{
	const uint64_t prime = UINT64_C(0x100000001b3);
	if (hash == 0)
		hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < id.size; i++)
		hash = (hash ^ (unsigned char)id.data[i]) * prime;
	/* The end of an id counts: "ab", "c" is not "a", "bc". */
	hash = (hash ^ 0xff) * prime;
	return hash == 0 ? 1 : hash;
}

static bool is_system(const struct message *message)
{
	return message->role == ROLE_SYSTEM || message->role == ROLE_DEVELOPER;
}

static bool is_tool_step(const struct message *message)
{
	return message->role == ROLE_TOOL ||
	       (message->role == ROLE_ASSISTANT && message->has_tool_calls);
}

size_t request_open_answer(const struct chat_request *request)
{
	size_t first = request->message_count;
	while (first > 0 && request->messages[first - 1].role == ROLE_ASSISTANT &&
	       !request->messages[first - 1].has_tool_calls)
		first--;
	return first;
}

struct newest_turn request_newest_turn(const struct chat_request *request)
{
	const struct message *messages = request->messages;
	size_t open = request_open_answer(request);
	size_t end = request->message_count;
	bool is_last = true;
	for (; end > 0 && messages[end - 1].role != ROLE_USER; end--) {
		const struct message *message = &messages[end - 1];
		if (is_system(message))
			continue;
		bool is_prefill = end > open || (is_last && message->role == ROLE_ASSISTANT);
		if (!is_prefill && !is_tool_step(message))
			return (struct newest_turn){0};
		is_last = false;
	}
	size_t first = end;
	while (first > 0 && messages[first - 1].role == ROLE_USER)
		first--;
	return (struct newest_turn){
		.first = first, .count = end - first, .is_last = is_last && end > first};
}
