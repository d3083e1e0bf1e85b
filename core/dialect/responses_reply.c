/* A Responses reply: the response as one JSON object, or the events that it comes in. */
#include "core/dialect/responses.h"

enum {
	NAME_TYPE,
	NAME_DELTA,
	NAME_OUTPUT_INDEX,
	NAME_CONTENT_INDEX,
	NAME_TEXT,
	NAME_REFUSAL,
	NAME_ITEM,
	NAME_PART,
	NAME_RESPONSE,
	NAME_SEQUENCE_NUMBER,
	NAME_ERROR,
	NAME_OBJECT,
	NAME_ID,
	NAME_STATUS,
	NAME_OUTPUT,
	NAME_USAGE,
	NAME_INCOMPLETE_DETAILS,
	NAMES
};

static const char *const names[NAMES] = {
	"type",   "delta",    "output_index",      "content_index", "text",   "refusal", "item",
	"part",   "response", "sequence_number",   "error",         "object", "id",      "status",
	"output", "usage",    "incomplete_details"};

/* An event, or a whole response. */
struct reading {
	struct answer *answer;
	struct slice json;
	struct json_value values[NAMES];
};

static struct response_output *output_of(struct answer *answer)
{
	if (answer->state == NULL)
		answer->state = response_output_create(answer->text.limit);
	return answer->state;
}

static bool is_word(const struct reading *reading, int name, struct slice word)
{
	return json_string_is(reading->json, reading->values[name], word);
}

/* ---- a response ---- */

static bool is_filtered(const struct reading *reading)
{
	struct json_value reason =
		json_member(reading->json, reading->values[NAME_INCOMPLETE_DETAILS], "reason");
	return json_string_is(reading->json, reason, SLICE("content_filter"));
}

/* A server that does not know the field has answered. */
static void read_status(const struct reading *reading)
{
	struct answer *answer = reading->answer;
	bool is_incomplete = is_word(reading, NAME_STATUS, SLICE("incomplete"));
	if (is_word(reading, NAME_STATUS, SLICE("queued")) ||
	    is_word(reading, NAME_STATUS, SLICE("in_progress")))
		answer->end = END_PENDING;
	else if (is_word(reading, NAME_STATUS, SLICE("failed")) ||
		 is_word(reading, NAME_STATUS, SLICE("cancelled")))
		answer->failed = true;
	else
		answer->finished = true;
	if (is_incomplete && is_filtered(reading))
		answer->end = END_REFUSED;
}

/* A server that leaves the items out of the last event has said them before. */
static void read_response(const struct reading *reading)
{
	static const char *const usage[] = {"input_tokens", "input_tokens_details"};
	const struct json_value *output = &reading->values[NAME_OUTPUT];
	struct answer *answer = reading->answer;
	answer_set_id(answer, reading->json, reading->values[NAME_ID]);
	if (reading->values[NAME_ERROR].type != JSON_TYPE_NULL)
		answer->failed = true;
	answer_note_usage(answer, reading->json, reading->values[NAME_USAGE], usage);
	if (output->type != JSON_TYPE_ARRAY && !is_word(reading, NAME_OBJECT, SLICE("response")))
		return;
	answer->has_answer = true;
	read_status(reading);
	if (output->type == JSON_TYPE_ARRAY && !json_is_empty(reading->json, *output))
		response_output_read(output_of(answer), reading->json, *output);
}

/* The response within an event. */
static void read_inner(const struct reading *event)
{
	struct reading inner = {.answer = event->answer, .json = event->json};
	(void)json_pick(event->json, event->values[NAME_RESPONSE], names, NAMES, inner.values);
	read_response(&inner);
}

/* ---- its events ---- */

static int64_t index_of(const struct reading *event, int name)
{
	int64_t index = 0;
	(void)json_read_integer(event->json, event->values[name], &index);
	return index;
}

static struct response_place place_of(const struct reading *event, bool is_refusal)
{
	return (struct response_place){index_of(event, NAME_OUTPUT_INDEX),
				       index_of(event, NAME_CONTENT_INDEX), is_refusal};
}

static void say(const struct reading *event, bool is_refusal, int name, bool replaces)
{
	event->answer->has_answer = true;
	response_output_say(output_of(event->answer), place_of(event, is_refusal), event->json,
			    event->values[name], replaces);
}

static void on_text_delta(const struct reading *event)
{
	say(event, false, NAME_DELTA, false);
}

static void on_text_done(const struct reading *event)
{
	say(event, false, NAME_TEXT, true);
}

static void on_refusal_delta(const struct reading *event)
{
	say(event, true, NAME_DELTA, false);
}

static void on_refusal_done(const struct reading *event)
{
	say(event, true, NAME_REFUSAL, true);
}

static void on_part(const struct reading *event)
{
	struct json_value said;
	enum response_part kind = response_read_part(event->json, event->values[NAME_PART], &said);
	if (kind != PART_OTHER)
		response_output_say(output_of(event->answer), place_of(event, kind == PART_REFUSAL),
				    event->json, said, true);
}

static void on_item(const struct reading *event)
{
	event->answer->has_answer = true;
	response_output_set(output_of(event->answer), index_of(event, NAME_OUTPUT_INDEX),
			    event->json, event->values[NAME_ITEM]);
}

/* Only its id is news: what it says comes with the events behind it. */
static void on_begin(const struct reading *event)
{
	answer_set_id(event->answer, event->json,
		      json_member(event->json, event->values[NAME_RESPONSE], "id"));
}

static void on_end(const struct reading *event)
{
	event->answer->end = END_PLAIN;
	event->answer->finished = true;
	read_inner(event);
}

static void on_failed(const struct reading *event)
{
	event->answer->failed = true;
	read_inner(event);
}

static void on_error(const struct reading *event)
{
	event->answer->failed = true;
}

/* The most frequent first. */
static const struct event_type {
	struct slice word;
	void (*read)(const struct reading *event);
} event_types[] = {
	{SLICE("response.output_text.delta"), on_text_delta},
	{SLICE("response.output_item.added"), on_item},
	{SLICE("response.output_item.done"), on_item},
	{SLICE("response.output_text.done"), on_text_done},
	{SLICE("response.content_part.added"), on_part},
	{SLICE("response.content_part.done"), on_part},
	{SLICE("response.refusal.delta"), on_refusal_delta},
	{SLICE("response.refusal.done"), on_refusal_done},
	{SLICE("response.created"), on_begin},
	{SLICE("response.queued"), on_begin},
	{SLICE("response.in_progress"), on_begin},
	{SLICE("response.completed"), on_end},
	{SLICE("response.incomplete"), on_end},
	{SLICE("response.failed"), on_failed},
	{SLICE("error"), on_error},
};

static void read_event(const struct reading *event, struct slice type)
{
	int64_t sequence;
	if (json_read_integer(event->json, event->values[NAME_SEQUENCE_NUMBER], &sequence))
		event->answer->sequence = sequence + 1;
	for (size_t i = 0; i < sizeof(event_types) / sizeof(event_types[0]); i++) {
		if (!slice_equal(event_types[i].word, type))
			continue;
		event_types[i].read(event);
		return;
	}
}

void responses_add(struct answer *answer, struct slice event, struct slice json)
{
	struct reading reading = {.answer = answer, .json = json};
	struct arena arena = {0};
	if (slice_equal(json, SLICE("[DONE]"))) /* which some servers add */
		return;
	if (!answer_scan(answer, json, names, NAMES, reading.values))
		return;
	struct slice type = json_string_text(json, reading.values[NAME_TYPE], &arena);
	if (type.size == 0)
		type = event;
	if (type.size > 0)
		read_event(&reading, type);
	else
		read_response(&reading);
	arena_finish(&arena);
}

void responses_end(struct answer *answer)
{
	if (answer->state != NULL)
		response_output_tell(answer->state, answer);
	response_output_destroy(answer->state);
	answer->state = NULL;
}

/* An event of any size ends the stream by its name: what it holds may be too large to be read. */
enum terminal responses_match_terminal(const struct event_head *head)
{
	static const struct slice names_of_ends[] = {SLICE("response.completed"),
						     SLICE("response.incomplete"),
						     SLICE("response.failed"), SLICE("error")};
	return event_is_named(head, names_of_ends,
			      sizeof(names_of_ends) / sizeof(names_of_ends[0]));
}

/* ---- what we say ourselves ---- */

static void append_fields(struct buffer *out, const char *code, struct slice message)
{
	(void)buffer_append(out, SLICE("\"code\":"));
	if (code == NULL)
		(void)buffer_append(out, SLICE("null"));
	else
		json_quote(out, slice_of(code));
	(void)buffer_append(out, SLICE(",\"message\":"));
	json_quote(out, message);
	(void)buffer_append(out, SLICE(",\"param\":null"));
}

/* OpenAI's event, and within it the object without which its SDKs raise nothing; the AI SDK takes
 * neither alone. */
void responses_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			   struct slice message)
{
	buffer_printf(out, "event: error\ndata: {\"type\":\"error\",\"sequence_number\":%lld,",
		      (long long)sequence);
	append_fields(out, code, message);
	buffer_printf(out, ",\"error\":{\"type\":\"%s\",",
		      status < 500 ? "invalid_request_error" : "api_error");
	append_fields(out, code, message);
	(void)buffer_append(out, SLICE("}}\n\n"));
}
