/* A reply of Ollama's /api/chat, one object or one in each line, and the errors that we say in its
 * form. Each call for a tool comes whole. What it thinks is not read, and neither are its counts:
 * they leave out what a cache served. */
#include "core/dialect/answer.h"
#include "core/dialect/ollama.h"

/* A model was only loaded, or unloaded. */
static bool is_load(struct slice json, struct json_value reason)
{
	return json_string_is(json, reason, SLICE("load")) ||
	       json_string_is(json, reason, SLICE("unload"));
}

static bool is_error(struct json_value error)
{
	return error.type == JSON_TYPE_OBJECT ||
	       (error.type == JSON_TYPE_STRING && error.end - error.begin > sizeof("\"\"") - 1);
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

enum { NAME_DONE, NAME_ERROR, NAME_MESSAGE, NAME_DONE_REASON, NAMES };

static const char *const names[NAMES] = {"done", "error", "message", "done_reason"};

void ollama_add(struct answer *answer, struct slice event, struct slice json)
{
	(void)event;
	struct json_value members[NAMES];
	unsigned repeated;
	if (!json_scan_and_pick(json, names, NAMES, members, &repeated, NULL) ||
	    slice_trim(json).data[0] != '{') {
		answer->unreadable = true;
		return;
	}
	if (is_error(members[NAME_ERROR]))
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
enum terminal ollama_match_terminal(const struct event_head *head)
{
	struct json_value members[2];
	unsigned repeated;
	if (head->data_may_go_on)
		return TERMINAL_MAYBE;
	if (!json_scan_and_pick(head->data, names, 2, members, &repeated, NULL))
		return TERMINAL_NO;
	bool is_last = members[NAME_DONE].type == JSON_TYPE_TRUE || is_error(members[NAME_ERROR]);
	return is_last ? TERMINAL_YES : TERMINAL_NO;
}

void ollama_error_body(struct buffer *out, int status, const char *code, struct slice message)
{
	(void)status;
	(void)code;
	buffer_append(out, SLICE("{\"error\":"));
	json_quote(out, message);
	buffer_append(out, SLICE("}"));
}

void ollama_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			struct slice message)
{
	(void)sequence;
	ollama_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n"));
}
