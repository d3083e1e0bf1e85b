#include "tests/model/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_int_t count_of(const struct completion *completion, const char *name)
{
	return json_integer_value(json_object_get(completion->usage, name));
}

static json_int_t cached_of(const struct completion *completion)
{
	json_t *details = json_object_get(completion->usage, "prompt_tokens_details");
	return json_integer_value(json_object_get(details, "cached_tokens"));
}

/* "" where a tool is called. */
static json_t *text_of(const struct completion *completion)
{
	if (completion->tool_call != NULL)
		return json_string("");
	return json_stringn(completion->text.data, completion->text.size);
}

static json_t *piece_text(const struct completion *completion, size_t index)
{
	struct slice piece = completion_piece(completion, index);
	return piece.size > 0 ? json_stringn(piece.data, piece.size) : NULL;
}

/* Of the call's function: "name" or "arguments", the JSON as text. */
static json_t *call_member(const struct completion *completion, const char *name)
{
	return json_object_get(json_object_get(completion->tool_call, "function"), name);
}

static json_t *call_id(const struct completion *completion)
{
	return json_object_get(completion->tool_call, "id");
}

static json_t *call_arguments(const struct completion *completion)
{
	json_t *arguments =
		json_loads(json_string_value(call_member(completion, "arguments")), 0, NULL);
	return arguments != NULL ? arguments : json_object();
}

static bool is_cut(const struct completion *completion)
{
	return strcmp(completion->finish_reason, "length") == 0;
}

/* ---- Chat Completions ---- */

static json_t *chat_events(const struct completion *completion)
{
	json_t *events = json_array(), *chunk;
	for (size_t i = 0; (chunk = completion_chunk(completion, i)) != NULL; i++)
		json_array_append_new(events, chunk);
	return events;
}

/* ---- Responses ---- */

static json_t *text_part(json_t *text)
{
	return json_pack("{s:s,s:o,s:[],s:[]}", "type", "output_text", "text", text, "annotations",
			 "logprobs");
}

static json_t *output_item(const struct completion *completion, const char *status)
{
	if (completion->tool_call != NULL)
		return json_pack("{s:s+,s:s,s:s,s:O,s:O,s:O}", "id", "fc_", completion->id, "type",
				 "function_call", "status", status, "call_id", call_id(completion),
				 "name", call_member(completion, "name"), "arguments",
				 call_member(completion, "arguments"));
	return json_pack("{s:s+,s:s,s:s,s:s,s:[o]}", "id", "msg_", completion->id, "type",
			 "message", "status", status, "role", "assistant", "content",
			 text_part(text_of(completion)));
}

static json_t *response_usage(const struct completion *completion)
{
	return json_pack("{s:I,s:{s:I},s:I,s:{s:i},s:I}", "input_tokens",
			 count_of(completion, "prompt_tokens"), "input_tokens_details",
			 "cached_tokens", cached_of(completion), "output_tokens",
			 count_of(completion, "completion_tokens"), "output_tokens_details",
			 "reasoning_tokens", 0, "total_tokens",
			 count_of(completion, "total_tokens"));
}

/* `is_begun`: as it stands before anything was said. */
static json_t *response_object(const struct completion *completion, bool is_begun)
{
	const char *status = is_cut(completion) ? "incomplete" : "completed";
	json_t *details = !is_begun && is_cut(completion)
				  ? json_pack("{s:s}", "reason", "max_output_tokens")
				  : json_null();
	json_t *output = json_array();
	if (!is_begun)
		json_array_append_new(output, output_item(completion, status));
	return json_pack("{s:s+,s:s,s:I,s:s,s:n,s:o,s:n,s:s,s:o,s:b,s:s,s:[],s:{},s:o}", "id",
			 "resp_", completion->id, "object", "response", "created_at",
			 completion->created, "status", is_begun ? "in_progress" : status, "error",
			 "incomplete_details", details, "instructions", "model", completion->model,
			 "output", output, "parallel_tool_calls", 1, "tool_choice", "auto", "tools",
			 "metadata", "usage", is_begun ? json_null() : response_usage(completion));
}

static void add_response_event(json_t *events, const char *type, json_t *members)
{
	json_t *event = json_pack("{s:s,s:I}", "type", type, "sequence_number",
				  (json_int_t)json_array_size(events));
	json_object_update_new(event, members);
	json_array_append_new(events, event);
}

/* Where an event belongs. */
static json_t *item_place(const json_t *item, bool in_part)
{
	json_t *place =
		json_pack("{s:i,s:O}", "output_index", 0, "item_id", json_object_get(item, "id"));
	if (in_part)
		json_object_set_new(place, "content_index", json_integer(0));
	return place;
}

static json_t *with(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
	return object;
}

static void add_call_events(json_t *events, const json_t *item)
{
	json_t *arguments = json_object_get(item, "arguments");
	add_response_event(events, "response.function_call_arguments.delta",
			   with(item_place(item, false), "delta", json_incref(arguments)));
	add_response_event(events, "response.function_call_arguments.done",
			   with(with(item_place(item, false), "arguments", json_incref(arguments)),
				"name", json_incref(json_object_get(item, "name"))));
}

static void add_text_events(json_t *events, const json_t *item, const struct completion *completion)
{
	json_t *piece;
	add_response_event(events, "response.content_part.added",
			   with(item_place(item, true), "part", text_part(json_string(""))));
	for (size_t i = 0; (piece = piece_text(completion, i)) != NULL; i++)
		add_response_event(events, "response.output_text.delta",
				   with(with(item_place(item, true), "delta", piece), "logprobs",
					json_array()));
	add_response_event(events, "response.output_text.done",
			   with(with(item_place(item, true), "text", text_of(completion)),
				"logprobs", json_array()));
	add_response_event(events, "response.content_part.done",
			   with(item_place(item, true), "part", text_part(text_of(completion))));
}

static json_t *response_events(const struct completion *completion)
{
	bool calls = completion->tool_call != NULL;
	json_t *events = json_array();
	json_t *item = output_item(completion, is_cut(completion) ? "incomplete" : "completed");
	json_t *begun = output_item(completion, "in_progress");
	json_object_set_new(begun, calls ? "arguments" : "content",
			    calls ? json_string("") : json_array());
	add_response_event(events, "response.created",
			   json_pack("{s:o}", "response", response_object(completion, true)));
	add_response_event(events, "response.in_progress",
			   json_pack("{s:o}", "response", response_object(completion, true)));
	add_response_event(events, "response.output_item.added",
			   json_pack("{s:i,s:o}", "output_index", 0, "item", begun));
	if (calls)
		add_call_events(events, item);
	else
		add_text_events(events, item, completion);
	add_response_event(events, "response.output_item.done",
			   json_pack("{s:i,s:o}", "output_index", 0, "item", item));
	add_response_event(events,
			   is_cut(completion) ? "response.incomplete" : "response.completed",
			   json_pack("{s:o}", "response", response_object(completion, false)));
	return events;
}

/* ---- Messages ---- */

static const char *stop_reason(const struct completion *completion)
{
	if (completion->tool_call != NULL)
		return "tool_use";
	return is_cut(completion) ? "max_tokens" : "end_turn";
}

static json_t *content_block(const struct completion *completion, bool is_begun)
{
	if (completion->tool_call != NULL)
		return json_pack("{s:s,s:O,s:O,s:o}", "type", "tool_use", "id", call_id(completion),
				 "name", call_member(completion, "name"), "input",
				 is_begun ? json_object() : call_arguments(completion));
	return json_pack("{s:s,s:o}", "type", "text", "text",
			 is_begun ? json_string("") : text_of(completion));
}

static json_t *message_usage(const struct completion *completion)
{
	json_int_t cached = cached_of(completion);
	return json_pack("{s:I,s:i,s:I,s:I}", "input_tokens",
			 count_of(completion, "prompt_tokens") - cached,
			 "cache_creation_input_tokens", 0, "cache_read_input_tokens", cached,
			 "output_tokens", count_of(completion, "completion_tokens"));
}

static json_t *message_object(const struct completion *completion, bool is_begun)
{
	json_t *content = json_array();
	if (!is_begun)
		json_array_append_new(content, content_block(completion, false));
	return json_pack("{s:s+,s:s,s:s,s:s,s:o,s:s?,s:n,s:o}", "id", "msg_", completion->id,
			 "type", "message", "role", "assistant", "model", completion->model,
			 "content", content, "stop_reason",
			 is_begun ? NULL : stop_reason(completion), "stop_sequence", "usage",
			 message_usage(completion));
}

static void add_delta(json_t *events, json_t *delta)
{
	json_array_append_new(events, json_pack("{s:s,s:i,s:o}", "type", "content_block_delta",
						"index", 0, "delta", delta));
}

static json_t *message_events(const struct completion *completion)
{
	json_t *piece;
	json_t *events = json_pack("[{s:s,s:o},{s:s,s:i,s:o}]", "type", "message_start", "message",
				   message_object(completion, true), "type", "content_block_start",
				   "index", 0, "content_block", content_block(completion, true));
	if (completion->tool_call != NULL)
		add_delta(events, json_pack("{s:s,s:O}", "type", "input_json_delta", "partial_json",
					    call_member(completion, "arguments")));
	for (size_t i = 0; (piece = piece_text(completion, i)) != NULL; i++)
		add_delta(events, json_pack("{s:s,s:o}", "type", "text_delta", "text", piece));
	json_array_append_new(events,
			      json_pack("{s:s,s:i}", "type", "content_block_stop", "index", 0));
	json_array_append_new(
		events, json_pack("{s:s,s:{s:s,s:n},s:{s:I}}", "type", "message_delta", "delta",
				  "stop_reason", stop_reason(completion), "stop_sequence", "usage",
				  "output_tokens", count_of(completion, "completion_tokens")));
	json_array_append_new(events, json_pack("{s:s}", "type", "message_stop"));
	return events;
}

/* ---- Ollama ---- */

static json_t *ollama_object(const struct completion *completion, json_t *content, bool is_done)
{
	char at[sizeof("2026-11-22T10:00:00Z")];
	const time_t created = (time_t)completion->created;
	struct tm utc;
	(void)strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&created, &utc));
	return json_pack("{s:s,s:s,s:{s:s,s:o},s:b}", "model", completion->model, "created_at", at,
			 "message", "role", "assistant", "content", content, "done", is_done);
}

static json_t *with_calls(json_t *object, const struct completion *completion)
{
	if (completion->tool_call != NULL)
		json_object_set_new(json_object_get(object, "message"), "tool_calls",
				    json_pack("[{s:{s:O,s:o}}]", "function", "name",
					      call_member(completion, "name"), "arguments",
					      call_arguments(completion)));
	return object;
}

static json_t *with_end(json_t *object, const struct completion *completion)
{
	json_object_update_new(
		object, json_pack("{s:s,s:i,s:I,s:I}", "done_reason",
				  is_cut(completion) ? "length" : "stop", "total_duration", 1,
				  "prompt_eval_count",
				  count_of(completion, "prompt_tokens") - cached_of(completion),
				  "eval_count", count_of(completion, "completion_tokens")));
	return object;
}

static json_t *ollama_events(const struct completion *completion)
{
	json_t *events = json_array(), *piece;
	if (completion->tool_call != NULL)
		json_array_append_new(
			events,
			with_calls(ollama_object(completion, json_string(""), false), completion));
	for (size_t i = 0; (piece = piece_text(completion, i)) != NULL; i++)
		json_array_append_new(events, ollama_object(completion, piece, false));
	json_array_append_new(
		events, with_end(ollama_object(completion, json_string(""), true), completion));
	return events;
}

/* ---- any of them ---- */

json_t *api_object(enum api api, const struct completion *completion)
{
	switch (api) {
	case API_RESPONSES:
		return response_object(completion, false);
	case API_MESSAGES:
		return message_object(completion, false);
	case API_OLLAMA:
		return with_end(with_calls(ollama_object(completion, text_of(completion), true),
					   completion),
				completion);
	default:
		return completion_object(completion);
	}
}

json_t *api_events(enum api api, const struct completion *completion)
{
	switch (api) {
	case API_RESPONSES:
		return response_events(completion);
	case API_MESSAGES:
		return message_events(completion);
	case API_OLLAMA:
		return ollama_events(completion);
	default:
		return chat_events(completion);
	}
}

const char *api_stream_type(enum api api)
{
	return api == API_OLLAMA ? "application/x-ndjson" : "text/event-stream";
}

void api_frame(enum api api, const json_t *event, struct buffer *out)
{
	if (event == NULL) {
		if (api == API_CHAT)
			(void)buffer_append(out, SLICE("data: [DONE]\n\n"));
		return;
	}
	char *printed = json_dumps(event, JSON_COMPACT);
	const char *type = json_string_value(json_object_get(event, "type"));
	if (api == API_OLLAMA)
		(void)buffer_printf(out, "%s\n", printed);
	else if (api == API_CHAT)
		(void)buffer_printf(out, "data: %s\n\n", printed);
	else
		(void)buffer_printf(out, "event: %s\ndata: %s\n\n", type, printed);
	free(printed);
}

json_t *api_error(enum api api, const char *message)
{
	if (api == API_OLLAMA)
		return json_pack("{s:s}", "error", message);
	if (api == API_MESSAGES)
		return json_pack("{s:s,s:{s:s,s:s},s:n}", "type", "error", "error", "type",
				 "invalid_request_error", "message", message, "request_id");
	return json_pack("{s:{s:s,s:s,s:n,s:n}}", "error", "message", message, "type",
			 "invalid_request_error", "param", "code");
}
