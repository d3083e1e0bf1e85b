/* The request scanner, with jansson as the oracle: it takes the same requests and reads the same
 * out of them. What it finds about turns and about a long history keeps to its bounds. */
#include "core/chat/history.h"
#include "core/dialect/dialect.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

static void check_text(struct slice text, const json_t *expected)
{
	struct slice wanted = {json_string_value(expected), json_string_length(expected)};
	FUZZ_ASSERT(slice_equal(text, wanted));
}

static bool is_text(const json_t *node, const char *text)
{
	return json_is_string(node) && json_string_length(node) == strlen(text) &&
	       strcmp(json_string_value(node), text) == 0;
}

/* The texts of the parts that have one, joined by line breaks. */
static void expect_parts(const json_t *parts, struct buffer *out)
{
	size_t i;
	const json_t *part;
	size_t count = 0;
	json_array_foreach(parts, i, part)
	{
		const json_t *text = json_object_get(part, "text");
		if (!is_text(json_object_get(part, "type"), "text") || !json_is_string(text))
			continue;
		if (count++ > 0)
			(void)buffer_append_byte(out, '\n');
		(void)buffer_append(
			out, (struct slice){json_string_value(text), json_string_length(text)});
	}
}

static void check_content(const struct request *request, const struct step *step,
			  const json_t *expected, struct arena *arena)
{
	const json_t *content = json_object_get(expected, "content");
	struct slice text = step_text(request, step, arena);
	if (json_is_array(content)) {
		struct buffer joined;
		buffer_init(&joined, request->body.size);
		expect_parts(content, &joined);
		FUZZ_ASSERT(step->text_count + step->other_parts == json_array_size(content));
		FUZZ_ASSERT(slice_equal(text, buffer_slice(&joined)));
		buffer_finish(&joined);
	} else if (json_is_string(content)) {
		FUZZ_ASSERT(step->text_count == 1);
		check_text(text, content);
	} else if (content == NULL || json_is_null(content)) {
		check_text(text,
			   step_is_models(step) ? json_object_get(expected, "refusal") : NULL);
	} else {
		FUZZ_ASSERT(step->text_count == 0 && text.size == 0);
	}
}

static void check_message(const struct request *request, const struct step *step,
			  const json_t *expected, struct arena *arena)
{
	const json_t *role = json_object_get(expected, "role");
	const json_t *calls = json_object_get(expected, "tool_calls");
	FUZZ_ASSERT(json_is_object(expected));
	bool has_calls = json_array_size(calls) > 0 ||
			 json_is_object(json_object_get(expected, "function_call"));
	const struct {
		const char *role;
		enum step_kind kind;
	} kinds[] = {
		{"system", STEP_SYSTEM}, {"developer", STEP_SYSTEM},
		{"user", STEP_USER},     {"assistant", has_calls ? STEP_CALLS : STEP_ANSWER},
		{"tool", STEP_TOOLS},    {"function", STEP_TOOLS},
	};
	enum step_kind kind = STEP_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (is_text(role, kinds[i].role))
			kind = kinds[i].kind;
	}
	FUZZ_ASSERT(step->kind == kind);
	check_content(request, step, expected, arena);
}

static void check_request(const struct request *request, const json_t *expected,
			  struct arena *arena)
{
	const json_t *messages = json_object_get(expected, "messages");
	const json_t *format = json_object_get(expected, "response_format");
	FUZZ_ASSERT(request->step_count == json_array_size(messages));
	FUZZ_ASSERT(request->stream == json_is_true(json_object_get(expected, "stream")));
	FUZZ_ASSERT(request->has_format ==
		    (json_is_object(format) && !is_text(json_object_get(format, "type"), "text")));
	check_text(request->model, json_object_get(expected, "model"));
	check_text(request->user_fields[0].value, json_object_get(expected, "user"));
	check_text(request->user_fields[1].value, json_object_get(expected, "safety_identifier"));
	check_text(request->user_fields[2].value,
		   json_object_get(json_object_get(expected, "metadata"), "user_id"));
	for (size_t i = 0; i < request->step_count; i++)
		check_message(request, &request->steps[i], json_array_get(messages, i), arena);
}

static bool all_objects(const json_t *messages)
{
	size_t i;
	const json_t *message;
	json_array_foreach(messages, i, message)
	{
		if (!json_is_object(message))
			return false;
	}
	return json_array_size(messages) <= REQUEST_MAX_STEPS;
}

static void check_refusal(const json_t *expected, struct slice body)
{
	const json_t *messages = json_object_get(expected, "messages");
	json_t *once =
		json_loadb(body.data, body.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	/* Of two "messages" jansson would tell us only that some key comes twice. */
	FUZZ_ASSERT(once == NULL || !json_is_array(messages) || !all_objects(messages));
	json_decref(once);
}

static void check_newest_turn(const struct request *request)
{
	struct newest_turn turn = request_newest_turn(request);
	FUZZ_ASSERT(turn.first + turn.count <= request->step_count);
	FUZZ_ASSERT(turn.count > 0 || !turn.is_last);
	for (size_t i = 0; i < turn.count; i++)
		FUZZ_ASSERT(request->steps[turn.first + i].kind == STEP_USER);
}

static void check_cut(const struct request *request, struct arena *arena)
{
	for (size_t limit = 0; limit < 64; limit = 2 * limit + 1) {
		const struct history_limits limits = {.tokens = limit, .covered = 5};
		struct history_cut cut = history_choose_cut(request, &limits, arena);
		bool cuts = request_can_cut(request, cut.first, cut.end);
		FUZZ_ASSERT(cuts == (cut.cut_before > 0) && cuts == (cut.end > cut.first));
		FUZZ_ASSERT(cut.cut_before <= limits.covered && cut.tokens <= cut.total);
		FUZZ_ASSERT(!cuts || cut.end <= request_newest_turn(request).first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = {(const char *)data, size};
	struct arena arena = {0};
	struct request request;
	enum request_verdict verdict = dialect_chat.scan(&request, body, &arena);
	/* fuzz_json checks which documents the two scanners accept. */
	json_t *expected = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
	if (verdict == REQUEST_OK) {
		check_newest_turn(&request);
		check_cut(&request, &arena);
	}
	if (verdict == REQUEST_OK && expected != NULL)
		check_request(&request, expected, &arena);
	else if (verdict == REQUEST_FOREIGN && expected != NULL)
		check_refusal(expected, body);
	json_decref(expected);
	arena_finish(&arena);
	return 0;
}
