#include "tests/model/api.h"

#include <string.h>

enum api api_of(const char *path)
{
	static const char *const paths[API_NONE] = {
		[API_CHAT] = "/v1/chat/completions",
		[API_RESPONSES] = "/v1/responses",
		[API_MESSAGES] = "/v1/messages",
		[API_OLLAMA] = "/api/chat",
	};
	for (int api = 0; api < API_NONE; api++) {
		if (path != NULL && strcmp(path, paths[api]) == 0)
			return (enum api)api;
	}
	return API_NONE;
}

static bool has_type(const json_t *object, const char *type)
{
	const char *word = json_string_value(json_object_get(object, "type"));
	return word != NULL && strcmp(word, type) == 0;
}

static void add_message(json_t *messages, const char *role, json_t *content)
{
	json_array_append_new(messages, json_pack("{s:s,s:O}", "role", role, "content", content));
}

/* A function that has its name beside its type, as one that has it within. */
static void read_tools(json_t *chat, const json_t *request, const char *parameters)
{
	json_t *tools = json_array(), *tool;
	size_t i;
	json_array_foreach(json_object_get(request, "tools"), i, tool)
	{
		if (json_is_string(json_object_get(tool, "name")))
			json_array_append_new(
				tools, json_pack("{s:s,s:{s:O,s:O*}}", "type", "function",
						 "function", "name", json_object_get(tool, "name"),
						 "parameters", json_object_get(tool, parameters)));
	}
	json_object_set_new(chat, "tools", tools);
}

static void read_tool_choice(json_t *chat, json_t *choice)
{
	json_t *name = json_object_get(choice, "name");
	if (name != NULL)
		json_object_set_new(chat, "tool_choice",
				    json_pack("{s:{s:O}}", "function", "name", name));
	else if (has_type(choice, "any"))
		json_object_set_new(chat, "tool_choice", json_string("required"));
	else if (has_type(choice, "none"))
		json_object_set_new(chat, "tool_choice", json_string("none"));
	else if (json_is_string(choice))
		json_object_set(chat, "tool_choice", choice);
}

/* ---- Responses ---- */

/* A result of a tool that the client ran is kept; the model's own tool use is left out. */
static void read_item(json_t *messages, const json_t *item)
{
	const char *role = json_string_value(json_object_get(item, "role"));
	if (has_type(item, "function_call_output"))
		add_message(messages, "tool", json_object_get(item, "output"));
	else if (role != NULL)
		add_message(messages, role, json_object_get(item, "content"));
}

static const char *read_responses(json_t *chat, const json_t *request)
{
	json_t *messages = json_object_get(chat, "messages"), *item;
	json_t *instructions = json_object_get(request, "instructions");
	json_t *input = json_object_get(request, "input");
	json_t *format = json_object_get(json_object_get(request, "text"), "format");
	size_t i;
	if (json_is_string(json_object_get(request, "previous_response_id")))
		return "Previous response not found: nothing is stored here.";
	if (json_is_string(instructions))
		add_message(messages, "system", instructions);
	if (json_is_string(input))
		add_message(messages, "user", input);
	json_array_foreach(input, i, item) read_item(messages, item);
	read_tools(chat, request, "parameters");
	read_tool_choice(chat, json_object_get(request, "tool_choice"));
	json_object_set(chat, "max_tokens", json_object_get(request, "max_output_tokens"));
	json_object_set(chat, "response_format", format);
	return NULL;
}

/* ---- Messages ---- */

/* A message's tool results go before its text. */
static void read_message(json_t *messages, const json_t *message)
{
	json_t *content = json_object_get(message, "content"), *block;
	const char *role = json_string_value(json_object_get(message, "role"));
	bool has_text = !json_is_array(content) || json_array_size(content) == 0;
	size_t i;
	json_array_foreach(content, i, block)
	{
		if (has_type(block, "tool_result"))
			add_message(messages, "tool", json_object_get(block, "content"));
		else
			has_text = true;
	}
	if (has_text)
		add_message(messages, role != NULL ? role : "", content);
}

static const char *read_messages(json_t *chat, const json_t *request)
{
	json_t *messages = json_object_get(chat, "messages"), *message;
	json_t *system = json_object_get(request, "system");
	size_t i;
	if (!json_is_integer(json_object_get(request, "max_tokens")))
		return "max_tokens: Field required";
	if (system != NULL)
		add_message(messages, "system", system);
	json_array_foreach(json_object_get(request, "messages"), i, message)
		read_message(messages, message);
	read_tools(chat, request, "input_schema");
	read_tool_choice(chat, json_object_get(request, "tool_choice"));
	json_object_set(chat, "max_tokens", json_object_get(request, "max_tokens"));
	return NULL;
}

/* ---- Ollama ---- */

static const char *read_ollama(json_t *chat, const json_t *request)
{
	json_t *format = json_object_get(request, "format");
	json_t *options = json_object_get(request, "options");
	json_object_set(chat, "messages", json_object_get(request, "messages"));
	json_object_set(chat, "tools", json_object_get(request, "tools"));
	json_object_set(chat, "max_tokens", json_object_get(options, "num_predict"));
	if (json_is_object(format) || json_string_length(format) > 0)
		json_object_set_new(chat, "response_format",
				    json_pack("{s:s}", "type", "json_object"));
	if (json_object_get(request, "stream") == NULL)
		json_object_set_new(chat, "stream", json_true());
	return NULL;
}

json_t *api_read(enum api api, const json_t *request, const char **fault)
{
	static const char *(*const readers[API_NONE])(json_t * chat, const json_t *request) = {
		[API_RESPONSES] = read_responses,
		[API_MESSAGES] = read_messages,
		[API_OLLAMA] = read_ollama,
	};
	if (api == API_CHAT || !json_is_object(request))
		return json_incref((json_t *)request);
	json_t *chat = json_pack("{s:O*,s:O*,s:[]}", "model", json_object_get(request, "model"),
				 "stream", json_object_get(request, "stream"), "messages");
	*fault = readers[api](chat, request);
	if (*fault == NULL)
		return chat;
	json_decref(chat);
	return NULL;
}
