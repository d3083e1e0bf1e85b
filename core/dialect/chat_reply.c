/* A Chat Completions reply, and our errors in its form. Reads the choice with index 0, or without
 * indexes the first of its list; ignores reasoning fields. */
#include "core/dialect/answer.h"
#include "core/dialect/chat.h"

/* Joins the text parts of a message by line breaks; those of a delta are pieces of one text. */
static void append_parts(struct answer *answer, struct slice json, struct json_value parts,
			 bool is_delta)
{
	static const char *const names[] = {"type", "text"};
	struct json_walk walk = json_walk(json, parts);
	while (json_next(&walk)) {
		struct json_value part[2];
		(void)JSON_PICK(json, walk.value, names, part);
		if (!json_string_is(json, part[0], SLICE("text")))
			continue;
		if (is_delta) {
			answer_add_piece(&answer->text, &answer->half, json, part[1]);
			continue;
		}
		if (answer->text.size > 0)
			answer_add_text(&answer->text, SLICE("\n"));
		answer_add_string(&answer->text, json, part[1]);
	}
}

static void add_tool_calls(struct answer *answer, struct slice json, struct json_value calls)
{
	static const char *const names[] = {"index", "id"};
	struct json_walk walk = json_walk(json, calls);
	while (calls.type == JSON_TYPE_ARRAY && json_next(&walk)) {
		struct json_value members[2];
		int64_t index;
		struct arena arena = {0};
		(void)JSON_PICK(json, walk.value, names, members);
		struct slice id = json_string_text(json, members[1], &arena);
		bool has_index = json_read_integer(json, members[0], &index);
		answer_add_call(answer, has_index ? &index : NULL, id);
		arena_finish(&arena);
	}
}

static void add_message(struct answer *answer, struct slice json, struct json_value message,
			bool is_delta)
{
	static const char *const names[] = {"content", "refusal", "tool_calls", "function_call"};
	struct json_value members[4];
	(void)JSON_PICK(json, message, names, members);
	if (members[0].type == JSON_TYPE_ARRAY)
		append_parts(answer, json, members[0], is_delta);
	else if (is_delta)
		answer_add_piece(&answer->text, &answer->half, json, members[0]);
	else
		answer_add_string(&answer->text, json, members[0]);
	answer_add_string(&answer->refusal, json, members[1]);
	add_tool_calls(answer, json, members[2]);
	if (members[3].type == JSON_TYPE_OBJECT)
		answer->has_tool_calls = true;
}

/* Some servers write "" where others write null. */
static bool is_said(struct json_value value)
{
	return value.type == JSON_TYPE_OBJECT ||
	       (value.type == JSON_TYPE_STRING && value.end - value.begin > sizeof("\"\"") - 1);
}

enum { CHOICE_MEMBERS = 4 };

/* The index of a choice without one is its place in the list. */
static void add_choice(struct answer *answer, struct slice json,
		       const struct json_value members[CHOICE_MEMBERS], int64_t place)
{
	int64_t index;
	if (!json_read_integer(json, members[0], &index))
		index = place;
	if (index != 0)
		return;
	answer->has_answer = true;
	if (members[1].type == JSON_TYPE_OBJECT) {
		answer->is_in_pieces = true;
		add_message(answer, json, members[1], true);
	} else if (!answer->is_in_pieces) {
		/* Some servers end a stream of deltas by repeating the whole message. */
		add_message(answer, json, members[2], false);
	}
	if (is_said(members[3]))
		answer->finished = true;
}

/* Skips anything that is not an object. */
static void add_choices(struct answer *answer, struct slice json, struct json_value choices)
{
	static const char *const names[CHOICE_MEMBERS] = {"index", "delta", "message",
							  "finish_reason"};
	struct json_value members[CHOICE_MEMBERS];
	struct json_walk walk = json_walk(json, choices);
	for (int64_t place = 0; choices.type == JSON_TYPE_ARRAY; place++) {
		if (json_next_picked(&walk, names, CHOICE_MEMBERS, members))
			add_choice(answer, json, members, place);
		else if (!json_next(&walk))
			break;
	}
}

void chat_add(struct answer *answer, struct slice event, struct slice json)
{
	(void)event;
	static const char *const names[] = {"choices", "error", "usage"};
	static const char *const usage[] = {"prompt_tokens", "prompt_tokens_details"};
	struct json_value members[3];
	unsigned repeated;
	if (!json_scan_and_pick(json, names, 3, members, &repeated, NULL) ||
	    slice_trim(json).data[0] != '{') {
		answer->unreadable = true;
		return;
	}
	if (is_said(members[1]))
		answer->failed = true;
	add_choices(answer, json, members[0]);
	if (members[2].type == JSON_TYPE_OBJECT)
		answer_note_usage(answer, json, members[2], usage);
}

enum terminal chat_match_terminal(const struct event_head *head)
{
	const struct slice last = SLICE("[DONE]");
	struct slice data = head->data;
	size_t size = data.size < last.size ? data.size : last.size;
	if (!head->has_data || !slice_starts_with(last, slice_part(data, 0, size)))
		return TERMINAL_NO;
	/* Tolerates some spaces after it. */
	if (data.size == EVENT_HEAD)
		return TERMINAL_NO;
	while (data.size > size && data.data[data.size - 1] == ' ')
		data.size--;
	if (data.size > size)
		return TERMINAL_NO;
	return size == last.size ? TERMINAL_YES : TERMINAL_MAYBE;
}

void chat_error_body(struct buffer *out, int status, const char *code, struct slice message)
{
	buffer_append(out, SLICE("{\"error\":{\"message\":"));
	json_quote(out, message);
	buffer_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":",
		      status < 500 ? "invalid_request_error" : "api_error");
	if (code == NULL)
		buffer_append(out, SLICE("null"));
	else
		json_quote(out, slice_of(code));
	buffer_append(out, SLICE("}}"));
}

void chat_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
		      struct slice message)
{
	(void)sequence;
	buffer_append(out, SLICE("data: "));
	chat_error_body(out, status, code, message);
	buffer_append(out, SLICE("\n\n"));
}
