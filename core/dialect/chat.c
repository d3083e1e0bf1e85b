/* The Chat Completions API. A request with two "messages" members is not valid in it. */
#include "core/dialect/chat.h"

#include "core/dialect/gather.h"

#include <string.h>

/* Most frequent first. */
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

static enum step_kind step_kind_of(struct slice body, struct json_value role, struct arena *arena)
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

struct step *chat_begin_step(struct gathering *gathering, struct slice body,
			     const struct chat_message *message, struct chat_lead *lead,
			     struct arena *arena)
{
	bool is_first = gathering->steps.size == 0;
	if (message->object.type != JSON_TYPE_OBJECT) {
		gathering->is_refused = true;
		return NULL;
	}
	enum step_kind kind = step_kind_of(body, message->role, arena);
	if (kind == STEP_SYSTEM && is_first)
		lead->content = message->content;
	lead->has_system |= kind == STEP_SYSTEM;
	return gather_step(gathering, kind, message->object);
}

static uint64_t hash_tool_calls(struct slice body, struct json_value calls, struct arena *arena)
{
	uint64_t hash = 0;
	struct json_walk walk = json_walk(body, calls);
	while (json_next(&walk)) {
		struct slice text =
			json_string_text(body, json_member(body, walk.value, "id"), arena);
		if (text.size > 0)
			hash = step_hash_call(hash, text);
	}
	return hash;
}

enum { NAME_ROLE, NAME_CONTENT, NAME_TOOL_CALLS, NAME_FUNCTION_CALL, NAME_REFUSAL, MESSAGE_NAMES };

static const char *const message_names[MESSAGE_NAMES] = {"role", "content", "tool_calls",
							 "function_call", "refusal"};

/* The messages, as the scan finds them. */
struct reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct gathering gathering;
	struct chat_lead lead;
};

/* Images make a part large, so each is walked only once. */
static void read_parts(struct reading *reading, struct step *step, struct json_value parts)
{
	static const char *const names[] = {"type", "text"};
	struct json_value values[2];
	bool follows_text = false;
	struct json_walk walk = json_walk(reading->body, parts);
	for (;;) {
		bool is_object = json_next_picked(&walk, names, 2, values);
		if (!is_object && !json_next(&walk))
			return;
		bool is_text = is_object && values[1].type == JSON_TYPE_STRING &&
			       json_string_is(reading->body, values[0], SLICE("text"));
		if (is_text)
			gather_text(&reading->gathering,
				    (struct request_text){.string = values[1],
							  .follows_text = follows_text});
		else
			step->other_parts++;
		follows_text = is_text;
	}
}

/* An assistant message without content says its refusal. */
static void read_content(struct reading *reading, struct step *step)
{
	struct json_value content = reading->values[NAME_CONTENT];
	if (content.type == JSON_TYPE_NULL && step_is_models(step))
		content = reading->values[NAME_REFUSAL];
	if (content.type == JSON_TYPE_ARRAY)
		read_parts(reading, step, content);
	else
		gather_text(&reading->gathering, (struct request_text){.string = content});
}

static void read_calls(struct reading *reading, struct step *step)
{
	struct json_value calls = reading->values[NAME_TOOL_CALLS];
	if (calls.type == JSON_TYPE_ARRAY && !json_is_empty(reading->body, calls)) {
		step->kind = STEP_CALLS;
		step->ids_hash = hash_tool_calls(reading->body, calls, reading->arena);
	}
	if (reading->values[NAME_FUNCTION_CALL].type == JSON_TYPE_OBJECT)
		step->kind = STEP_CALLS;
}

static void take_message(void *cookie, struct json_value object)
{
	struct reading *reading = cookie;
	const struct chat_message message = {object, reading->values[NAME_ROLE],
					     reading->values[NAME_CONTENT]};
	struct step *step = chat_begin_step(&reading->gathering, reading->body, &message,
					    &reading->lead, reading->arena);
	if (step == NULL)
		return;
	if (step->kind == STEP_ANSWER)
		read_calls(reading, step);
	read_content(reading, step);
}

#define PART "{\"type\":\"text\",\"text\":\""

/* The place after the text of the leading system message. */
static struct block_place place_behind(struct slice body, struct json_value content)
{
	struct block_place place = {.way = BLOCK_PLACED, .offset = content.end - 1};
	if (content.type == JSON_TYPE_STRING) {
		bool alone = content.end - content.begin == sizeof("\"\"") - 1;
		place.before = alone ? SLICE("") : SLICE("\\n\\n");
		return place;
	}
	place.before = json_is_empty(body, content) ? SLICE(PART) : SLICE("," PART);
	place.behind = SLICE("\"}");
	return place;
}

/* There is never a second system message: templates for one refuse two, and some servers keep only
 * the last. */
void chat_set_places(struct request *request, const struct chat_lead *lead)
{
	struct block_place *places = request->places;
	if (lead->content.type == JSON_TYPE_STRING || lead->content.type == JSON_TYPE_ARRAY) {
		places[PLACE_SYSTEM] = place_behind(request->body, lead->content);
		places[PLACE_DEVELOPER] = places[PLACE_SYSTEM];
		return;
	}
	if (lead->has_system || request->step_count == 0)
		return;
	places[PLACE_SYSTEM] = (struct block_place){
		.way = BLOCK_PLACED,
		.is_made = true,
		.offset = request->steps[0].begin,
		.before = SLICE("{\"role\":\"system\",\"content\":\""),
		.behind = SLICE("\"},"),
	};
	places[PLACE_DEVELOPER] = places[PLACE_SYSTEM];
	places[PLACE_DEVELOPER].before = SLICE("{\"role\":\"developer\",\"content\":\"");
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
	const struct json_value *list = &values[NAME_MESSAGES];
	struct json_value user = json_member(body, values[NAME_METADATA], "user_id");
	request->beside = body.size - (list->end - list->begin);
	request->takes_turns = true;
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_format = dialect_is_form(body, values[NAME_RESPONSE_FORMAT]);
	request->user_fields[0] =
		(struct user_field){"user", json_string_text(body, values[NAME_USER], arena)};
	request->user_fields[1] = (struct user_field){
		"safety_identifier", json_string_text(body, values[NAME_SAFETY_IDENTIFIER], arena)};
	request->user_fields[2] = (struct user_field){
		"metadata.user_id", request_user_id(json_string_text(body, user, arena), arena)};
}

/* Judges valid JSON. */
static enum request_verdict judge(struct request *request, struct reading *reading,
				  const struct json_value values[NAMES], unsigned repeated)
{
	if (values[NAME_MESSAGES].type != JSON_TYPE_ARRAY || (repeated & 1U << NAME_MESSAGES) != 0)
		return REQUEST_FOREIGN;
	read_fields(request, values, reading->arena);
	if (reading->gathering.is_refused)
		return REQUEST_FOREIGN;
	gathering_keep(&reading->gathering, request, reading->arena);
	chat_set_places(request, &reading->lead);
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
	gathering_begin(&reading.gathering);
	gathering_expect(&reading.gathering, body.size);
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, names, NAMES, values, &repeated, &messages))
		verdict = judge(request, &reading, values, repeated);
	gathering_finish(&reading.gathering);
	return verdict;
}

/* ---- replies: the choice with index 0, or without indexes the first of the list; reasoning is
 * ignored ---- */

/* Joins the text parts of a message by line breaks; those of a delta are pieces of one text. */
static void append_parts(struct answer *answer, struct slice json, struct json_value parts,
			 bool is_delta)
{
	static const char *const names[] = {"type", "text"};
	struct json_walk walk = json_walk(json, parts);
	while (json_next(&walk)) {
		struct json_value part[2];
		(void)JSON_PICK(json, walk.value, names, part);
		if (!json_string_is(json, part[0], SLICE("text")))
			continue;
		if (is_delta) {
			answer_add_piece(&answer->text, &answer->half, json, part[1]);
			continue;
		}
		if (answer->text.size > 0)
			answer_add_text(&answer->text, SLICE("\n"));
		answer_add_string(&answer->text, json, part[1]);
	}
}

static void add_tool_calls(struct answer *answer, struct slice json, struct json_value calls)
{
	static const char *const names[] = {"index", "id"};
	struct json_walk walk = json_walk(json, calls);
	while (calls.type == JSON_TYPE_ARRAY && json_next(&walk)) {
		struct json_value members[2];
		int64_t index;
		struct arena arena = {0};
		(void)JSON_PICK(json, walk.value, names, members);
		struct slice id = json_string_text(json, members[1], &arena);
		bool has_index = json_read_integer(json, members[0], &index);
		answer_add_call(answer, has_index ? &index : NULL, id);
		arena_finish(&arena);
	}
}

static void add_message(struct answer *answer, struct slice json, struct json_value message,
			bool is_delta)
{
	static const char *const names[] = {"content", "refusal", "tool_calls", "function_call"};
	struct json_value members[4];
	(void)JSON_PICK(json, message, names, members);
	if (members[0].type == JSON_TYPE_ARRAY)
		append_parts(answer, json, members[0], is_delta);
	else if (is_delta)
		answer_add_piece(&answer->text, &answer->half, json, members[0]);
	else
		answer_add_string(&answer->text, json, members[0]);
	answer_add_string(&answer->refusal, json, members[1]);
	add_tool_calls(answer, json, members[2]);
	if (members[3].type == JSON_TYPE_OBJECT)
		answer->has_tool_calls = true;
}

enum { CHOICE_MEMBERS = 4 };

/* The index of a choice without one is its place in the list. */
static void add_choice(struct answer *answer, struct slice json,
		       const struct json_value members[CHOICE_MEMBERS], int64_t place)
{
	int64_t index;
	if (!json_read_integer(json, members[0], &index))
		index = place;
	if (index != 0)
		return;
	answer->has_answer = true;
	if (members[1].type == JSON_TYPE_OBJECT) {
		answer->is_in_pieces = true;
		add_message(answer, json, members[1], true);
	} else if (!answer->is_in_pieces) {
		/* Some servers end a stream of deltas by repeating the whole message. */
		add_message(answer, json, members[2], false);
	}
	if (answer_is_said(members[3]))
		answer->finished = true;
}

/* Skips anything that is not an object. */
static void add_choices(struct answer *answer, struct slice json, struct json_value choices)
{
	static const char *const names[CHOICE_MEMBERS] = {"index", "delta", "message",
							  "finish_reason"};
	struct json_value members[CHOICE_MEMBERS];
	struct json_walk walk = json_walk(json, choices);
	for (int64_t place = 0; choices.type == JSON_TYPE_ARRAY; place++) {
		if (json_next_picked(&walk, names, CHOICE_MEMBERS, members))
			add_choice(answer, json, members, place);
		else if (!json_next(&walk))
			break;
	}
}

static void chat_add(struct answer *answer, struct slice event, struct slice json)
{
	(void)event;
	static const char *const names[] = {"choices", "error", "usage"};
	static const char *const usage[] = {"prompt_tokens", "prompt_tokens_details"};
	struct json_value members[3];
	if (!answer_scan(answer, json, names, 3, members))
		return;
	if (answer_is_said(members[1]))
		answer->failed = true;
	add_choices(answer, json, members[0]);
	if (members[2].type == JSON_TYPE_OBJECT)
		answer_note_usage(answer, json, members[2], usage);
}

static enum terminal chat_match_terminal(const struct event_head *head)
{
	const struct slice last = SLICE("[DONE]");
	struct slice data = head->data;
	size_t size = data.size < last.size ? data.size : last.size;
	if (!head->has_data || !slice_starts_with(last, slice_part(data, 0, size)))
		return TERMINAL_NO;
	/* Tolerates some spaces after it. */
	if (data.size == EVENT_HEAD)
		return TERMINAL_NO;
	while (data.size > size && data.data[data.size - 1] == ' ')
		data.size--;
	if (data.size > size)
		return TERMINAL_NO;
	return size == last.size ? TERMINAL_YES : TERMINAL_MAYBE;
}

static void chat_error_body(struct buffer *out, int status, const char *code, struct slice message)
{
	buffer_append(out, SLICE("{\"error\":{\"message\":"));
	json_quote(out, message);
	buffer_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":",
		      status < 500 ? "invalid_request_error" : "api_error");
	if (code == NULL)
		buffer_append(out, SLICE("null"));
	else
		json_quote(out, slice_of(code));
	buffer_append(out, SLICE("}}"));
}

static void chat_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			     struct slice message)
{
	(void)sequence;
	buffer_append(out, SLICE("data: "));
	chat_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n\n"));
}

const struct dialect dialect_chat = {
	.name = "chat",
	.list = "messages",
	.shape = "one \"messages\" array",
	.paths = {SLICE("/v1/chat/completions"), SLICE("/chat/completions")},
	.scan = scan_request,
	.stream_format = REPLY_EVENTS,
	.stream_type = SLICE("text/event-stream"),
	.match_terminal = chat_match_terminal,
	.add = chat_add,
	.error_body = chat_error_body,
	.error_event = chat_error_event,
	.key_header = SLICE("Authorization"),
	.key_scheme = SLICE("Bearer "),
};
