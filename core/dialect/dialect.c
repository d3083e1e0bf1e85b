#include "core/dialect/dialect.h"

#include "core/memory/given.h"

static const struct dialect *const dialects[] = {&dialect_chat, &dialect_responses,
						 &dialect_messages, &dialect_ollama};

const struct dialect *dialect_of(struct slice method, struct slice path)
{
	if (path.size == 0 || !slice_equal(method, SLICE("POST")))
		return NULL;
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (slice_equal(path, dialects[i]->paths[0]) ||
		    slice_equal(path, dialects[i]->paths[1]))
			return dialects[i];
	}
	return NULL;
}

const struct dialect *dialect_named(struct slice name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (slice_equal(slice_of(dialects[i]->name), name))
			return dialects[i];
	}
	return NULL;
}

bool dialect_is_form(struct slice body, struct json_value format)
{
	return format.type == JSON_TYPE_OBJECT &&
	       !json_string_is(body, json_member(body, format, "type"), SLICE("text"));
}

void dialect_append_turn(struct buffer *out, enum role role, struct slice text)
{
	(void)buffer_append(out, SLICE("{\"role\":"));
	json_quote(out, slice_of(role_name(role)));
	(void)buffer_append(out, SLICE(",\"content\":"));
	json_quote(out, text);
	(void)buffer_append(out, SLICE("},"));
}

struct slice dialect_render_turns(struct slice said_turns, struct arena *arena)
{
	struct buffer out;
	enum role role;
	struct slice text;
	buffer_init(&out, SIZE_MAX);
	while (said_turns_take(&said_turns, &role, &text))
		dialect_append_turn(&out, role, text);
	return arena_take(arena, &out);
}

bool refusal_is_of_state(struct slice body)
{
	static const char *const names[] = {"error"};
	static const char *const error_names[] = {"code", "type", "details"};
	struct json_value error[1];
	struct json_value members[3];
	struct arena arena = {0};
	unsigned repeated;
	if (!json_scan_and_pick(body, names, 1, error, &repeated, NULL))
		return false;
	(void)JSON_PICK(body, error[0], error_names, members);
	struct json_value code = json_member(body, members[2], "error_code");
	bool is_of_thread =
		slice_starts_with(json_string_text(body, code, &arena), SLICE("thread_"));
	arena_finish(&arena);
	return is_of_thread ||
	       json_string_is(body, members[0], SLICE("previous_response_not_found")) ||
	       json_string_is(body, members[1], SLICE("not_found_error"));
}
