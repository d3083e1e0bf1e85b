/* Anthropic's Messages API. A request with two "messages" members is not valid in it.
 *
 * Nothing that the model said is ever edited, since its thinking is signed. We set no
 * cache_control: a request may have four, and clients use them up. The block goes after the
 * client's own system text, so that breakpoints there serve all its users, and before those in its
 * messages. */
#include "core/messages/reply.h"
#include "core/messages/steps.h"

static bool is_empty(struct slice body, struct json_value array)
{
	return slice_trim(slice_part(body, array.begin + 1, array.end - 1)).size == 0;
}

static bool is_null(struct json_value value)
{
	return value.type == JSON_TYPE_NULL;
}

/* ---- the fields ---- */

static const char *const message_names[MESSAGE_NAMES] = {"role", "content"};

enum {
	NAME_MESSAGES,
	NAME_SYSTEM,
	NAME_MODEL,
	NAME_STREAM,
	NAME_METADATA,
	NAME_TOOLS,
	NAME_THREAD,
	NAME_COMPACTION,
	NAME_FALLBACK,
	NAME_OUTPUT_CONFIG,
	NAME_OUTPUT_FORMAT,
	NAMES
};

static const char *const names[NAMES] = {"messages",      "system",       "model",
					 "stream",        "metadata",     "tools",
					 "thread",        "compaction",   "fallback_credit_token",
					 "output_config", "output_format"};

/* A member of an object; a null if there is none. */
static struct json_value member(struct slice body, struct json_value object, const char *name)
{
	struct json_value value[1];
	(void)json_pick(body, object, &name, 1, value);
	return value[0];
}

static bool is_form(struct slice body, struct json_value format)
{
	return format.type == JSON_TYPE_OBJECT &&
	       !json_string_is(body, member(body, format, "type"), SLICE("text"));
}

/* The provider keeps a thread's system text and its turns. Going on in one, a request may have no
 * system text: what is new goes with the user's words. */
static void read_thread(struct request *request, struct json_value thread, struct arena *arena)
{
	struct slice body = request->body;
	struct json_value type = member(body, thread, "type");
	bool goes_on = json_string_is(body, type, SLICE("continue"));
	request->is_kept = goes_on || json_string_is(body, type, SLICE("create"));
	request->takes_turns = !goes_on;
	for (size_t i = 0; i < PLACE_USER; i++) {
		request->places[i].in_item = request->is_kept;
		if (goes_on)
			request->places[i] = (struct block_place){.way = BLOCK_WITH_USER};
	}
	if (!goes_on)
		return;
	request->previous =
		json_string_text(body, member(body, thread, "previous_message_id"), arena);
	request->beside = SIZE_MAX;
}

#define SYSTEM_PART "{\"type\":\"text\",\"text\":\""

/* The place after the client's own system text. */
static struct block_place place_in_system(struct slice body, struct json_value system)
{
	struct block_place place = {.way = BLOCK_PLACED, .offset = system.end - 1};
	bool alone = system.type != JSON_TYPE_STRING && is_empty(body, system);
	if (system.type == JSON_TYPE_STRING) {
		place.before = SLICE("\\n\\n");
		return place;
	}
	place.before = alone ? SLICE(SYSTEM_PART) : SLICE("," SYSTEM_PART);
	place.behind = SLICE("\"}");
	return place;
}

/* A field of ours; replaces one that says nothing. */
static struct block_place place_of_field(struct slice body, struct json_value system)
{
	struct block_place place = {.way = BLOCK_PLACED, .is_made = true};
	if (system.end > system.begin) {
		place.offset = system.begin;
		place.removed = system.end - system.begin;
		place.before = SLICE("\"");
		place.behind = SLICE("\"");
		return place;
	}
	while (body.data[place.offset++] != '{')
		;
	place.before = SLICE("\"system\":\"");
	place.behind = SLICE("\",");
	return place;
}

static void set_places(struct request *request, struct json_value system)
{
	bool is_said =
		system.type == JSON_TYPE_ARRAY ||
		(system.type == JSON_TYPE_STRING && system.end - system.begin > sizeof("\"\"") - 1);
	struct block_place place = is_said ? place_in_system(request->body, system)
					   : place_of_field(request->body, system);
	request->places[PLACE_SYSTEM] = place;
	request->places[PLACE_DEVELOPER] = place;
}

static void let_stay(struct step *steps, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		steps[i].stays = true;
}

/* A system message must stand between the user's and the model's: the exchange that has one stays
 * whole. So does a compaction, with the rest of its message. */
static void let_exchanges_stay(struct request *request)
{
	struct step *steps = request->steps;
	size_t begin = 1; /* behind the system text */
	bool has_system = false;
	bool is_asked = false;
	for (size_t i = begin; i < request->step_count; i++) {
		bool begins = steps[i].kind == STEP_USER && steps[i].begins_element && !is_asked;
		if (begins && has_system)
			let_stay(steps, begin, i);
		if (begins)
			begin = i;
		has_system = steps[i].kind == STEP_SYSTEM || (has_system && !begins);
		is_asked = steps[i].kind == STEP_USER || (is_asked && steps[i].kind != STEP_ANSWER);
	}
}

static void keep_steps(struct request *request, struct messages_reading *reading)
{
	gathering_keep(&reading->gathering, request, reading->arena);
	let_exchanges_stay(request);
	if (request->steps[0].text_count > 0)
		return;
	request->steps++;
	request->step_count--;
}

/* ---- the whole ---- */

static void read_fields(struct request *request, const struct json_value values[NAMES],
			struct arena *arena)
{
	struct slice body = request->body;
	struct json_value format = member(body, values[NAME_OUTPUT_CONFIG], "format");
	struct json_value user = member(body, values[NAME_METADATA], "user_id");
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_format = is_form(body, format) || is_form(body, values[NAME_OUTPUT_FORMAT]);
	request->is_replay_only = !is_null(values[NAME_COMPACTION]);
	request->is_retry = !is_null(values[NAME_FALLBACK]);
	request->user_fields[0] = (struct user_field){
		"metadata.user_id", request_user_id(json_string_text(body, user, arena), arena)};
}

static size_t size_of(struct json_value value)
{
	return value.end - value.begin;
}

/* The provider adds text to tools that it does not report. */
static size_t beside(const struct messages_reading *reading, const struct json_value values[NAMES])
{
	struct json_value tools = values[NAME_TOOLS];
	bool has_tools = tools.type == JSON_TYPE_ARRAY && !is_empty(reading->body, tools);
	if (has_tools || reading->has_hidden)
		return SIZE_MAX;
	return reading->body.size - size_of(values[NAME_MESSAGES]) - size_of(values[NAME_SYSTEM]);
}

static bool is_system(struct json_value system)
{
	return is_null(system) || system.type == JSON_TYPE_STRING || system.type == JSON_TYPE_ARRAY;
}

/* Judges valid JSON. */
static enum request_verdict judge(struct request *request, struct messages_reading *reading,
				  const struct json_value values[NAMES], unsigned repeated)
{
	if (values[NAME_MESSAGES].type != JSON_TYPE_ARRAY || (repeated & 1U << NAME_MESSAGES) != 0)
		return REQUEST_FOREIGN;
	read_fields(request, values, reading->arena);
	if (!is_system(values[NAME_SYSTEM]))
		return REQUEST_FOREIGN;
	messages_take_system(reading, values[NAME_SYSTEM]);
	if (reading->gathering.is_refused)
		return REQUEST_FOREIGN;
	keep_steps(request, reading);
	request->beside = beside(reading, values);
	set_places(request, values[NAME_SYSTEM]);
	read_thread(request, values[NAME_THREAD], reading->arena);
	return REQUEST_OK;
}

static enum request_verdict scan_request(struct request *request, struct slice body,
					 struct arena *arena)
{
	struct json_value values[NAMES];
	struct messages_reading reading = {.body = body, .arena = arena};
	const struct json_list messages = {.name = names[NAME_MESSAGES],
					   .names = message_names,
					   .count = MESSAGE_NAMES,
					   .values = reading.values,
					   .take = messages_take,
					   .cookie = &reading};
	unsigned repeated;
	*request = (struct request){.dialect = &dialect_messages, .body = body};
	gathering_begin(&reading.gathering);
	(void)gather_step(&reading.gathering, STEP_SYSTEM, (struct json_value){0});
	enum request_verdict verdict = REQUEST_NOT_JSON;
	if (json_scan_and_pick(body, names, NAMES, values, &repeated, &messages))
		verdict = judge(request, &reading, values, repeated);
	gathering_finish(&reading.gathering);
	return verdict;
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
	       (slice_equal(path, SLICE("/v1/messages")) || slice_equal(path, SLICE("/messages")));
}

const struct dialect dialect_messages = {
	.name = "messages",
	.list = "messages",
	.shape = "one \"messages\" array",
	.takes = takes,
	.scan = scan_request,
	.append_turn = append_turn,
	.stream_format = REPLY_EVENTS,
	.stream_type = SLICE("text/event-stream"),
	.match_terminal = messages_match_terminal,
	.needs_end = true,
	.add = messages_add,
	.error_body = messages_error_body,
	.error_event = messages_error_event,
	.key_header = SLICE("x-api-key"),
};
