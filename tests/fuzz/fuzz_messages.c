/* The Messages scanner and what is put into its requests, with jansson as the oracle: it takes the
 * same requests and reads the same steps out of them. Taking the inserted bytes out and putting the
 * removed ones back gives the original, no edit lies in what the model or a tool said, and read
 * again the steps are the same, with the replays on the texts that carry them.
 *
 * The input's first two bytes say what is injected where, the rest is the body. */
#include "core/dialect/dialect.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

enum { CONTROLS = 2 };

static const struct slice replay = SLICE("[2026-03-02] \"I\" moved\n\xf0\x9f\x98\x80");

/* ---- what is to be read, as a tree ---- */

struct picture {
	struct buffer steps; /* of struct drawn */
};

/* A step: a letter for its kind, whether it shares its message, and its texts. */
struct drawn {
	char kind;
	bool shares;
	size_t others;
	size_t text_count;
	struct buffer text; /* joined by "|" where they are parted */
};

static struct drawn *last(struct picture *picture)
{
	return (void *)(picture->steps.data + picture->steps.size - sizeof(struct drawn));
}

static size_t count(const struct picture *picture)
{
	return picture->steps.size / sizeof(struct drawn);
}

static struct drawn *begin_step(struct picture *picture, char kind, bool shares)
{
	struct drawn step = {.kind = kind, .shares = shares};
	buffer_init(&step.text, SIZE_MAX);
	(void)buffer_append(&picture->steps, (struct slice){(const char *)&step, sizeof(step)});
	return last(picture);
}

static void finish(struct picture *picture)
{
	for (size_t i = 0; i < count(picture); i++)
		buffer_finish(&((struct drawn *)(void *)picture->steps.data)[i].text);
	buffer_finish(&picture->steps);
}

static void add_text(struct drawn *step, const json_t *text, bool joins)
{
	if (!json_is_string(text))
		return;
	if (step->text_count++ > 0 && !joins)
		(void)buffer_append_byte(&step->text, '|');
	(void)buffer_append(&step->text,
			    (struct slice){json_string_value(text), json_string_length(text)});
}

static bool is_word(const json_t *node, const char *text)
{
	return json_is_string(node) && json_string_length(node) == strlen(text) &&
	       strcmp(json_string_value(node), text) == 0;
}

static bool has_type(const json_t *block, const char *type)
{
	return is_word(json_object_get(block, "type"), type);
}

static void add_texts(struct drawn *step, const json_t *content, bool counts_others)
{
	size_t i;
	const json_t *block;
	add_text(step, content, false);
	json_array_foreach(content, i, block)
	{
		if (has_type(block, "text"))
			add_text(step, json_object_get(block, "text"), false);
		else if (counts_others && json_is_object(block))
			step->others++;
	}
}

static void draw_user(struct picture *picture, const json_t *content)
{
	size_t i;
	const json_t *block;
	struct drawn *step = NULL;
	json_array_foreach(content, i, block)
	{
		bool is_result = has_type(block, "tool_result");
		bool is_text = has_type(block, "text");
		char kind = is_result ? 'T' : 'U';
		if (!json_is_object(block))
			continue;
		if (step == NULL || ((is_result || is_text) && step->kind != kind))
			step = begin_step(picture, kind, step != NULL);
		if (is_result)
			add_texts(step, json_object_get(block, "content"), true);
		else if (is_text)
			add_text(step, json_object_get(block, "text"), false);
		else
			step->others++;
	}
	if (step == NULL)
		add_text(begin_step(picture, 'U', false), content, false);
}

static void draw_models(struct picture *picture, const json_t *content, bool goes_on)
{
	size_t i;
	const json_t *block;
	bool has_steps = goes_on;
	struct drawn *step = goes_on ? last(picture) : begin_step(picture, 'A', false);
	add_text(step, content, true);
	json_array_foreach(content, i, block)
	{
		if (has_type(block, "text")) {
			add_text(step, json_object_get(block, "text"), true);
		} else if (has_type(block, "tool_use")) {
			step->kind = 'C';
		} else if (has_type(block, "compaction") && !has_steps && step->kind == 'A' &&
			   step->text_count == 0) {
			step->kind = 'S';
			add_text(step, json_object_get(block, "content"), false);
			step = begin_step(picture, 'A', true);
			has_steps = true;
		}
	}
}

static void draw_messages(struct picture *picture, const json_t *messages)
{
	size_t i;
	const json_t *message;
	bool was_models = false;
	json_array_foreach(messages, i, message)
	{
		const json_t *role = json_object_get(message, "role");
		const json_t *content = json_object_get(message, "content");
		bool is_models = is_word(role, "assistant");
		if (is_word(role, "user"))
			draw_user(picture, content);
		else if (is_models)
			draw_models(picture, content, was_models);
		else
			add_texts(begin_step(picture, is_word(role, "system") ? 'S' : 'O', false),
				  content, false);
		was_models = is_models;
	}
}

static struct picture expect(const json_t *body)
{
	struct picture picture;
	buffer_init(&picture.steps, SIZE_MAX);
	struct drawn *system = begin_step(&picture, 'S', true);
	add_texts(system, json_object_get(body, "system"), false);
	if (system->text_count == 0)
		picture.steps.size = 0;
	draw_messages(&picture, json_object_get(body, "messages"));
	return picture;
}

/* ---- what was read ---- */

static void check_step(const struct request *request, const struct step *step,
		       const struct drawn *expected, struct arena *arena)
{
	static const char kinds[] = "SUACTO";
	struct buffer text;
	buffer_init(&text, SIZE_MAX);
	FUZZ_ASSERT(kinds[step->kind] == expected->kind);
	FUZZ_ASSERT(step->begins_element == !expected->shares || step == request->steps);
	FUZZ_ASSERT(step->other_parts == expected->others);
	FUZZ_ASSERT(step->text_count == expected->text_count);
	FUZZ_ASSERT(step->first_text + step->text_count <= request->text_count);
	for (size_t i = 0; i < step->text_count; i++) {
		const struct request_text *part = &request->texts[step->first_text + i];
		if (i > 0 && !part->joins)
			(void)buffer_append_byte(&text, '|');
		(void)buffer_append(&text, json_string_text(request->body, part->string, arena));
	}
	FUZZ_ASSERT(slice_equal(buffer_slice(&text), buffer_slice(&expected->text)));
	buffer_finish(&text);
}

static void check_steps(const struct request *request, const json_t *body, struct arena *arena)
{
	struct picture picture = expect(body);
	const struct drawn *expected = (const void *)picture.steps.data;
	FUZZ_ASSERT(request->step_count == count(&picture));
	for (size_t i = 0; i < request->step_count; i++)
		check_step(request, &request->steps[i], &expected[i], arena);
	finish(&picture);
}

static bool is_ours(const json_t *body)
{
	size_t i;
	const json_t *message;
	const json_t *messages = json_object_get(body, "messages");
	const json_t *system = json_object_get(body, "system");
	json_array_foreach(messages, i, message)
	{
		if (!json_is_object(message))
			return false;
	}
	return json_is_array(messages) && json_array_size(messages) < REQUEST_MAX_STEPS / 2 &&
	       (system == NULL || json_is_null(system) || json_is_string(system) ||
		json_is_array(system));
}

/* ---- what is put in ---- */

/* No edit may lie in what the model or a tool said. */
static void check_place(const struct request *request, const struct edit *edit)
{
	for (size_t i = 0; i < request->text_count; i++) {
		struct json_value text = request->texts[i].string;
		if (edit->offset == text.begin + 1)
			return; /* at the beginning of a text: whose it is the steps say */
	}
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		bool is_lead = i == 0 && step->kind == STEP_SYSTEM;
		FUZZ_ASSERT(is_lead || edit->offset <= step->begin || edit->offset >= step->end);
	}
}

static void check_bytes(const struct request *request, struct slice spliced,
			const struct edit *edits, size_t edit_count)
{
	size_t from = 0;
	for (size_t i = 0; i < edit_count; i++) {
		struct slice kept = slice_part(request->body, from, edits[i].offset);
		FUZZ_ASSERT(edits[i].offset >= from);
		FUZZ_ASSERT(edits[i].removed <= request->body.size - edits[i].offset);
		FUZZ_ASSERT(slice_starts_with(spliced, kept));
		spliced = slice_part(spliced, kept.size, spliced.size);
		FUZZ_ASSERT(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset + edits[i].removed;
		check_place(request, &edits[i]);
	}
	FUZZ_ASSERT(slice_equal(spliced, slice_part(request->body, from, request->body.size)));
}

/* Replays on the first texts of user steps, as the controls have it. */
static size_t choose_replays(const struct request *request, unsigned control,
			     struct replay_text *replays)
{
	size_t chosen = 0;
	for (size_t i = 0; i < request->step_count && chosen < 8; i++) {
		const struct step *step = &request->steps[i];
		if (step->kind == STEP_USER && step->text_count > 0 && (control >> i % 8 & 1) != 0)
			replays[chosen++] = (struct replay_text){
				step->first_text + step->text_count - 1, replay};
	}
	return chosen;
}

static void check_replays(const struct request *again, const struct replay_text *replays,
			  size_t replay_count, size_t new_texts, struct arena *arena)
{
	for (size_t i = 0; i < replay_count; i++) {
		size_t index = replays[i].text_index + new_texts;
		bool found = false;
		for (size_t at = replays[i].text_index; at <= index && at < again->text_count; at++)
			found |= slice_starts_with(
				json_string_text(again->body, again->texts[at].string, arena),
				replay);
		FUZZ_ASSERT(found);
	}
}

static void check_injection(const struct request *request, const uint8_t *controls,
			    struct arena *arena)
{
	struct replay_text replays[8];
	struct injection injection = {.block_with_text = SIZE_MAX, .replay_texts = replays};
	struct edit *edits;
	bool made;
	injection.replay_count = choose_replays(request, controls[1], replays);
	if ((controls[0] & 1) != 0)
		injection.block = SLICE("what is \"known\"\n\xff</memory>\\");
	size_t edit_count = request_inject(request, &injection, &edits, &made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(edit_count) * sizeof(*pieces));
	request_splice(request->body, edits, edit_count, pieces);
	struct slice out = arena_join(arena, pieces, REQUEST_PIECES(edit_count));
	FUZZ_ASSERT(out.size == request_spliced_size(request->body, edits, edit_count));
	check_bytes(request, out, edits, edit_count);
	struct request again;
	FUZZ_ASSERT(dialect_messages.scan(&again, out, arena) == REQUEST_OK);
	size_t new_steps = again.step_count - request->step_count;
	FUZZ_ASSERT(new_steps == 0 || (new_steps == 1 && injection.block.size > 0));
	check_replays(&again, replays, injection.replay_count,
		      again.text_count - request->text_count, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < CONTROLS)
		return 0;
	struct slice body = {(const char *)data + CONTROLS, size - CONTROLS};
	struct arena arena = {0};
	struct request request;
	enum request_verdict verdict = dialect_messages.scan(&request, body, &arena);
	/* fuzz_json checks which documents the two scanners accept. */
	json_t *expected = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
	json_t *once =
		json_loadb(body.data, body.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (verdict == REQUEST_OK)
		check_injection(&request, data, &arena);
	if (verdict == REQUEST_OK && expected != NULL)
		check_steps(&request, expected, &arena);
	/* Of two "messages" jansson would tell us only that some key comes twice. */
	if (verdict == REQUEST_FOREIGN && once != NULL)
		FUZZ_ASSERT(!is_ours(expected));
	json_decref(expected);
	json_decref(once);
	arena_finish(&arena);
	return 0;
}
