/* Anthropic's Messages API. A request with two "messages" members is not valid in it.
 *
 * Nothing that the model said is ever edited, since its thinking is signed. We set no
 * cache_control: a request may have four, and clients use them up. The block goes after the
 * client's own system text, so that breakpoints there serve all its users, and before those in its
 * messages. */
#include "core/dialect/answer.h"
#include "core/dialect/dialect.h"
#include "core/dialect/gather.h"

enum { MESSAGE_ROLE, MESSAGE_CONTENT, MESSAGE_NAMES };

enum message_role { ROLE_OF_OTHER, ROLE_OF_USER, ROLE_OF_MODEL, ROLE_OF_SYSTEM };

/* The messages, as the scan comes by them. */
struct messages_reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct gathering gathering;
	struct json_value message; /* that is read */
	enum message_role role;    /* of the newest one */
	bool has_steps;            /* the message has begun one */
	bool has_hidden;           /* something that costs tokens which nobody can estimate */
};

/* ---- replies ---- */

enum { INPUT_FRESH, INPUT_WRITTEN, INPUT_READ, INPUTS };

/* The prompt's tokens in three counts: the first alone is what no cache served. */
struct counts {
	int64_t input[INPUTS];
};

static void read_usage(struct answer *answer, struct slice json, struct json_value usage)
{
	static const char *const names[INPUTS] = {"input_tokens", "cache_creation_input_tokens",
						  "cache_read_input_tokens"};
	struct json_value members[INPUTS];
	struct counts *counts = answer->state;
	if (usage.type != JSON_TYPE_OBJECT)
		return;
	if (counts == NULL) {
		counts = arena_alloc(&answer->arena, sizeof(*counts));
		*counts = (struct counts){0};
		answer->state = counts;
	}
	(void)JSON_PICK(json, usage, names, members);
	bool is_known = answer->prompt_tokens >= 0;
	for (size_t i = 0; i < INPUTS; i++) {
		int64_t tokens;
		if (!json_read_integer(json, members[i], &tokens) || tokens < 0)
			continue;
		counts->input[i] = tokens;
		is_known = is_known || i == INPUT_FRESH;
		if (i == INPUT_READ)
			answer->cached_tokens = tokens;
	}
	if (is_known)
		answer->prompt_tokens = counts->input[INPUT_FRESH] + counts->input[INPUT_WRITTEN] +
					counts->input[INPUT_READ];
}

/* A refusal's token for the same request to another model. */
static bool has_token(struct slice json, struct json_value details)
{
	return json_member(json, details, "fallback_credit_token").type == JSON_TYPE_STRING;
}

/* Ends that are neither an answer nor a call. A reply that `max_tokens` ends says what it says. */
static void read_stop(struct answer *answer, struct slice json, struct json_value reason,
		      struct json_value details)
{
	if (json_string_is(json, reason, SLICE("tool_use")))
		answer->has_tool_calls = true;
	else if (json_string_is(json, reason, SLICE("pause_turn")))
		answer->end = END_PAUSED;
	else if (json_string_is(json, reason, SLICE("refusal")))
		answer->end = has_token(json, details) ? END_RETRIED : END_REFUSED;
	else if (json_string_is(json, reason, SLICE("compaction")))
		answer->end = END_NOTHING;
}

/* A block as it stands, or as a stream begins it: text may be in it already. */
static void read_block(struct answer *answer, struct slice json, struct json_value block)
{
	static const char *const names[] = {"type", "text", "id"};
	struct json_value members[3];
	(void)JSON_PICK(json, block, names, members);
	if (json_string_is(json, members[0], SLICE("text"))) {
		answer_add_piece(&answer->text, &answer->half, json, members[1]);
	} else if (json_string_is(json, members[0], SLICE("tool_use"))) {
		struct arena arena = {0};
		answer_add_call(answer, NULL, json_string_text(json, members[2], &arena));
		arena_finish(&arena);
	}
}

static void read_delta(struct answer *answer, struct slice json, struct json_value delta)
{
	static const char *const names[] = {"type", "text"};
	struct json_value members[2];
	(void)JSON_PICK(json, delta, names, members);
	if (json_string_is(json, members[0], SLICE("text_delta")))
		answer_add_piece(&answer->text, &answer->half, json, members[1]);
}

/* The whole message, or how a stream begins it. */
static void read_message(struct answer *answer, struct slice json, struct json_value message)
{
	static const char *const names[] = {"id", "content", "stop_reason", "stop_details",
					    "usage"};
	struct json_value members[5];
	(void)JSON_PICK(json, message, names, members);
	answer->has_answer = true;
	answer_set_id(answer, json, members[0]);
	struct json_walk walk = json_walk(json, members[1]);
	while (members[1].type == JSON_TYPE_ARRAY && json_next(&walk))
		read_block(answer, json, walk.value);
	read_stop(answer, json, members[2], members[3]);
	read_usage(answer, json, members[4]);
}

static void end_message(struct answer *answer, struct slice json, struct json_value delta)
{
	static const char *const names[] = {"stop_reason", "stop_details"};
	struct json_value members[2];
	(void)JSON_PICK(json, delta, names, members);
	read_stop(answer, json, members[0], members[1]);
}

enum { EVENT_TYPE, EVENT_MESSAGE, EVENT_BLOCK, EVENT_DELTA, EVENT_USAGE, EVENT_ERROR, EVENT_NAMES };

static void read_event(struct answer *answer, struct slice json, struct slice type,
		       const struct json_value values[EVENT_NAMES])
{
	if (slice_equal(type, SLICE("content_block_delta"))) {
		read_delta(answer, json, values[EVENT_DELTA]);
	} else if (slice_equal(type, SLICE("content_block_start"))) {
		read_block(answer, json, values[EVENT_BLOCK]);
	} else if (slice_equal(type, SLICE("message_start"))) {
		read_message(answer, json, values[EVENT_MESSAGE]);
	} else if (slice_equal(type, SLICE("message_delta"))) {
		end_message(answer, json, values[EVENT_DELTA]);
		read_usage(answer, json, values[EVENT_USAGE]);
	} else if (slice_equal(type, SLICE("message_stop"))) {
		answer->finished = true;
	} else if (slice_equal(type, SLICE("error"))) {
		answer->failed = true;
	}
}

static void messages_add(struct answer *answer, struct slice event, struct slice json)
{
	static const char *const names[EVENT_NAMES] = {"type",  "message", "content_block",
						       "delta", "usage",   "error"};
	struct json_value values[EVENT_NAMES];
	if (!answer_scan(answer, json, names, EVENT_NAMES, values))
		return;
	struct arena arena = {0};
	struct json_value whole;
	struct slice type = json_string_text(json, values[EVENT_TYPE], &arena);
	if (type.size == 0)
		type = event;
	if (slice_equal(type, SLICE("message")) && json_scan(json, &whole))
		read_message(answer, json, whole);
	else
		read_event(answer, json, type, values);
	if (values[EVENT_ERROR].type == JSON_TYPE_OBJECT)
		answer->failed = true;
	arena_finish(&arena);
}

/* As in struct dialect. */
static enum terminal messages_match_terminal(const struct event_head *head)
{
	static const struct slice names[] = {SLICE("message_stop"), SLICE("error")};
	return event_is_named(head, names, sizeof(names) / sizeof(names[0]));
}

/* ---- what we say ourselves ---- */

static const struct error_type {
	int status;
	const char *name;
} error_types[] = {
	{400, "invalid_request_error"}, {401, "authentication_error"},
	{403, "permission_error"},      {404, "not_found_error"},
	{413, "request_too_large"},     {422, "invalid_request_error"},
	{429, "rate_limit_error"},      {431, "invalid_request_error"},
	{503, "overloaded_error"},      {504, "timeout_error"},
};

static const char *error_type(int status)
{
	for (size_t i = 0; i < sizeof(error_types) / sizeof(error_types[0]); i++) {
		if (error_types[i].status == status)
			return error_types[i].name;
	}
	return "api_error";
}

static void messages_error_body(struct buffer *out, int status, const char *code,
				struct slice message)
{
	(void)code; /* the API has none */
	buffer_printf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
		      error_type(status));
	json_quote(out, message);
	buffer_append(out, SLICE("},\"request_id\":null}"));
}

/* The SDKs pass over data without an `event:` line, and take what was said till then for all. */
static void messages_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
				 struct slice message)
{
	(void)sequence;
	buffer_append(out, SLICE("event: error\ndata: "));
	messages_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n\n"));
}

/* The elements of a Messages request, as its scan comes by them. */

enum { BLOCK_TYPE, BLOCK_TEXT, BLOCK_ID, BLOCK_CONTENT, BLOCK_NAMES };

static const char *const block_names[BLOCK_NAMES] = {"type", "text", "id", "content"};

/* A block of a message's content. */
struct block {
	const struct json_value *values;
	bool follows_text;
};

static bool has_type(const struct messages_reading *reading, const struct block *block,
		     struct slice type)
{
	return json_string_is(reading->body, block->values[BLOCK_TYPE], type);
}

static enum message_role role_of(struct slice body, struct json_value role)
{
	if (json_string_is(body, role, SLICE("user")))
		return ROLE_OF_USER;
	if (json_string_is(body, role, SLICE("assistant")))
		return ROLE_OF_MODEL;
	return json_string_is(body, role, SLICE("system")) ? ROLE_OF_SYSTEM : ROLE_OF_OTHER;
}

/* The next step of the message. */
static struct step *begin_step(struct messages_reading *reading, enum step_kind kind)
{
	struct step *step = gather_step(&reading->gathering, kind, reading->message);
	if (step != NULL)
		step->begins_element = !reading->has_steps;
	reading->has_steps = true;
	return step;
}

/* The step of that kind in the message: the one that is open, or a new one. */
static struct step *step_for(struct messages_reading *reading, enum step_kind kind)
{
	struct step *step = gathered_step(&reading->gathering);
	return reading->has_steps && step->kind == kind ? step : begin_step(reading, kind);
}

/* Calls `take` with each block of the content; skips anything that is not an object. */
static void walk_blocks(struct messages_reading *reading, struct json_value content,
			void (*take)(struct messages_reading *reading, const struct block *block))
{
	struct json_value values[BLOCK_NAMES];
	struct block block = {.values = values};
	struct json_walk walk = json_walk(reading->body, content);
	while (content.type == JSON_TYPE_ARRAY && !reading->gathering.is_refused) {
		if (json_next_picked(&walk, block_names, BLOCK_NAMES, values)) {
			take(reading, &block);
			block.follows_text = has_type(reading, &block, SLICE("text"));
		} else if (!json_next(&walk)) {
			return;
		}
	}
}

/* ---- the user's ---- */

/* Tool results are counted and never learned from. */
static void take_result_part(struct messages_reading *reading, const struct block *part)
{
	struct step *step = gathered_step(&reading->gathering);
	if (has_type(reading, part, SLICE("text")))
		gather_text(&reading->gathering,
			    (struct request_text){.string = part->values[BLOCK_TEXT]});
	else
		step->other_parts++;
}

static void take_result(struct messages_reading *reading, struct json_value content)
{
	if (step_for(reading, STEP_TOOLS) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
	walk_blocks(reading, content, take_result_part);
}

static void take_user_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("tool_result"))) {
		take_result(reading, block->values[BLOCK_CONTENT]);
		return;
	}
	bool is_text = has_type(reading, block, SLICE("text"));
	/* User text that arrives while tools run stands behind the results, and is a turn of its
	 * own. */
	struct step *step = is_text || !reading->has_steps ? step_for(reading, STEP_USER)
							   : gathered_step(&reading->gathering);
	if (step != NULL && is_text)
		gather_text(&reading->gathering,
			    (struct request_text){.string = block->values[BLOCK_TEXT],
						  .follows_text = block->follows_text});
	else if (step != NULL)
		step->other_parts++;
}

static void read_user(struct messages_reading *reading, struct json_value content)
{
	walk_blocks(reading, content, take_user_block);
	if (reading->has_steps || begin_step(reading, STEP_USER) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
}

/* ---- the model's ---- */

/* An earlier part of the conversation as the provider shortened it: it stays at its place. */
static void take_compaction(struct messages_reading *reading, const struct block *block)
{
	struct step *step = gathered_step(&reading->gathering);
	bool is_first = step != NULL && step->begin == reading->message.begin &&
			step->text_count == 0 && step->kind == STEP_ANSWER;
	if (!is_first)
		return;
	step->kind = STEP_SYSTEM;
	gather_text(&reading->gathering,
		    (struct request_text){.string = block->values[BLOCK_CONTENT]});
	(void)begin_step(reading, STEP_ANSWER);
}

static void take_call(struct messages_reading *reading, struct step *step, struct json_value id)
{
	struct slice text = json_string_text(reading->body, id, reading->arena);
	step->kind = STEP_CALLS;
	if (text.size > 0)
		step->ids_hash = step_hash_call(step->ids_hash, text);
}

/* Thinking is the model's own, and so is all that tools of the provider's did. */
static void take_models_block(struct messages_reading *reading, const struct block *block)
{
	struct step *step = gathered_step(&reading->gathering);
	if (has_type(reading, block, SLICE("text")))
		gather_text(
			&reading->gathering,
			(struct request_text){.string = block->values[BLOCK_TEXT], .joins = true});
	else if (has_type(reading, block, SLICE("tool_use")))
		take_call(reading, step, block->values[BLOCK_ID]);
	else if (has_type(reading, block, SLICE("compaction")))
		take_compaction(reading, block);
	else
		reading->has_hidden = true;
}

/* Messages of one side in a row are one turn. */
static struct step *continue_answer(struct messages_reading *reading)
{
	struct step *step = gathered_step(&reading->gathering);
	step->end = reading->message.end;
	reading->has_steps = true;
	return step;
}

static void read_models(struct messages_reading *reading, struct json_value content, bool goes_on)
{
	struct step *step = goes_on ? continue_answer(reading) : begin_step(reading, STEP_ANSWER);
	if (step == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content, .joins = true});
	walk_blocks(reading, content, take_models_block);
}

/* ---- others' ---- */

static void take_system_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("text")))
		gather_text(&reading->gathering,
			    (struct request_text){.string = block->values[BLOCK_TEXT]});
}

static void read_other(struct messages_reading *reading, struct json_value content,
		       enum step_kind kind)
{
	if (begin_step(reading, kind) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
	walk_blocks(reading, content, take_system_block);
}

/* Takes the next message, whose members are in `values`; as json_list.take. The step before the
 * first is the system text's. */
static void messages_take(void *cookie, struct json_value object)
{
	struct messages_reading *reading = cookie;
	struct json_value content = reading->values[MESSAGE_CONTENT];
	enum message_role before = reading->role;
	if (object.type != JSON_TYPE_OBJECT) {
		reading->gathering.is_refused = true;
		return;
	}
	reading->message = object;
	reading->has_steps = false;
	reading->role = role_of(reading->body, reading->values[MESSAGE_ROLE]);
	if (reading->role == ROLE_OF_USER)
		read_user(reading, content);
	else if (reading->role == ROLE_OF_MODEL)
		read_models(reading, content, before == ROLE_OF_MODEL);
	else
		read_other(reading, content,
			   reading->role == ROLE_OF_SYSTEM ? STEP_SYSTEM : STEP_OTHER);
}

/* ---- the system text, which is the first step wherever it stands ---- */

static void gather_lead(struct messages_reading *reading, struct json_value text)
{
	struct request_text lead = {.string = text};
	struct step *first = (void *)reading->gathering.steps.data;
	if (text.type != JSON_TYPE_STRING)
		return;
	if (buffer_append(&reading->gathering.texts,
			  (struct slice){(const char *)&lead, sizeof(lead)}))
		first->text_count++;
	else
		reading->gathering.is_refused = true;
}

static void take_lead_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("text")))
		gather_lead(reading, block->values[BLOCK_TEXT]);
}

/* Takes the field of the system text, which is the first step wherever it stands. */
static void messages_take_system(struct messages_reading *reading, struct json_value system)
{
	struct step *first = (void *)reading->gathering.steps.data;
	first->begin = system.begin;
	first->end = system.end;
	first->first_text = (uint32_t)(reading->gathering.texts.size / sizeof(struct request_text));
	gather_lead(reading, system);
	walk_blocks(reading, system, take_lead_block);
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

/* The provider keeps a thread's system text and its turns. Going on in one, a request may have no
 * system text: what is new goes with the user's words. */
static void read_thread(struct request *request, struct json_value thread, struct arena *arena)
{
	struct slice body = request->body;
	struct json_value type = json_member(body, thread, "type");
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
		json_string_text(body, json_member(body, thread, "previous_message_id"), arena);
	request->beside = SIZE_MAX;
}

#define SYSTEM_PART "{\"type\":\"text\",\"text\":\""

/* The place after the client's own system text. */
static struct block_place place_in_system(struct slice body, struct json_value system)
{
	struct block_place place = {.way = BLOCK_PLACED, .offset = system.end - 1};
	bool alone = system.type != JSON_TYPE_STRING && json_is_empty(body, system);
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
	struct json_value format = json_member(body, values[NAME_OUTPUT_CONFIG], "format");
	struct json_value user = json_member(body, values[NAME_METADATA], "user_id");
	request->model = json_string_text(body, values[NAME_MODEL], arena);
	request->stream = values[NAME_STREAM].type == JSON_TYPE_TRUE;
	request->has_format =
		dialect_is_form(body, format) || dialect_is_form(body, values[NAME_OUTPUT_FORMAT]);
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
	bool has_tools = tools.type == JSON_TYPE_ARRAY && !json_is_empty(reading->body, tools);
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

const struct dialect dialect_messages = {
	.name = "messages",
	.list = "messages",
	.shape = "one \"messages\" array",
	.paths = {SLICE("/v1/messages"), SLICE("/messages")},
	.scan = scan_request,
	.stream_format = REPLY_EVENTS,
	.stream_type = SLICE("text/event-stream"),
	.match_terminal = messages_match_terminal,
	.needs_end = true,
	.add = messages_add,
	.error_body = messages_error_body,
	.error_event = messages_error_event,
	.key_header = SLICE("x-api-key"),
};
