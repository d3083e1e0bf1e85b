/* The scan of Responses requests, with jansson as the oracle: it takes the same requests and reads
 * the same steps out of them. What is put in stands where it may: the rest stays as it was, and
 * nothing that the model made is touched. */
#include "core/dialect/dialect.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

enum { MOST_ITEMS = 4096 };

/* A step, the long way. */
struct expected_step {
	enum step_kind kind;
	struct buffer text;
	bool is_final;
	bool is_said;
};

struct expected {
	struct expected_step steps[MOST_ITEMS];
	size_t count;
	bool in_answer;
};

static bool is_text(const json_t *node, const char *text)
{
	return json_is_string(node) && json_string_length(node) == strlen(text) &&
	       strcmp(json_string_value(node), text) == 0;
}

static struct slice slice_of_json(const json_t *node)
{
	return (struct slice){json_string_value(node), json_string_length(node)};
}

static bool is_one_of(const json_t *type, const char *const *words)
{
	while (*words != NULL && !is_text(type, *words))
		words++;
	return *words != NULL;
}

static const char *const calls[] = {"function_call",    "custom_tool_call",     "local_shell_call",
				    "shell_call",       "apply_patch_call",     "computer_call",
				    "tool_search_call", "mcp_approval_request", NULL};
static const char *const outputs[] = {"function_call_output",    "custom_tool_call_output",
				      "local_shell_call_output", "shell_call_output",
				      "apply_patch_call_output", "computer_call_output",
				      "tool_search_output",      "tool_search_call_output",
				      "mcp_approval_response",   NULL};
static const char *const silent[] = {"reasoning",
				     "compaction",
				     "program",
				     "program_output",
				     "web_search_call",
				     "file_search_call",
				     "code_interpreter_call",
				     "image_generation_call",
				     "mcp_call",
				     "mcp_list_tools",
				     NULL};
static const char *const setup[] = {"additional_tools", "configuration_update", NULL};

static enum step_kind kind_of(const json_t *item)
{
	const json_t *type = json_object_get(item, "type");
	const json_t *role = json_object_get(item, "role");
	bool is_untyped = type == NULL || json_is_null(type);
	if (is_text(type, "message") || (is_untyped && json_is_string(role))) {
		if (is_text(role, "user"))
			return STEP_USER;
		if (is_text(role, "assistant"))
			return STEP_ANSWER;
		bool is_system = is_text(role, "system") || is_text(role, "developer");
		return is_system ? STEP_SYSTEM : STEP_OTHER;
	}
	if (is_one_of(type, calls))
		return STEP_CALLS;
	if (is_one_of(type, outputs))
		return STEP_TOOLS;
	return is_one_of(type, setup) ? STEP_SYSTEM : STEP_OTHER;
}

static struct expected_step *new_step(struct expected *expected, enum step_kind kind)
{
	struct expected_step *step = &expected->steps[expected->count++];
	*step = (struct expected_step){.kind = kind};
	buffer_init(&step->text, SIZE_MAX);
	return step;
}

static void add(struct expected_step *step, const json_t *text, size_t *count, bool joins)
{
	if ((*count)++ > 0 && !joins)
		(void)buffer_append_byte(&step->text, '\n');
	(void)buffer_append(&step->text, slice_of_json(text));
}

static bool part_is_text(const json_t *part)
{
	static const char *const types[] = {"input_text", "output_text", "text", NULL};
	return is_one_of(json_object_get(part, "type"), types) &&
	       json_is_string(json_object_get(part, "text"));
}

static void expect_content(struct expected_step *step, const json_t *content)
{
	size_t i;
	size_t count = 0;
	const json_t *part;
	if (json_is_string(content))
		add(step, content, &count, false);
	json_array_foreach(content, i, part)
	{
		if (part_is_text(part))
			add(step, json_object_get(part, "text"), &count, false);
	}
}

/* The words of one message, empty ones left out; `refuses`: its refusals. */
static size_t expect_words(struct expected_step *step, const json_t *content, bool refuses,
			   size_t count)
{
	size_t i;
	bool joins = false;
	const json_t *part;
	if (json_is_string(content) && json_string_length(content) > 0 && !refuses)
		add(step, content, &count, false);
	json_array_foreach(content, i, part)
	{
		bool is_refusal = is_text(json_object_get(part, "type"), "refusal");
		const json_t *text = json_object_get(part, refuses ? "refusal" : "text");
		if ((refuses ? !is_refusal : !part_is_text(part)) || !json_is_string(text) ||
		    json_string_length(text) == 0)
			continue;
		add(step, text, &count, joins);
		joins = true;
	}
	return count;
}

static bool is_name(const json_t *item)
{
	return is_text(json_object_get(item, "type"), "item_reference");
}

static bool has_id(const json_t *item)
{
	return json_string_length(json_object_get(item, "id")) > 0;
}

static bool is_models(const json_t *item)
{
	enum step_kind kind = kind_of(item);
	return kind == STEP_ANSWER || kind == STEP_CALLS || is_name(item) ||
	       is_one_of(json_object_get(item, "type"), silent);
}

/* The run of items that begins at `first`; gives where it ends. */
static size_t expect_answer(struct expected *expected, const json_t *items, size_t first)
{
	struct expected_step *step = new_step(expected, STEP_OTHER);
	bool has_final = false;
	bool is_named = false; /* by ids alone: what follows tells whether it called tools */
	size_t end = first;
	for (; end < json_array_size(items); end++) {
		const json_t *item = json_array_get(items, end);
		enum step_kind kind = kind_of(item);
		if (!is_models(item))
			break;
		if (is_name(item) && has_id(item) && step->kind == STEP_OTHER) {
			is_named = true;
			step->kind = STEP_ANSWER;
		}
		if (kind == STEP_CALLS || (kind == STEP_ANSWER && step->kind == STEP_OTHER))
			step->kind = kind;
		is_named = is_named && kind != STEP_CALLS && kind != STEP_ANSWER;
		has_final |= kind == STEP_ANSWER &&
			     is_text(json_object_get(item, "phase"), "final_answer");
	}
	if (is_named && end < json_array_size(items) &&
	    kind_of(json_array_get(items, end)) == STEP_TOOLS)
		step->kind = STEP_CALLS;
	size_t said = 0;
	for (int refuses = 0; refuses < 2 && said == 0; refuses++) {
		for (size_t i = first; i < end; i++) {
			const json_t *item = json_array_get(items, i);
			bool counts = !has_final ||
				      is_text(json_object_get(item, "phase"), "final_answer");
			if (kind_of(item) == STEP_ANSWER && counts)
				said = expect_words(step, json_object_get(item, "content"),
						    refuses != 0, said);
		}
	}
	return end;
}

static void expect_steps(struct expected *expected, const json_t *root)
{
	const json_t *input = json_object_get(root, "input");
	const json_t *instructions = json_object_get(root, "instructions");
	if (json_string_length(instructions) > 0)
		expect_content(new_step(expected, STEP_SYSTEM), instructions);
	if (json_is_string(input))
		expect_content(new_step(expected, STEP_USER), input);
	for (size_t i = 0; i < json_array_size(input);) {
		const json_t *item = json_array_get(input, i);
		enum step_kind kind = kind_of(item);
		if (is_models(item)) {
			i = expect_answer(expected, input, i);
			continue;
		}
		expect_content(new_step(expected, kind),
			       json_object_get(item, kind == STEP_TOOLS ? "output" : "content"));
		i++;
	}
}

static void check_steps(const struct request *request, const json_t *root, struct arena *arena)
{
	struct expected *expected = xcalloc(1, sizeof(*expected));
	expect_steps(expected, root);
	FUZZ_ASSERT(request->step_count == expected->count);
	for (size_t i = 0; i < expected->count; i++) {
		FUZZ_ASSERT(request->steps[i].kind == expected->steps[i].kind);
		FUZZ_ASSERT(slice_equal(step_text(request, &request->steps[i], arena),
					buffer_slice(&expected->steps[i].text)));
		buffer_finish(&expected->steps[i].text);
	}
	free(expected);
}

static bool is_request(const json_t *root)
{
	size_t i;
	const json_t *item;
	const json_t *input = json_object_get(root, "input");
	json_array_foreach(input, i, item)
	{
		if (!json_is_object(item))
			return false;
	}
	return json_is_string(input) || json_is_array(input);
}

/* Edits may stand in a step of the user's or a system text, or between steps. */
static void check_edits(const struct request *request, struct arena *arena)
{
	struct replay_text *prefixes =
		arena_alloc(arena, (request->step_count + 1) * sizeof(*prefixes));
	struct injection injection = {.block = SLICE("B\"\\"),
				      .block_with_text = SIZE_MAX,
				      .turns = SLICE("{},"),
				      .replay_texts = prefixes};
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		if (step->kind == STEP_USER && step->text_count > 0)
			prefixes[injection.replay_count++] =
				(struct replay_text){step->first_text, SLICE("R")};
	}
	struct edit *edits;
	bool is_made;
	size_t count = request_inject(request, &injection, &edits, &is_made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	struct slice result = arena_join(arena, pieces, REQUEST_PIECES(count));
	json_t *again = json_loadb(result.data, result.size, JSON_ALLOW_NUL, NULL);
	FUZZ_ASSERT(again != NULL);
	json_decref(again);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < request->step_count; j++) {
			const struct step *step = &request->steps[j];
			bool is_in = edits[i].offset > step->begin && edits[i].offset < step->end;
			FUZZ_ASSERT(!is_in || step->kind == STEP_USER || step->kind == STEP_SYSTEM);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = {(const char *)data, size};
	struct arena arena = {0};
	struct request request;
	enum request_verdict verdict = dialect_responses.scan(&request, body, &arena);
	json_t *root = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
	json_t *once =
		json_loadb(body.data, body.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool fits = json_array_size(json_object_get(root, "input")) < MOST_ITEMS;
	if (verdict == REQUEST_OK && root != NULL && fits)
		check_steps(&request, root, &arena);
	if (verdict == REQUEST_OK && once != NULL)
		check_edits(&request, &arena);
	if (verdict == REQUEST_FOREIGN && once != NULL)
		FUZZ_ASSERT(!is_request(once));
	json_decref(once);
	json_decref(root);
	arena_finish(&arena);
	return 0;
}
