/* Ollama's /api/chat, and what speaks it: the messages of Chat Completions, whose contents are
 * strings and nothing else, with images beside them. It streams unless told otherwise. Where a
 * request has two "messages", it is none. */
#include "core/dialect/ollama.h"

#include "core/dialect/chat.h"
#include "core/dialect/gather.h"

#include <string.h>

static uint64_t hash_token(uint64_t hash, struct slice json, struct json_value *rest)
{
	size_t end = rest->begin + 1;
	struct slice first = slice_part(json, rest->begin, end);
	if (first.data[0] != '"') {
		rest->begin++;
		return strchr(" \t\r\n", first.data[0]) != NULL ? hash
								: step_hash_call(hash, first);
	}
	while (json.data[end] != '"')
		end += json.data[end] == '\\' ? 2 : 1;
	struct json_value string = {JSON_TYPE_STRING, rest->begin, (uint32_t)end + 1};
	struct arena arena = {0};
	hash = step_hash_call(step_hash_call(hash, first), json_string_text(json, string, &arena));
	arena_finish(&arena);
	rest->begin = string.end;
	return hash;
}

struct ollama_call ollama_call_of(struct slice json, struct json_value call)
{
	static const char *const names[] = {"name", "arguments"};
	struct json_value values[2];
	struct ollama_call made;
	uint64_t hash = 0;
	(void)JSON_PICK(json, json_member(json, call, "function"), names, values);
	for (size_t i = 0; i < 2; i++) {
		while (values[i].begin < values[i].end)
			hash = hash_token(hash, json, &values[i]);
	}
	for (size_t i = 0; i < sizeof(made.id); i++)
		made.id[i] = (char)(hash >> 8 * i & 0xff);
	return made;
}

enum { NAME_ROLE, NAME_CONTENT, NAME_IMAGES, NAME_TOOL_CALLS, MESSAGE_NAMES };

static const char *const message_names[MESSAGE_NAMES] = {"role", "content", "images", "tool_calls"};

/* The messages, as the scan comes by them. */
struct reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct gathering gathering;
	struct chat_lead lead;
};

static void count_images(struct reading *reading, struct step *step)
{
	struct json_walk walk = json_walk(reading->body, reading->values[NAME_IMAGES]);
	while (reading->values[NAME_IMAGES].type == JSON_TYPE_ARRAY && json_next(&walk))
		step->other_parts++;
}

static void read_calls(struct reading *reading, struct step *step)
{
	struct json_value calls = reading->values[NAME_TOOL_CALLS];
	struct json_walk walk = json_walk(reading->body, calls);
	while (calls.type == JSON_TYPE_ARRAY && json_next(&walk)) {
		struct ollama_call call = ollama_call_of(reading->body, walk.value);
		step->kind = STEP_CALLS;
		step->ids_hash =
			step_hash_call(step->ids_hash, (struct slice){call.id, sizeof(call.id)});
	}
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
	count_images(reading, step);
	gather_text(&reading->gathering, (struct request_text){.string = message.content});
}

/* Models have templates that take one system message, a string; no other role can carry it. */
static void set_place(struct request *request, struct chat_lead lead)
{
	if (lead.content.type != JSON_TYPE_STRING)
		lead.content = (struct json_value){0};
	chat_set_places(request, &lead);
	request->places[PLACE_DEVELOPER] = request->places[PLACE_SYSTEM];
}

enum { NAME_MESSAGES, NAME_MODEL, NAME_STREAM, NAME_FORMAT, NAMES };

/* "json" or a schema; "" and null are none. */
static bool has_format(struct json_value format)
{
	bool is_empty = format.end - format.begin == sizeof("\"\"") - 1;
	return format.type == JSON_TYPE_OBJECT || (format.type == JSON_TYPE_STRING && !is_empty);
}

/* Judges valid JSON. */
static enum request_verdict judge(struct request *request, struct reading *reading,
				  const struct json_value values[NAMES], unsigned repeated)
{
	if (values[NAME_MESSAGES].type != JSON_TYPE_ARRAY || (repeated & 1U << NAME_MESSAGES) != 0)
		return REQUEST_FOREIGN;
	request->takes_turns = true;
	/* Tokens served from its cache are not counted. */
	request->beside = SIZE_MAX;
	request->model = json_string_text(request->body, values[NAME_MODEL], reading->arena);
	request->stream = values[NAME_STREAM].type != JSON_TYPE_FALSE;
	request->has_format = has_format(values[NAME_FORMAT]);
	if (reading->gathering.is_refused)
		return REQUEST_FOREIGN;
	gathering_keep(&reading->gathering, request, reading->arena);
	set_place(request, reading->lead);
	return REQUEST_OK;
}

static enum request_verdict scan_request(struct request *request, struct slice body,
					 struct arena *arena)
{
	static const char *const names[NAMES] = {"messages", "model", "stream", "format"};
	struct json_value values[NAMES];
	struct reading reading = {.body = body, .arena = arena};
	const struct json_list messages = {.name = names[NAME_MESSAGES],
					   .names = message_names,
					   .count = MESSAGE_NAMES,
					   .values = reading.values,
					   .take = take_message,
					   .cookie = &reading};
	unsigned repeated;
	*request = (struct request){.dialect = &dialect_ollama, .body = body};
	gathering_begin(&reading.gathering);
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, names, NAMES, values, &repeated, &messages))
		verdict = judge(request, &reading, values, repeated);
	gathering_finish(&reading.gathering);
	return verdict;
}

/* ---- replies: one object, or one in each line. Each call for a tool comes whole. What the model
 * thinks is not read, and neither are its counts: they leave out what a cache served ---- */

/* A model was only loaded, or unloaded. */
static bool is_load(struct slice json, struct json_value reason)
{
	return json_string_is(json, reason, SLICE("load")) ||
	       json_string_is(json, reason, SLICE("unload"));
}

static void add_message(struct answer *answer, struct slice json, struct json_value message)
{
	static const char *const names[] = {"content", "tool_calls"};
	struct json_value members[2];
	(void)JSON_PICK(json, message, names, members);
	answer_add_piece(&answer->text, &answer->half, json, members[0]);
	struct json_walk walk = json_walk(json, members[1]);
	while (members[1].type == JSON_TYPE_ARRAY && json_next(&walk)) {
		struct ollama_call call = ollama_call_of(json, walk.value);
		int64_t index = (int64_t)answer->tool_call_count;
		answer_add_call(answer, &index, (struct slice){call.id, sizeof(call.id)});
	}
}

enum { NAME_DONE, NAME_ERROR, NAME_MESSAGE, NAME_DONE_REASON, REPLY_NAMES };

static const char *const reply_names[REPLY_NAMES] = {"done", "error", "message", "done_reason"};

static void ollama_add(struct answer *answer, struct slice event, struct slice json)
{
	(void)event;
	struct json_value members[REPLY_NAMES];
	if (!answer_scan(answer, json, reply_names, REPLY_NAMES, members))
		return;
	if (answer_is_said(members[NAME_ERROR]))
		answer->failed = true;
	if (members[NAME_MESSAGE].type == JSON_TYPE_OBJECT) {
		answer->has_answer = true;
		add_message(answer, json, members[NAME_MESSAGE]);
	}
	if (members[NAME_DONE].type == JSON_TYPE_TRUE)
		answer->finished = true;
	if (is_load(json, members[NAME_DONE_REASON]))
		answer->end = END_NOTHING;
}

/* A line is nothing to its reader before it is whole, and "done" mostly comes last. */
static enum terminal ollama_match_terminal(const struct event_head *head)
{
	struct json_value members[2];
	unsigned repeated;
	if (head->data_may_go_on)
		return TERMINAL_MAYBE;
	if (!json_scan_and_pick(head->data, reply_names, 2, members, &repeated, NULL))
		return TERMINAL_NO;
	bool is_last =
		members[NAME_DONE].type == JSON_TYPE_TRUE || answer_is_said(members[NAME_ERROR]);
	return is_last ? TERMINAL_YES : TERMINAL_NO;
}

static void ollama_error_body(struct buffer *out, int status, const char *code,
			      struct slice message)
{
	(void)status;
	(void)code;
	buffer_append(out, SLICE("{\"error\":"));
	json_quote(out, message);
	buffer_append(out, SLICE("}"));
}

static void ollama_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			       struct slice message)
{
	(void)sequence;
	ollama_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n"));
}

const struct dialect dialect_ollama = {
	.name = "ollama",
	.shape = "one \"messages\" array",
	.list = "messages",
	.paths = {SLICE("/api/chat")},
	.scan = scan_request,
	.stream_format = REPLY_LINES,
	.stream_type = SLICE("application/x-ndjson"),
	.match_terminal = ollama_match_terminal,
	.needs_end = true,
	.add = ollama_add,
	.error_body = ollama_error_body,
	.error_event = ollama_error_event,
	.key_header = SLICE("Authorization"),
	.key_scheme = SLICE("Bearer "),
};
