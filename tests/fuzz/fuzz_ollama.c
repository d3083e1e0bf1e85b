/* The scan of Ollama's requests, with jansson as the oracle: it takes the same requests and reads
 * the same steps out of them. A call that is printed again keeps its mark. What is put in stands
 * where it may, the rest stays as it was, and nothing of the model's is touched. */
#include "core/dialect/dialect.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

static const struct slice replay = SLICE("R\"\xff");

static bool is_text(const json_t *node, const char *text)
{
	return json_is_string(node) && json_string_length(node) == strlen(text) &&
	       strcmp(json_string_value(node), text) == 0;
}

static void check_text(struct slice text, const json_t *expected)
{
	struct slice wanted = {json_string_value(expected), json_string_length(expected)};
	FUZZ_ASSERT(slice_equal(text, wanted));
}

static enum step_kind kind_of(const json_t *message)
{
	static const struct {
		const char *role;
		enum step_kind kind;
	} kinds[] = {
		{"system", STEP_SYSTEM}, {"developer", STEP_SYSTEM}, {"user", STEP_USER},
		{"tool", STEP_TOOLS},    {"function", STEP_TOOLS},
	};
	const json_t *role = json_object_get(message, "role");
	if (is_text(role, "assistant"))
		return json_array_size(json_object_get(message, "tool_calls")) > 0 ? STEP_CALLS
										   : STEP_ANSWER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (is_text(role, kinds[i].role))
			return kinds[i].kind;
	}
	return STEP_OTHER;
}

static void check_message(const struct request *request, const struct step *step,
			  const json_t *expected, struct arena *arena)
{
	const json_t *content = json_object_get(expected, "content");
	FUZZ_ASSERT(json_is_object(expected));
	FUZZ_ASSERT(step->kind == kind_of(expected) && step->begins_element);
	FUZZ_ASSERT((step->ids_hash != 0) == (step->kind == STEP_CALLS));
	FUZZ_ASSERT(step->other_parts == json_array_size(json_object_get(expected, "images")));
	FUZZ_ASSERT(step->text_count == (json_is_string(content) ? 1 : 0));
	check_text(step_text(request, step, arena), json_is_string(content) ? content : NULL);
}

static void check_request(const struct request *request, const json_t *expected,
			  struct arena *arena)
{
	const json_t *messages = json_object_get(expected, "messages");
	const json_t *format = json_object_get(expected, "format");
	FUZZ_ASSERT(request->step_count == json_array_size(messages));
	FUZZ_ASSERT(request->stream != json_is_false(json_object_get(expected, "stream")));
	FUZZ_ASSERT(request->has_format ==
		    (json_is_object(format) || json_string_length(format) > 0));
	check_text(request->model, json_object_get(expected, "model"));
	for (size_t i = 0; i < request->step_count; i++)
		check_message(request, &request->steps[i], json_array_get(messages, i), arena);
}

static void check_refusal(const json_t *expected, struct slice body)
{
	size_t i;
	const json_t *message;
	const json_t *messages = json_object_get(expected, "messages");
	json_t *once =
		json_loadb(body.data, body.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool is_ours = json_is_array(messages) && json_array_size(messages) <= REQUEST_MAX_STEPS;
	json_array_foreach(messages, i, message) is_ours = is_ours && json_is_object(message);
	/* Of two "messages" jansson would tell us only that some key comes twice. */
	FUZZ_ASSERT(once == NULL || !is_ours);
	json_decref(once);
}

/* As a client prints it that read it into a tree. Numbers are left out: jansson writes them its own
 * way. */
static void check_printed_again(const struct request *request, const json_t *body,
				struct slice bytes, struct arena *arena)
{
	json_t *once =
		json_loadb(bytes.data, bytes.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool has_numbers = memchr(bytes.data, '.', bytes.size) != NULL ||
			   memchr(bytes.data, 'e', bytes.size) != NULL ||
			   memchr(bytes.data, 'E', bytes.size) != NULL ||
			   memchr(bytes.data, '-', bytes.size) != NULL;
	if (once == NULL || has_numbers) {
		json_decref(once);
		return;
	}
	char *printed = json_dumps(body, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	struct request again;
	FUZZ_ASSERT(printed != NULL &&
		    dialect_ollama.scan(&again, slice_of(printed), arena) == REQUEST_OK);
	FUZZ_ASSERT(again.step_count == request->step_count);
	for (size_t i = 0; i < again.step_count; i++)
		FUZZ_ASSERT(again.steps[i].ids_hash == request->steps[i].ids_hash);
	free(printed);
	json_decref(once);
}

/* ---- what is put in ---- */

/* No edit may lie in what the model or a tool said. */
static void check_place(const struct request *request, const struct edit *edit)
{
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		bool may = step->kind == STEP_USER || (i == 0 && step->kind == STEP_SYSTEM);
		FUZZ_ASSERT(may || edit->offset <= step->begin || edit->offset >= step->end);
	}
}

static void check_bytes(const struct request *request, struct slice spliced,
			const struct edit *edits, size_t edit_count)
{
	size_t from = 0;
	for (size_t i = 0; i < edit_count; i++) {
		struct slice kept = slice_part(request->body, from, edits[i].offset);
		FUZZ_ASSERT(edits[i].offset >= from && edits[i].removed == 0);
		FUZZ_ASSERT(slice_starts_with(spliced, kept));
		spliced = slice_part(spliced, kept.size, spliced.size);
		FUZZ_ASSERT(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset;
		check_place(request, &edits[i]);
	}
	FUZZ_ASSERT(slice_equal(spliced, slice_part(request->body, from, request->body.size)));
}

/* The block, and a replay on the first user turn that has text. */
static void check_injection(const struct request *request, struct arena *arena)
{
	struct replay_text prefix = {0, replay};
	struct injection injection = {.block = SLICE("what is \"known\"\n\xff\\"),
				      .block_with_text = SIZE_MAX,
				      .replay_texts = &prefix};
	for (size_t i = request->step_count; i-- > 0;) {
		if (request->steps[i].kind != STEP_USER || request->steps[i].text_count == 0)
			continue;
		prefix.text_index = request->steps[i].first_text;
		injection.replay_count = 1;
	}
	struct edit *edits;
	bool made;
	size_t edit_count = request_inject(request, &injection, &edits, &made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(edit_count) * sizeof(*pieces));
	request_splice(request->body, edits, edit_count, pieces);
	struct slice out = arena_join(arena, pieces, REQUEST_PIECES(edit_count));
	FUZZ_ASSERT(out.size == request_spliced_size(request->body, edits, edit_count));
	check_bytes(request, out, edits, edit_count);
	struct request again;
	bool is_full = request->step_count == REQUEST_MAX_STEPS && made;
	FUZZ_ASSERT(is_full || dialect_ollama.scan(&again, out, arena) == REQUEST_OK);
	FUZZ_ASSERT(is_full || again.step_count == request->step_count + made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = {(const char *)data, size};
	struct arena arena = {0};
	struct request request;
	enum request_verdict verdict = dialect_ollama.scan(&request, body, &arena);
	/* fuzz_json checks which documents the two scanners accept. */
	json_t *expected = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
	if (verdict == REQUEST_OK)
		check_injection(&request, &arena);
	if (verdict == REQUEST_OK && expected != NULL) {
		check_request(&request, expected, &arena);
		check_printed_again(&request, expected, body, &arena);
	} else if (verdict == REQUEST_FOREIGN && expected != NULL) {
		check_refusal(expected, body);
	}
	json_decref(expected);
	arena_finish(&arena);
	return 0;
}
