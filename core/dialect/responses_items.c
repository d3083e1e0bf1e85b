/* The items that a Responses request and its reply consist of. The types are those of OpenAI's
 * API; what is not listed, now or ever, is left alone. */
#include "core/dialect/responses.h"

#include <string.h>

const char *const response_item_members[ITEM_MEMBERS] = {"type",  "role",    "content",
							 "phase", "call_id", "id"};

/* The most frequent first. */
static const struct item_type {
	struct slice word;
	enum response_kind kind;
} item_types[] = {
	{SLICE("message"), RESPONSE_MESSAGE},
	{SLICE("function_call_output"), RESPONSE_OUTPUT},
	{SLICE("function_call"), RESPONSE_CALL},
	{SLICE("reasoning"), RESPONSE_SILENT},
	{SLICE("item_reference"), RESPONSE_NAME},
	{SLICE("custom_tool_call"), RESPONSE_CALL},
	{SLICE("custom_tool_call_output"), RESPONSE_OUTPUT},
	{SLICE("local_shell_call"), RESPONSE_CALL},
	{SLICE("local_shell_call_output"), RESPONSE_OUTPUT},
	{SLICE("shell_call"), RESPONSE_CALL},
	{SLICE("shell_call_output"), RESPONSE_OUTPUT},
	{SLICE("apply_patch_call"), RESPONSE_CALL},
	{SLICE("apply_patch_call_output"), RESPONSE_OUTPUT},
	{SLICE("computer_call"), RESPONSE_CALL},
	{SLICE("computer_call_output"), RESPONSE_OUTPUT},
	{SLICE("tool_search_call"), RESPONSE_CALL},
	{SLICE("tool_search_output"), RESPONSE_OUTPUT},
	{SLICE("tool_search_call_output"), RESPONSE_OUTPUT},
	{SLICE("mcp_approval_request"), RESPONSE_CALL},
	{SLICE("mcp_approval_response"), RESPONSE_OUTPUT},
	{SLICE("compaction"), RESPONSE_SILENT},
	{SLICE("program"), RESPONSE_SILENT},
	{SLICE("program_output"), RESPONSE_SILENT},
	{SLICE("web_search_call"), RESPONSE_SILENT},
	{SLICE("file_search_call"), RESPONSE_SILENT},
	{SLICE("code_interpreter_call"), RESPONSE_SILENT},
	{SLICE("image_generation_call"), RESPONSE_SILENT},
	{SLICE("mcp_call"), RESPONSE_SILENT},
	{SLICE("mcp_list_tools"), RESPONSE_SILENT},
	{SLICE("additional_tools"), RESPONSE_SETUP},
	{SLICE("configuration_update"), RESPONSE_SETUP},
};

static enum response_kind kind_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(item_types) / sizeof(item_types[0]); i++) {
		if (slice_equal(item_types[i].word, word))
			return item_types[i].kind;
	}
	return RESPONSE_OTHER;
}

enum response_kind response_kind_of(struct slice json, const struct json_value *members)
{
	const struct json_value *type = &members[ITEM_TYPE];
	if (type->type == JSON_TYPE_NULL && members[ITEM_ROLE].type == JSON_TYPE_STRING)
		return RESPONSE_MESSAGE;
	if (type->type != JSON_TYPE_STRING)
		return RESPONSE_OTHER;
	struct slice word = slice_part(json, type->begin + 1, type->end - 1);
	enum response_kind kind = kind_of(word);
	/* An escape may stand for any letter. */
	if (kind == RESPONSE_OTHER && memchr(word.data, '\\', word.size) != NULL) {
		struct arena arena = {0};
		kind = kind_of(json_string_text(json, *type, &arena));
		arena_finish(&arena);
	}
	return kind;
}

bool response_is_final(struct slice json, const struct json_value *members)
{
	return json_string_is(json, members[ITEM_PHASE], SLICE("final_answer"));
}

struct slice response_call_id(struct slice json, const struct json_value *members,
			      struct arena *arena)
{
	struct slice id = json_string_text(json, members[ITEM_CALL_ID], arena);
	return id.size > 0 ? id : json_string_text(json, members[ITEM_ID], arena);
}

enum response_part response_read_part(struct slice json, struct json_value part,
				      struct json_value *said)
{
	static const char *const names[] = {"type", "text", "refusal"};
	struct json_value members[3];
	(void)JSON_PICK(json, part, names, members);
	*said = members[1];
	if (json_string_is(json, members[0], SLICE("output_text")) ||
	    json_string_is(json, members[0], SLICE("input_text")) ||
	    json_string_is(json, members[0], SLICE("text")))
		return PART_TEXT;
	*said = members[2];
	return json_string_is(json, members[0], SLICE("refusal")) ? PART_REFUSAL : PART_OTHER;
}
