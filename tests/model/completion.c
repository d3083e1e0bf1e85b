#include "tests/model/completion.h"

#include "tests/model/brain.h"
#include "tests/model/memory_block.h"
#include "tests/model/prompt.h"
#include "tests/model/stems.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of what is read: messages, those of them that may instruct, bytes of one. */
enum {
	MESSAGE_LIMIT = 20000,
	INSTRUCTIONS_LIMIT = 16,
	PREFIX_LIMIT = 1024 * 1024,
	TEXT_LIMIT = 256 * 1024,
	WORDS_PER_CHUNK = 3
};

/* ---- the prompt cache ---- */

void prompt_cache_finish(struct prompt_cache *cache)
{
	for (size_t i = 0; i < CACHED_REQUESTS; i++)
		free(cache->prefixes[i]);
	*cache = (struct prompt_cache){0};
}

size_t prompt_cache_tokens(struct prompt_cache *cache, const char *messages)
{
	size_t longest = 0;
	for (size_t i = 0; i < CACHED_REQUESTS && cache->prefixes[i] != NULL; i++) {
		const char *prefix = cache->prefixes[i];
		size_t same = 0;
		while (prefix[same] != '\0' && prefix[same] == messages[same])
			same++;
		longest = same > longest ? same : longest;
	}
	free(cache->prefixes[cache->next]);
	cache->prefixes[cache->next] = strndup(messages, PREFIX_LIMIT);
	cache->next = (cache->next + 1) % CACHED_REQUESTS;
	size_t tokens = longest / 4;
	return tokens < 1024 ? 0 : tokens - tokens % 128;
}

/* ---- reading the request ---- */

static struct slice string_of(const json_t *value)
{
	return json_is_string(value)
		       ? (struct slice){json_string_value(value), json_string_length(value)}
		       : (struct slice){"", 0};
}

/* A string, or the text of all parts that have one, as far as it is read. */
static struct slice content_of(const json_t *content, struct arena *arena)
{
	if (json_is_string(content))
		return text_head(string_of(content), TEXT_LIMIT);
	struct buffer text;
	size_t index;
	json_t *part;
	buffer_init(&text, TEXT_LIMIT);
	json_array_foreach((json_t *)content, index, part)
	{
		struct slice more = string_of(json_object_get(part, "text"));
		if (more.size > 0 && buffer_append(&text, more))
			(void)buffer_append_byte(&text, '\n');
	}
	struct slice copy = slice_trim(arena_copy(arena, buffer_slice(&text)));
	buffer_finish(&text);
	return copy;
}

static enum role role_of(const json_t *message)
{
	struct slice name = string_of(json_object_get(message, "role"));
	for (int role = ROLE_SYSTEM; role < ROLE_OTHER; role++) {
		if (slice_equal(name, slice_of(role_name((enum role)role))))
			return (enum role)role;
	}
	return ROLE_OTHER;
}

struct conversation {
	struct message *messages;
	size_t count;
	struct slice instructions; /* of all system and developer messages */
};

static void add_instructions(struct conversation *conversation, struct slice text,
			     struct arena *arena)
{
	if (conversation->instructions.size < TEXT_LIMIT)
		conversation->instructions =
			arena_printf(arena, "%.*s\n%.*s", SLICE_PRINT(conversation->instructions),
				     SLICE_PRINT(text));
}

static const char *read_conversation(const json_t *request, struct conversation *conversation,
				     struct arena *arena)
{
	json_t *messages = json_object_get(request, "messages"), *message;
	size_t count = json_array_size(messages), index;
	if (count == 0 || count > MESSAGE_LIMIT)
		return "'messages' must be an array of 1 to 20000 messages.";
	*conversation = (struct conversation){.instructions = {"", 0}};
	conversation->messages = arena_alloc(arena, count * sizeof(struct message));
	json_array_foreach(messages, index, message)
	{
		struct message *read = &conversation->messages[conversation->count++];
		*read = (struct message){role_of(message),
					 content_of(json_object_get(message, "content"), arena)};
		if (read->role == ROLE_OTHER)
			return "Each message must be an object with a known 'role'.";
		if (index < INSTRUCTIONS_LIMIT &&
		    (read->role == ROLE_SYSTEM || read->role == ROLE_DEVELOPER))
			add_instructions(conversation, read->text, arena);
	}
	return NULL;
}

static const struct message *last_message(const struct conversation *conversation)
{
	return &conversation->messages[conversation->count - 1];
}

/* ---- tools ---- */

/* Whether a word of the tool's name, beyond "get" and its like, is among the words of the text. */
static bool names_tool(const struct features *text, struct slice tool, struct arena *arena)
{
	struct features name = features_of(tool, arena);
	for (size_t i = 0; i < name.count; i++) {
		if (name.items[i].size >= 4 && features_have(text, name.items[i]) &&
		    !word_in(" find list search fetch lookup query function tool current ",
			     name.items[i]))
			return true;
	}
	return false;
}

/* The words after "in" or "for", up to the end of the sentence. */
static struct slice object_of(struct slice text, struct arena *arena)
{
	struct token *tokens;
	size_t count = tokens_of(text, &tokens, arena), begin = count, end;
	for (size_t i = count; i-- > 1 && begin == count;) {
		if (word_in(" in for für ", tokens[i - 1].folded))
			begin = i;
	}
	for (end = begin; end < count && (end == begin || !tokens[end].after_break);)
		end++;
	return tokens_span(tokens, begin, end);
}

static json_t *arguments_for(const json_t *function, struct slice text, struct arena *arena)
{
	json_t *arguments = json_object(), *property;
	json_t *properties = json_object_get(json_object_get(function, "parameters"), "properties");
	struct slice object = object_of(text, arena);
	const char *name;
	json_object_foreach(properties, name, property)
	{
		struct slice type = string_of(json_object_get(property, "type"));
		if (object.size == 0 || !slice_equal(type, SLICE("string")))
			continue;
		json_object_set_new(arguments, name, json_stringn(object.data, object.size));
		break;
	}
	return arguments;
}

static json_t *call_tool(const json_t *request, struct slice text, const char *id,
			 struct arena *arena)
{
	json_t *tools = json_object_get(request, "tools"), *tool;
	json_t *choice = json_object_get(request, "tool_choice");
	struct features features = features_of(text, arena);
	struct slice forced =
		string_of(json_object_get(json_object_get(choice, "function"), "name"));
	bool required = slice_equal(string_of(choice), SLICE("required"));
	size_t index;
	if (slice_equal(string_of(choice), SLICE("none")))
		return NULL;
	json_array_foreach(tools, index, tool)
	{
		json_t *function = json_object_get(tool, "function");
		struct slice name = string_of(json_object_get(function, "name"));
		if (name.size == 0 || (forced.size > 0 && !slice_equal(forced, name)) ||
		    (forced.size == 0 && !required && !names_tool(&features, name, arena)))
			continue;
		json_t *arguments = arguments_for(function, text, arena);
		char *printed = json_dumps(arguments, JSON_COMPACT);
		json_t *call =
			json_pack("{s:s+,s:s,s:{s:s,s:s}}", "id", "call_", id, "type", "function",
				  "function", "name", name.data, "arguments", printed);
		free(printed);
		json_decref(arguments);
		return call;
	}
	return NULL;
}

/* ---- answering ---- */

static struct slice dump(json_t *value, struct arena *arena)
{
	char *printed = json_dumps(value, JSON_COMPACT);
	struct slice copy = arena_copy(arena, slice_of(printed));
	free(printed);
	json_decref(value);
	return copy;
}

static struct slice answer_text(const json_t *request, const struct conversation *conversation,
				struct arena *arena)
{
	struct slice prompt = last_message(conversation)->text;
	struct slice format =
		string_of(json_object_get(json_object_get(request, "response_format"), "type"));
	if (prompt_asks_for_facts(conversation->instructions)) {
		struct extract_input input;
		prompt_read_facts(prompt, &input, arena);
		return dump(extract_entities(&input, arena), arena);
	}
	if (prompt_asks_for_summary(conversation->instructions) && conversation->count == 2) {
		struct summary_input input;
		prompt_read_summary(conversation->instructions, prompt, &input, arena);
		return summarize(&input, arena);
	}
	if (last_message(conversation)->role == ROLE_TOOL)
		return prompt;
	struct slice answer = brain_answer(conversation->messages, conversation->count, arena);
	if (format.size == 0 || slice_equal(format, SLICE("text")))
		return answer;
	return dump(json_pack("{s:s%}", "answer", answer.data, answer.size), arena);
}

static void limit_tokens(const json_t *request, struct completion *completion)
{
	json_t *limit = json_object_get(request, "max_completion_tokens");
	limit = limit != NULL ? limit : json_object_get(request, "max_tokens");
	json_int_t tokens = json_integer_value(limit);
	if (tokens <= 0 || (uint64_t)tokens >= completion->text.size)
		return;
	struct slice head = text_head(completion->text, (size_t)tokens * 4);
	if (head.size < completion->text.size)
		completion->finish_reason = "length";
	completion->text = head;
}

static json_t *usage_of(size_t prompt, size_t cached, size_t completed)
{
	cached = cached < prompt ? cached : prompt;
	return json_pack("{s:I,s:I,s:I,s:{s:I}}", "prompt_tokens", (json_int_t)prompt,
			 "completion_tokens", (json_int_t)completed, "total_tokens",
			 (json_int_t)(prompt + completed), "prompt_tokens_details", "cached_tokens",
			 (json_int_t)cached);
}

static void measure(const json_t *request, struct prompt_cache *cache,
		    struct completion *completion)
{
	char *messages = json_dumps(json_object_get(request, "messages"), JSON_COMPACT);
	size_t answer = completion->text.size;
	if (completion->tool_call != NULL)
		answer = json_dumpb(completion->tool_call, NULL, 0, JSON_COMPACT);
	completion->usage = usage_of(strlen(messages) / 4 + 1, prompt_cache_tokens(cache, messages),
				     answer / 4 + 1);
	free(messages);
}

const char *completion_create(const json_t *request, struct prompt_cache *cache, int64_t now,
			      struct completion *completion, struct arena *arena)
{
	static uint64_t number;
	struct conversation conversation;
	*completion = (struct completion){.created = now, .finish_reason = "stop"};
	if (!json_is_object(request))
		return "The body must be a JSON object.";
	completion->model = json_string_value(json_object_get(request, "model"));
	if (completion->model == NULL)
		return "You must provide a 'model' parameter.";
	const char *fault = read_conversation(request, &conversation, arena);
	if (fault != NULL)
		return fault;
	(void)snprintf(completion->id, sizeof(completion->id), "chatcmpl-demo%08" PRIx64, ++number);
	completion->stream = json_is_true(json_object_get(request, "stream"));
	completion->include_usage = json_is_true(
		json_object_get(json_object_get(request, "stream_options"), "include_usage"));
	struct slice asked = without_memory(last_message(&conversation)->text, arena);
	if (last_message(&conversation)->role == ROLE_USER)
		completion->tool_call =
			call_tool(request, asked, completion->id + strlen("chatcmpl-"), arena);
	if (completion->tool_call != NULL) {
		completion->finish_reason = "tool_calls";
	} else {
		completion->text = answer_text(request, &conversation, arena);
		limit_tokens(request, completion);
	}
	measure(request, cache, completion);
	return NULL;
}

void completion_finish(struct completion *completion)
{
	json_decref(completion->tool_call);
	json_decref(completion->usage);
	*completion = (struct completion){0};
}

/* ---- rendering ---- */

json_t *completion_object(const struct completion *completion)
{
	json_t *message = json_pack("{s:s,s:s%}", "role", "assistant", "content",
				    completion->text.data, completion->text.size);
	if (completion->tool_call != NULL) {
		json_decref(message);
		message = json_pack("{s:s,s:n,s:[O]}", "role", "assistant", "content", "tool_calls",
				    completion->tool_call);
	}
	return json_pack("{s:s,s:s,s:I,s:s,s:[{s:i,s:o,s:n,s:s}],s:O}", "id", completion->id,
			 "object", "chat.completion", "created", completion->created, "model",
			 completion->model, "choices", "index", 0, "message", message, "logprobs",
			 "finish_reason", completion->finish_reason, "usage", completion->usage);
}

static json_t *chunk_with(const struct completion *completion, json_t *choices, json_t *usage)
{
	return json_pack("{s:s,s:s,s:I,s:s,s:o,s:o*}", "id", completion->id, "object",
			 "chat.completion.chunk", "created", completion->created, "model",
			 completion->model, "choices", choices, "usage", usage);
}

static json_t *delta_chunk(const struct completion *completion, json_t *delta,
			   const char *finish_reason)
{
	json_t *choices = json_pack("[{s:i,s:o,s:s?}]", "index", 0, "delta", delta, "finish_reason",
				    finish_reason);
	return chunk_with(completion, choices, completion->include_usage ? json_null() : NULL);
}

/* The index-th piece of the text, a few words with the space behind them; empty after the last. */
static struct slice piece_of(struct slice text, size_t index)
{
	size_t begin = 0, end = 0;
	for (size_t piece = 0; piece <= index; piece++) {
		begin = end;
		for (size_t words = 0; end < text.size && words < WORDS_PER_CHUNK; end++)
			words += text.data[end] == ' ' || text.data[end] == '\n';
	}
	return slice_part(text, begin, end);
}

struct slice completion_piece(const struct completion *completion, size_t index)
{
	return piece_of(completion->text, index);
}

/* A call comes as its name, and then its arguments. */
static json_t *call_delta(const struct completion *completion, size_t index)
{
	json_t *function = json_object_get(completion->tool_call, "function");
	if (index == 0)
		return json_pack("{s:[{s:i,s:O,s:s,s:{s:O,s:s}}]}", "tool_calls", "index", 0, "id",
				 json_object_get(completion->tool_call, "id"), "type", "function",
				 "function", "name", json_object_get(function, "name"), "arguments",
				 "");
	return json_pack("{s:[{s:i,s:{s:O}}]}", "tool_calls", "index", 0, "function", "arguments",
			 json_object_get(function, "arguments"));
}

static size_t count_pieces(const struct completion *completion)
{
	size_t count = 0;
	if (completion->tool_call != NULL)
		return 2;
	while (piece_of(completion->text, count).size > 0)
		count++;
	return count;
}

json_t *completion_chunk(const struct completion *completion, size_t index)
{
	size_t pieces = count_pieces(completion);
	if (index == 0)
		return delta_chunk(completion,
				   json_pack("{s:s,s:s}", "role", "assistant", "content", ""),
				   NULL);
	if (index <= pieces && completion->tool_call != NULL)
		return delta_chunk(completion, call_delta(completion, index - 1), NULL);
	if (index <= pieces) {
		struct slice piece = piece_of(completion->text, index - 1);
		return delta_chunk(completion,
				   json_pack("{s:s%}", "content", piece.data, piece.size), NULL);
	}
	if (index == pieces + 1)
		return delta_chunk(completion, json_object(), completion->finish_reason);
	if (index == pieces + 2 && completion->include_usage)
		return chunk_with(completion, json_array(), json_incref(completion->usage));
	return NULL;
}
