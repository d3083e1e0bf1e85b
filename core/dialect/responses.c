/* The Responses API. A request with two "input" members is not valid in it. */
#include "core/dialect/responses.h"

enum {
	NAME_INPUT,
	NAME_INSTRUCTIONS,
	NAME_PREVIOUS,
	NAME_CONVERSATION,
	NAME_STORE,
	NAME_BACKGROUND,
	NAME_STREAM,
	NAME_MODEL,
	NAME_PROMPT,
	NAME_TEXT,
	NAME_USER,
	NAME_SAFETY_IDENTIFIER,
	NAME_METADATA,
	NAME_GENERATE,
	NAMES
};

static const char *const request_names[NAMES] = {
	"input",        "instructions", "previous_response_id",
	"conversation", "store",        "background",
	"stream",       "model",        "prompt",
	"text",         "user",         "safety_identifier",
	"metadata",     "generate"};

static bool is_set(struct json_value value)
{
	return value.type != JSON_TYPE_NULL;
}

/* ---- where memory goes ---- */

static struct block_place behind_string(struct json_value string)
{
	return (struct block_place){
		.way = BLOCK_PLACED,
		.offset = string.end - 1,
		.before = response_is_blank(string) ? SLICE("") : SLICE("\\n\\n"),
	};
}

static struct block_place behind_parts(struct slice body, struct json_value parts)
{
	return (struct block_place){
		.way = BLOCK_PLACED,
		.offset = parts.end - 1,
		.before = json_is_empty(body, parts)
				  ? SLICE("{\"type\":\"input_text\",\"text\":\"")
				  : SLICE(",{\"type\":\"input_text\",\"text\":\""),
		.behind = SLICE("\"}"),
	};
}

/* In a field of its own, which the client left out. */
static struct block_place new_field(struct slice body)
{
	return (struct block_place){
		.way = BLOCK_PLACED,
		.is_made = true,
		.offset = slice_find(body, SLICE("{"), 0) + 1,
		.before = SLICE("\"instructions\":\""),
		.behind = SLICE("\","),
	};
}

static struct block_place instead_of(struct json_value null)
{
	return (struct block_place){
		.way = BLOCK_PLACED,
		.is_made = true,
		.offset = null.begin,
		.removed = null.end - null.begin,
		.before = SLICE("\""),
		.behind = SLICE("\""),
	};
}

/* A template at the provider brings instructions of its own. */
static struct block_place find_field(const struct response_input *reading,
				     const struct json_value *values)
{
	struct json_value instructions = values[NAME_INSTRUCTIONS];
	if (response_is_string(instructions))
		return behind_string(instructions);
	if (is_set(instructions) || is_set(values[NAME_PROMPT]))
		return (struct block_place){.way = BLOCK_WITH_USER};
	/* A null has its place, what is absent has none. */
	return instructions.end > 0 ? instead_of(instructions) : new_field(reading->body);
}

/* So the client's own text stays a prefix that all of its users share. */
static struct block_place find_place(const struct response_input *reading,
				     const struct json_value *values)
{
	if (response_is_string(values[NAME_INSTRUCTIONS]) || !is_set(reading->carrier))
		return find_field(reading, values);
	struct block_place place = response_is_string(reading->carrier)
					   ? behind_string(reading->carrier)
					   : behind_parts(reading->body, reading->carrier);
	place.in_item = true;
	return place;
}

/* ---- the fields ---- */

static struct slice member_text(struct slice body, struct json_value object, const char *name,
				struct arena *arena)
{
	return json_string_text(body, json_member(body, object, name), arena);
}

/* The id, or an object that has one. */
static struct slice conversation_of(struct slice body, struct json_value value, struct arena *arena)
{
	return response_is_string(value) ? json_string_text(body, value, arena)
					 : member_text(body, value, "id", arena);
}

static void read_fields(struct request *request, const struct json_value *values,
			struct arena *arena)
{
	struct slice body = request->body;
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_format = dialect_is_form(body, json_member(body, values[NAME_TEXT], "format"));
	request->is_side = values[NAME_GENERATE].type == JSON_TYPE_FALSE;
	request->is_background = values[NAME_BACKGROUND].type == JSON_TYPE_TRUE;
	request->previous = json_string_text(body, values[NAME_PREVIOUS], arena);
	request->conversation = conversation_of(body, values[NAME_CONVERSATION], arena);
	request->user_fields[0] =
		(struct user_field){"user", json_string_text(body, values[NAME_USER], arena)};
	request->user_fields[1] = (struct user_field){
		"safety_identifier", json_string_text(body, values[NAME_SAFETY_IDENTIFIER], arena)};
	request->user_fields[2] = (struct user_field){
		"metadata.user_id", member_text(body, values[NAME_METADATA], "user_id", arena)};
}

/* Whether the request continues from what the provider keeps. */
static bool chains(const struct request *request)
{
	return request->previous.size > 0 || request->conversation.size > 0;
}

static void read_places(struct request *request, const struct response_input *reading,
			const struct json_value *values)
{
	bool is_lone = response_is_string(values[NAME_INPUT]);
	request->places[PLACE_SYSTEM] = find_place(reading, values);
	request->places[PLACE_DEVELOPER] = request->places[PLACE_SYSTEM];
	request->apart = find_field(reading, values);
	request->takes_turns = !chains(request);
	if (is_lone)
		request->lone_text = (struct lone_text){
			SLICE("["), SLICE("{\"role\":\"user\",\"content\":"), SLICE("}]")};
	request->is_kept = chains(request) || values[NAME_STORE].type != JSON_TYPE_FALSE;
	request->beside = request->body.size - (values[NAME_INPUT].end - values[NAME_INPUT].begin) -
			  (values[NAME_INSTRUCTIONS].end - values[NAME_INSTRUCTIONS].begin);
	if (chains(request) || is_set(values[NAME_PROMPT]) || reading->is_opaque)
		request->beside = SIZE_MAX;
}

/* Whether the request asks something. */
static bool has_input(const struct request *request, const struct json_value *values)
{
	struct json_value input = values[NAME_INPUT];
	if (!is_set(input))
		return is_set(values[NAME_PROMPT]) || chains(request);
	return response_is_string(input) || input.type == JSON_TYPE_ARRAY;
}

/* Leaves room for the instructions, which may come behind the input and are the first step. */
static void begin_steps(struct gathering *gathering)
{
	gathering_begin(gathering);
	(void)gather_step(gathering, STEP_SYSTEM, (struct json_value){0});
}

static void gather_whole(struct gathering *gathering, enum step_kind kind, struct json_value string)
{
	if (response_is_string(string) && gather_step(gathering, kind, string) != NULL)
		gather_text(gathering, (struct request_text){.string = string});
}

static void keep_steps(struct request *request, struct response_input *reading,
		       const struct json_value *values)
{
	struct json_value instructions = values[NAME_INSTRUCTIONS];
	bool has_instructions = !response_is_blank(instructions);
	gather_whole(&reading->gathering, STEP_USER, values[NAME_INPUT]);
	if (has_instructions)
		gather_whole(&reading->gathering, STEP_SYSTEM, instructions);
	gathering_keep(&reading->gathering, request, reading->arena);
	request->step_count--;
	if (!has_instructions) {
		request->steps++;
		return;
	}
	request->steps[0] = request->steps[request->step_count];
	request->steps[0].begins_element = false;
}

/* Judges valid JSON. */
static enum request_verdict judge(struct request *request, struct response_input *reading,
				  const struct json_value *values, unsigned repeated)
{
	read_fields(request, values, reading->arena);
	if (!has_input(request, values) || (repeated & 1U << NAME_INPUT) != 0)
		return REQUEST_FOREIGN;
	read_places(request, reading, values);
	request->is_replay_only = reading->is_compaction;
	request->is_compacted = reading->is_compacted;
	keep_steps(request, reading, values);
	return reading->gathering.is_refused ? REQUEST_FOREIGN : REQUEST_OK;
}

static enum request_verdict scan_request(struct request *request, struct slice body,
					 struct arena *arena)
{
	struct json_value values[NAMES];
	struct response_input reading = {.body = body, .arena = arena};
	const struct json_list items = {.name = request_names[NAME_INPUT],
					.names = response_input_members,
					.count = INPUT_MEMBERS,
					.values = reading.values,
					.take = response_take_item,
					.cookie = &reading};
	unsigned repeated;
	*request = (struct request){.dialect = &dialect_responses, .body = body};
	begin_steps(&reading.gathering);
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, request_names, NAMES, values, &repeated, &items))
		verdict = judge(request, &reading, values, repeated);
	gathering_finish(&reading.gathering);
	return verdict;
}

/* Errors look as they do in a chat completion. */
static void error_body(struct buffer *out, int status, const char *code, struct slice message)
{
	dialect_chat.error_body(out, status, code, message);
}

const struct dialect dialect_responses = {
	.name = "responses",
	.list = "input",
	.shape = "one \"input\", a string or an array",
	.paths = {SLICE("/v1/responses"), SLICE("/responses")},
	.scan = scan_request,
	.stream_format = REPLY_EVENTS,
	.stream_type = SLICE("text/event-stream"),
	.match_terminal = responses_match_terminal,
	.needs_end = true,
	.add = responses_add,
	.end = responses_end,
	.error_body = error_body,
	.error_event = responses_error_event,
	.key_header = SLICE("Authorization"),
	.key_scheme = SLICE("Bearer "),
};
