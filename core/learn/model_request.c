#include "core/learn/model_request.h"

#include "core/json/json.h"

/* Limits on what is read of a reply. */
enum { MAX_ERROR = 64 * 1024, MAX_PARTS = 1000 };

/* ---- the request ---- */

static void append_message(struct buffer *body, struct slice role, struct slice before,
			   struct slice content)
{
	buffer_append(body, SLICE("{\"role\":\""));
	buffer_append(body, role);
	buffer_append(body, SLICE("\",\"content\":\""));
	json_escape(body, before);
	if (before.size > 0)
		buffer_append(body, SLICE("\\n\\n"));
	json_escape(body, content);
	buffer_append(body, SLICE("\"}"));
}

/* Instructions that may not stand apart stand before the first message. */
static void append_messages(struct buffer *body, const struct learn_prompt *prompt, unsigned quirks)
{
	const struct slice user = SLICE("user");
	struct slice before = prompt->system;
	if (!(quirks & QUIRK_NO_SYSTEM)) {
		append_message(body, SLICE("system"), (struct slice){0}, prompt->system);
		buffer_append_byte(body, ',');
		before = (struct slice){0};
	}
	for (size_t i = 0; i < prompt->example_count; i++) {
		append_message(body, user, before, prompt->examples[i].user);
		buffer_append_byte(body, ',');
		append_message(body, SLICE("assistant"), (struct slice){0},
			       prompt->examples[i].answer);
		buffer_append_byte(body, ',');
		before = (struct slice){0};
	}
	append_message(body, user, before, prompt->user);
}

/* The quirk that would give up the response_format in use; 0: none is used any more. */
static unsigned format_step(unsigned quirks)
{
	bool schema_first = quirks & QUIRK_TAKES_SCHEMA;
	unsigned first = schema_first ? QUIRK_NO_JSON_SCHEMA : QUIRK_NO_JSON_OBJECT;
	unsigned second = schema_first ? QUIRK_NO_JSON_OBJECT : QUIRK_NO_JSON_SCHEMA;
	if (!(quirks & first))
		return first;
	return quirks & second ? 0 : second;
}

static void append_format(struct buffer *body, struct slice schema, unsigned quirks)
{
	unsigned step = format_step(quirks);
	if (step == QUIRK_NO_JSON_OBJECT)
		buffer_append(body, SLICE(",\"response_format\":{\"type\":\"json_object\"}"));
	if (step != QUIRK_NO_JSON_SCHEMA)
		return;
	buffer_append(body, SLICE(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
				  "{\"name\":\"memory\",\"strict\":false,\"schema\":"));
	buffer_append(body, schema);
	buffer_append(body, SLICE("}}"));
}

static void append_max_tokens(struct buffer *body, unsigned max_tokens, unsigned quirks)
{
	if (quirks & QUIRK_NO_MAX_TOKENS)
		return;
	buffer_append(body, quirks & QUIRK_COMPLETION_TOKENS ? SLICE(",\"max_completion_tokens\":")
							     : SLICE(",\"max_tokens\":"));
	buffer_append_number(body, max_tokens);
}

struct slice model_request_body(struct slice model, const struct learn_prompt *prompt,
				unsigned max_tokens, unsigned quirks, struct arena *arena)
{
	struct buffer body;
	size_t size = prompt->system.size + prompt->user.size + prompt->schema.size;
	for (size_t i = 0; i < prompt->example_count; i++)
		size += prompt->examples[i].user.size + prompt->examples[i].answer.size;
	buffer_init(&body, SIZE_MAX); /* the prompts are bounded */
	buffer_reserve(&body, size * 9 / 8 + 512);
	buffer_append(&body, SLICE("{\"model\":"));
	json_quote(&body, model);
	buffer_append(&body, SLICE(",\"messages\":["));
	append_messages(&body, prompt, quirks);
	buffer_append(&body, SLICE("],\"stream\":false"));
	if (!(quirks & QUIRK_NO_TEMPERATURE))
		buffer_append(&body, SLICE(",\"temperature\":0"));
	append_max_tokens(&body, max_tokens, quirks);
	if (prompt->schema.size > 0)
		append_format(&body, prompt->schema, quirks);
	buffer_append_byte(&body, '}');
	return arena_take(arena, &body);
}

/* ---- what a server refused ---- */

/* The value as written, quotes included; empty if absent. */
static struct slice raw(struct slice document, struct json_value value)
{
	if (value.type == JSON_TYPE_NULL)
		return (struct slice){0};
	return slice_part(document, value.begin, value.end);
}

static struct json_value first_element(struct slice document, struct json_value array)
{
	struct json_walk walk = json_walk(document, array);
	bool found = array.type == JSON_TYPE_ARRAY && json_next(&walk);
	return found ? walk.value : (struct json_value){0};
}

/* The parts of an error that may name what was refused. */
struct complaint {
	struct slice param;
	struct slice message;
	struct slice code;
};

/* Reads OpenAI's {"error":{...}}, Google's [{"error":{...}}] and vLLM's bare {"message":...}; of
 * anything else, such as FastAPI's {"detail":...}, the whole body is the message. */
static struct complaint read_complaint(struct slice body)
{
	static const char *const names[] = {"param", "message", "code"};
	struct json_value error;
	struct json_value parts[3];
	struct complaint complaint = {.message = body};
	if (!json_scan(body, &error))
		return complaint;
	if (error.type == JSON_TYPE_ARRAY)
		error = first_element(body, error);
	struct json_value inner = json_member(body, error, "error");
	json_pick(body, inner.type == JSON_TYPE_OBJECT ? inner : error, names, 3, parts);
	if (parts[1].type != JSON_TYPE_NULL)
		complaint = (struct complaint){raw(body, parts[0]), raw(body, parts[1]),
					       raw(body, parts[2])};
	return complaint;
}

static bool names(struct slice text, const char *word)
{
	struct slice sought = slice_of(word);
	for (size_t at = 0; at + sought.size <= text.size; at++) {
		if (slice_equal_nocase(slice_part(text, at, at + sought.size), sought))
			return true;
	}
	return false;
}

/* Features that a request can do without, in the order in which they are given up. Each gives way
 * in its listed steps, first to last. */
struct concession {
	const char *words[4];
	unsigned steps[2];
	bool json_only;
};

static const struct concession concessions[] = {
	{{"response_format", "json_object", "json_schema", NULL}, {0, 0}, true}, /* format_step() */
	{{"temperature", NULL}, {QUIRK_NO_TEMPERATURE, 0}, false},
	{{"max_tokens", "max_completion_tokens", NULL},
	 {QUIRK_COMPLETION_TOKENS, QUIRK_NO_MAX_TOKENS},
	 false},
	{{"system", "developer instruction", NULL}, {QUIRK_NO_SYSTEM, 0}, false},
};

enum { CONCESSIONS = sizeof(concessions) / sizeof(concessions[0]) };

static unsigned next_step(const struct concession *concession, unsigned quirks, bool json)
{
	if (concession->json_only)
		return json ? format_step(quirks) : 0;
	/* The last step omits the parameter and replaces the steps before it. */
	unsigned last = concession->steps[1] != 0 ? concession->steps[1] : concession->steps[0];
	if (quirks & last)
		return 0;
	return quirks & concession->steps[0] ? last : concession->steps[0];
}

static bool is_named(const struct concession *concession, struct slice text)
{
	for (const char *const *word = concession->words; *word != NULL; word++) {
		if (names(text, *word))
			return true;
	}
	return false;
}

/* The first step that `text` asks for, or any step if it is NULL; 0: none. */
static unsigned step_for(unsigned quirks, bool json, const struct slice *text)
{
	for (size_t i = 0; i < CONCESSIONS; i++) {
		unsigned step = next_step(&concessions[i], quirks, json);
		if (step != 0 && (text == NULL || is_named(&concessions[i], *text)))
			return step;
	}
	return 0;
}

/* Codes that OpenAI and compatible servers use for errors that no parameter causes. */
static bool is_about_something_else(struct slice code)
{
	return names(code, "context_length") || names(code, "content_") ||
	       names(code, "model_not_found") || names(code, "billing");
}

unsigned model_request_adapt(unsigned quirks, bool json, struct slice error_body)
{
	if (error_body.size > MAX_ERROR)
		error_body.size = MAX_ERROR;
	struct complaint complaint = read_complaint(error_body);
	unsigned step = step_for(quirks, json, &complaint.param);
	if (step == 0)
		step = step_for(quirks, json, &complaint.message);
	if (step == 0 && is_about_something_else(complaint.code))
		return quirks;
	if (step == 0)
		step = step_for(quirks, json, NULL);
	return quirks | step;
}

/* ---- the answer ---- */

/* The text parts of a content array, joined. */
static struct slice join_parts(struct slice body, struct json_value parts, struct arena *arena)
{
	struct buffer text;
	buffer_init(&text, body.size);
	struct json_walk walk = json_walk(body, parts);
	for (size_t i = 0; i < MAX_PARTS && json_next(&walk); i++)
		buffer_append(&text,
			      json_string_text(body, json_member(body, walk.value, "text"), arena));
	struct slice joined = arena_copy(arena, buffer_slice(&text));
	buffer_finish(&text);
	return joined;
}

bool model_answer_read(struct slice body, struct model_answer *answer, struct arena *arena)
{
	static const char *const names[] = {"message", "finish_reason"};
	static const char *const choices_name[] = {"choices"};
	struct json_value choices;
	struct json_value picked[2] = {{0}};
	unsigned repeated;
	*answer = (struct model_answer){0};
	if (!json_scan_and_pick(body, choices_name, 1, &choices, &repeated, NULL))
		return false;
	struct json_walk walk = json_walk(body, choices);
	if (choices.type == JSON_TYPE_ARRAY)
		(void)json_next_picked(&walk, names, 2, picked);
	struct json_value content = json_member(body, picked[0], "content");
	answer->cut_off = json_string_is(body, picked[1], SLICE("length"));
	answer->text = content.type == JSON_TYPE_ARRAY ? join_parts(body, content, arena)
						       : json_string_text(body, content, arena);
	return answer->text.size > 0;
}

size_t model_tokens(struct slice request, struct slice reply)
{
	enum { BYTES_OF_TOKEN = 4, MOST = 100 * 1000 * 1000 };
	static const char *const names[] = {"usage"};
	struct json_value usage = {0};
	unsigned repeated;
	if (json_scan_and_pick(reply, names, 1, &usage, &repeated, NULL) &&
	    usage.type == JSON_TYPE_OBJECT) {
		struct slice total = raw(reply, json_member(reply, usage, "total_tokens"));
		size_t tokens = 0;
		for (size_t i = 0; i < total.size && tokens < MOST; i++) {
			if (total.data[i] < '0' || total.data[i] > '9')
				return (request.size + reply.size) / BYTES_OF_TOKEN;
			tokens = tokens * 10 + (size_t)(total.data[i] - '0');
		}
		if (tokens > 0)
			return tokens;
	}
	return (request.size + reply.size) / BYTES_OF_TOKEN;
}

/* ---- what the server is ---- */

/* "b6123-a1b2c3d", a build of llama.cpp. */
static bool is_build(struct slice fingerprint)
{
	return fingerprint.size > 2 && fingerprint.data[0] == 'b' && fingerprint.data[1] >= '0' &&
	       fingerprint.data[1] <= '9' &&
	       slice_find(fingerprint, SLICE("-"), 0) < fingerprint.size;
}

bool model_takes_schema(struct slice base_url, struct slice body)
{
	static const char *const marks[] = {"system_fingerprint", "timings", "prompt_logprobs",
					    "kv_transfer_params"};
	enum { MARKS = sizeof(marks) / sizeof(marks[0]) };
	struct json_value values[MARKS];
	unsigned repeated;
	if (slice_starts_with(base_url, SLICE("https://api.openai.com/")))
		return true;
	if (!json_scan_and_pick(body, marks, MARKS, values, &repeated, NULL))
		return false;
	struct slice fingerprint = raw(body, values[0]);
	if (values[0].type == JSON_TYPE_STRING)
		fingerprint = slice_part(fingerprint, 1, fingerprint.size - 1);
	return slice_equal(fingerprint, SLICE("fp_ollama")) || is_build(fingerprint) ||
	       values[1].type == JSON_TYPE_OBJECT || values[2].end > 0 || values[3].end > 0;
}
