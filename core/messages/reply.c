/* A Messages reply, and the errors that we say in its form. Only text is an answer: thinking and
 * what tools of the provider's gave are not read. */
#include "core/messages/reply.h"

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
	static const char *const names[] = {"fallback_credit_token"};
	struct json_value token[1];
	(void)JSON_PICK(json, details, names, token);
	return token[0].type == JSON_TYPE_STRING;
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

void messages_add(struct answer *answer, struct slice event, struct slice json)
{
	static const char *const names[EVENT_NAMES] = {"type",  "message", "content_block",
						       "delta", "usage",   "error"};
	struct json_value values[EVENT_NAMES];
	unsigned repeated;
	if (!json_scan_and_pick(json, names, EVENT_NAMES, values, &repeated, NULL) ||
	    slice_trim(json).data[0] != '{') {
		answer->unreadable = true;
		return;
	}
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

enum terminal messages_match_terminal(const struct event_head *head)
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

void messages_error_body(struct buffer *out, int status, const char *code, struct slice message)
{
	(void)code; /* the API has none */
	buffer_printf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
		      error_type(status));
	json_quote(out, message);
	buffer_append(out, SLICE("},\"request_id\":null}"));
}

/* The SDKs pass over data without an `event:` line, and take what was said till then for all. */
void messages_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			  struct slice message)
{
	(void)sequence;
	buffer_append(out, SLICE("event: error\ndata: "));
	messages_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n\n"));
}
