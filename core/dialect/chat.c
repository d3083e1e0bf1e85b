/* The Chat Completions API, and what speaks it. Where a request has two "messages", it is none. */
#include "core/dialect/chat.h"

#include <string.h>

static bool is_empty(struct slice body, struct json_value array)
{
	return slice_trim(slice_part(body, array.begin + 1, array.end - 1)).size == 0;
}

/* The most frequent first. */
static const struct role_word {
	struct slice word;
	enum step_kind kind;
} role_words[] = {
	{SLICE("user"), STEP_USER},      {SLICE("assistant"), STEP_ANSWER},
	{SLICE("tool"), STEP_TOOLS},     {SLICE("system"), STEP_SYSTEM},
	{SLICE("function"), STEP_TOOLS}, {SLICE("developer"), STEP_SYSTEM},
};

static enum step_kind kind_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(role_words) / sizeof(role_words[0]); i++) {
		struct slice name = role_words[i].word;
		if (name.size == word.size && memcmp(name.data, word.data, name.size) == 0)
			return role_words[i].kind;
	}
	return STEP_OTHER;
}

static enum step_kind read_kind(struct slice body, struct json_value role, struct arena *arena)
{
	if (role.type != JSON_TYPE_STRING)
		return STEP_OTHER;
	struct slice word = {body.data + role.begin + 1, role.end - role.begin - 2};
	enum step_kind kind = kind_of(word);
	/* An escape may stand for any letter. */
	if (kind == STEP_OTHER && memchr(word.data, '\\', word.size) != NULL)
		kind = kind_of(json_string_text(body, role, arena));
	return kind;
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
			hash = step_hash_call(hash, text);
	}
	return hash;
}

enum { NAME_ROLE, NAME_CONTENT, NAME_TOOL_CALLS, NAME_FUNCTION_CALL, NAME_REFUSAL, MESSAGE_NAMES };

static const char *const message_names[MESSAGE_NAMES] = {"role", "content", "tool_calls",
							 "function_call", "refusal"};

/* In its place: one that is built elsewhere and copied costs a tenth of a scan. */
static void read_message(struct slice body, struct json_value object,
			 const struct json_value values[MESSAGE_NAMES], struct arena *arena,
			 struct step *step)
{
	struct json_value calls = values[NAME_TOOL_CALLS];
	step->element = object;
	step->kind = read_kind(body, values[NAME_ROLE], arena);
	step->content = values[NAME_CONTENT];
	step->content_kind = content_kind(step->content);
	step->fallback = (struct json_value){0};
	step->parts_empty = step->content_kind == CONTENT_PARTS && is_empty(body, step->content);
	step->calls_hash = 0;
	if (step->kind != STEP_ANSWER)
		return;
	step->fallback = values[NAME_REFUSAL];
	if (calls.type == JSON_TYPE_ARRAY && !is_empty(body, calls)) {
		step->kind = STEP_CALLS;
		step->calls_hash = hash_tool_calls(body, calls, arena);
	}
	if (values[NAME_FUNCTION_CALL].type == JSON_TYPE_OBJECT)
		step->kind = STEP_CALLS;
}

/* The messages, as the scan comes by them. */
struct reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct buffer steps; /* which grows without a copy where realloc() can */
	bool is_refused;     /* an element is no object, or there are too many */
	bool has_parts;      /* some message's content is an array */
};

static void take_message(void *cookie, struct json_value object)
{
	struct reading *reading = cookie;
	struct buffer *steps = &reading->steps;
	if (object.type != JSON_TYPE_OBJECT || !buffer_reserve(steps, sizeof(struct step))) {
		reading->is_refused = true;
		return;
	}
	struct step *step = (void *)(steps->data + steps->size);
	read_message(reading->body, object, reading->values, reading->arena, step);
	reading->has_parts = reading->has_parts || step->content_kind == CONTENT_PARTS;
	steps->size += sizeof(struct step);
}

/* In the arena, where they may stay where they are. */
static void keep_steps(struct request *request, struct reading *reading)
{
	struct slice taken = arena_take(reading->arena, &reading->steps);
	request->steps = (void *)taken.data;
	request->step_count = taken.size / sizeof(struct step);
	if (reading->has_parts)
		request->parts =
			arena_alloc(reading->arena, request->step_count * sizeof(*request->parts));
}

/* An object of any type but "text", which is the default and counts as absent. */
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

static void read_fields(struct request *request, const struct json_value values[NAMES],
			struct arena *arena)
{
	struct slice body = request->body;
	request->steps_array = values[NAME_MESSAGES];
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_format = has_response_format(body, values[NAME_RESPONSE_FORMAT]);
	request->user_fields[0] =
		(struct user_field){"user", json_string_text(body, values[NAME_USER], arena)};
	request->user_fields[1] = (struct user_field){
		"safety_identifier", json_string_text(body, values[NAME_SAFETY_IDENTIFIER], arena)};
	request->user_fields[2] = (struct user_field){
		"metadata.user_id", metadata_user_id(body, values[NAME_METADATA], arena)};
}

/* Of what is valid JSON. */
static enum request_verdict judge(struct request *request, struct reading *reading,
				  const struct json_value values[NAMES], unsigned repeated)
{
	if (values[NAME_MESSAGES].type != JSON_TYPE_ARRAY || (repeated & 1U << NAME_MESSAGES) != 0)
		return REQUEST_FOREIGN;
	read_fields(request, values, reading->arena);
	if (reading->is_refused)
		return REQUEST_FOREIGN;
	keep_steps(request, reading);
	return REQUEST_OK;
}

static enum request_verdict scan_request(struct request *request, struct slice body,
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
	*request = (struct request){.dialect = &dialect_chat, .body = body};
	buffer_init(&reading.steps, REQUEST_MAX_STEPS * sizeof(struct step));
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, names, NAMES, values, &repeated, &messages))
		verdict = judge(request, &reading, values, repeated);
	buffer_finish(&reading.steps);
	return verdict;
}

static bool find_text(struct slice body, struct json_value part, struct json_value *text)
{
	static const char *const names[] = {"type", "text"};
	struct json_value values[2];
	(void)JSON_PICK(body, part, names, values);
	*text = values[1];
	return json_string_is(body, values[0], SLICE("text"));
}

/* As a message before the first one. */
static struct block_place make_place(const struct request *request, enum placement placement,
				     size_t first)
{
	return (struct block_place){
		.offset = request->steps[first].element.begin,
		.before = placement == PLACE_DEVELOPER
				  ? SLICE("{\"role\":\"developer\",\"content\":\"")
				  : SLICE("{\"role\":\"system\",\"content\":\""),
		.behind = SLICE("\"},"),
	};
}

static void append_turn(struct buffer *out, enum role role, struct slice text)
{
	(void)buffer_append(out, SLICE("{\"role\":"));
	json_quote(out, slice_of(role_name(role)));
	(void)buffer_append(out, SLICE(",\"content\":"));
	json_quote(out, text);
	(void)buffer_append(out, SLICE("},"));
}

static bool takes(struct slice method, struct slice path)
{
	return slice_equal(method, SLICE("POST")) &&
	       (slice_equal(path, SLICE("/v1/chat/completions")) ||
		slice_equal(path, SLICE("/chat/completions")));
}

const struct dialect dialect_chat = {
	.name = "chat",
	.takes = takes,
	.scan = scan_request,
	.find_text = find_text,
	.part_before = SLICE(",{\"type\":\"text\",\"text\":\""),
	.part_behind = SLICE("\"},"),
	.make_place = make_place,
	.append_turn = append_turn,
	.add = chat_add,
	.match_terminal = chat_match_terminal,
	.error_body = chat_error_body,
	.error_event = chat_error_event,
	.key_header = SLICE("Authorization"),
	.key_scheme = SLICE("Bearer "),
};
