/* The splice, with jansson as the oracle: the edited body reads as the original plus exactly what
 * was to go in (less the messages that were to go out), and taking the inserted bytes out and
 * putting the removed ones back gives the original, byte for byte.
 *
 * The input's first three bytes say what is injected where, the rest is the body. */
#include "core/dialect/dialect.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

enum { CONTROLS = 3, MAX_REPLAYS = 8, PLACEMENTS = 3 };

static const struct slice replay_text =
	SLICE("[2026-03-02] user: \"I\" moved\n\x01\xf0\x9f\x98\x80");

/* ---- what is to come out, as a tree ---- */

/* The text as JSON can hold it. */
static json_t *text_node(struct slice text)
{
	struct buffer quoted;
	buffer_init(&quoted, text.size * 6 + 2);
	json_quote(&quoted, text);
	json_t *node = json_loadb(quoted.data, quoted.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	FUZZ_ASSERT(json_is_string(node));
	buffer_finish(&quoted);
	return node;
}

static json_t *part_node(struct slice text)
{
	return json_pack("{s:s, s:o}", "type", "text", "text", text_node(text));
}

static bool has_role(const json_t *message, const char *name)
{
	const json_t *role = json_object_get(message, "role");
	return json_is_string(role) && json_string_length(role) == strlen(name) &&
	       strcmp(json_string_value(role), name) == 0;
}

static bool is_system(const json_t *message)
{
	return has_role(message, "system") || has_role(message, "developer");
}

static bool takes_text(const json_t *message)
{
	const json_t *content = json_object_get(message, "content");
	return json_is_string(content) || json_is_array(content);
}

static bool is_text_part(const json_t *part)
{
	const json_t *type = json_object_get(part, "type");
	return json_is_string(type) && json_string_length(type) == 4 &&
	       strcmp(json_string_value(type), "text") == 0 &&
	       json_is_string(json_object_get(part, "text"));
}

/* `first` and `second`, with an empty line between them if there are two. */
static json_t *join(json_t *first, json_t *second)
{
	struct buffer both;
	buffer_init(&both, SIZE_MAX);
	(void)buffer_append(&both,
			    (struct slice){json_string_value(first), json_string_length(first)});
	if (json_string_length(first) > 0 && json_string_length(second) > 0)
		(void)buffer_append(&both, SLICE("\n\n"));
	(void)buffer_append(&both,
			    (struct slice){json_string_value(second), json_string_length(second)});
	json_t *joined = json_stringn(both.data == NULL ? "" : both.data, both.size);
	buffer_finish(&both);
	json_decref(first);
	return joined;
}

/* `text` and an empty line before the string that is the member. */
static void prepend(json_t *object, const char *key, struct slice text)
{
	json_t *old = json_object_get(object, key);
	struct buffer both;
	buffer_init(&both, SIZE_MAX);
	json_t *added = text_node(text);
	(void)buffer_append(&both,
			    (struct slice){json_string_value(added), json_string_length(added)});
	(void)buffer_append(&both, SLICE("\n\n"));
	(void)buffer_append(&both, (struct slice){json_string_value(old), json_string_length(old)});
	json_object_set_new(object, key, json_stringn(both.data, both.size));
	json_decref(added);
	buffer_finish(&both);
}

/* Before the text of that index; each message is a step. */
static void expect_before(json_t *messages, const struct request *request, size_t index,
			  struct slice text)
{
	size_t i = 0;
	while (i + 1 < request->step_count && request->steps[i + 1].first_text <= index)
		i++;
	json_t *message = json_array_get(messages, i);
	json_t *content = json_object_get(message, "content");
	if (!json_is_array(content)) {
		prepend(message, "content", text);
		return;
	}
	size_t texts = index - request->steps[i].first_text;
	size_t at = 0;
	while (!is_text_part(json_array_get(content, at)) || texts-- > 0)
		at++;
	prepend(json_array_get(content, at), "text", text);
}

static void expect_behind(json_t *message, struct slice text)
{
	json_t *content = json_object_get(message, "content");
	json_t *added = text_node(text);
	if (json_is_array(content))
		json_array_append_new(content, part_node(text));
	else
		json_object_set_new(message, "content", join(json_incref(content), added));
	json_decref(added);
}

/* The first message of that sort; the array's size: none. */
static size_t find(const json_t *messages, bool (*is_sought)(const json_t *))
{
	size_t at = 0;
	while (at < json_array_size(messages) && !is_sought(json_array_get(messages, at)))
		at++;
	return at;
}

static bool is_user(const json_t *message)
{
	return has_role(message, "user");
}

static bool is_turn(const json_t *message)
{
	return !is_system(message);
}

static void expect_turns(json_t *messages, struct slice turns)
{
	size_t at = find(messages, is_turn);
	if (turns.size == 0 || at == json_array_size(messages) ||
	    !is_user(json_array_get(messages, at)))
		return;
	struct buffer list;
	buffer_init(&list, turns.size + 1);
	(void)buffer_append_byte(&list, '[');
	(void)buffer_append(&list, turns);
	list.data[list.size - 1] = ']';
	json_t *made = json_loadb(list.data, list.size, 0, NULL);
	FUZZ_ASSERT(json_is_array(made));
	for (size_t i = 0; i < json_array_size(made); i++)
		json_array_insert(messages, at + i, json_array_get(made, i));
	json_decref(made);
	buffer_finish(&list);
}

/* Whether a message is to be made for it. */
static bool expect_block(json_t *messages, const struct request *request,
			 const struct injection *injection)
{
	size_t count = json_array_size(messages);
	size_t system = find(messages, is_system);
	bool for_user = injection->placement == PLACE_USER;
	if (injection->block.size == 0 || count == 0)
		return false;
	if (!for_user && system == count)
		return true;
	if (!for_user && system == 0 && takes_text(json_array_get(messages, 0)))
		expect_behind(json_array_get(messages, 0), injection->block);
	else if (injection->block_with_text != SIZE_MAX)
		expect_before(messages, request, injection->block_with_text, injection->block);
	return false;
}

static json_t *expect(const struct request *request, const json_t *original,
		      const struct injection *injection, bool cuts)
{
	json_t *expected = json_deep_copy(original);
	json_t *messages = json_object_get(expected, "messages");
	for (size_t i = 0; i < injection->replay_count; i++)
		expect_before(messages, request, injection->replay_texts[i].text_index,
			      injection->replay_texts[i].text);
	bool makes = expect_block(messages, request, injection);
	for (size_t i = injection->cut_end; cuts && i-- > injection->cut_first;) {
		if (!is_system(json_array_get(messages, i)))
			json_array_remove(messages, i);
	}
	expect_turns(messages, injection->turns);
	const char *role = injection->placement == PLACE_DEVELOPER ? "developer" : "system";
	if (makes)
		json_array_insert_new(messages, 0,
				      json_pack("{s:s, s:o}", "role", role, "content",
						text_node(injection->block)));
	return expected;
}

/* ---- what came out ---- */

/* Undoes the edits: takes what they brought in out of the spliced bytes, and puts what they removed
 * back. */
static void check_bytes(struct slice body, struct slice spliced, const struct edit *edits,
			size_t count, bool cuts)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(edits[i].offset >= from && edits[i].offset <= body.size);
		FUZZ_ASSERT(edits[i].removed <= body.size - edits[i].offset);
		FUZZ_ASSERT(edits[i].removed == 0 || cuts);
		struct slice kept = slice_part(body, from, edits[i].offset);
		FUZZ_ASSERT(slice_starts_with(spliced, kept));
		spliced = slice_part(spliced, kept.size, spliced.size);
		FUZZ_ASSERT(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset + edits[i].removed;
	}
	FUZZ_ASSERT(slice_equal(spliced, slice_part(body, from, body.size)));
}

static void check_injection(const struct request *request, const json_t *original,
			    const struct injection *injection)
{
	struct arena arena = {0};
	struct edit *edits;
	bool made;
	bool cuts = request_can_cut(request, injection->cut_first, injection->cut_end);
	size_t count = request_inject(request, injection, &edits, &made, &arena);
	struct slice *pieces = arena_alloc(&arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	struct slice out = arena_join(&arena, pieces, REQUEST_PIECES(count));
	FUZZ_ASSERT(out.size == request_spliced_size(request->body, edits, count));
	check_bytes(request->body, out, edits, count, cuts);
	json_t *edited = json_loadb(out.data, out.size, JSON_ALLOW_NUL, NULL);
	json_t *expected = expect(request, original, injection, cuts);
	FUZZ_ASSERT(edited != NULL && json_equal(edited, expected));
	json_decref(edited);
	json_decref(expected);
	arena_finish(&arena);
}

/* ---- what is put in ---- */

static struct slice make_turns(struct buffer *out, struct slice body)
{
	dialect_append_turn(out, ROLE_USER, SLICE("q \"\\\n\xff"));
	dialect_append_turn(out, ROLE_ASSISTANT, slice_part(body, 0, body.size < 9 ? 0 : 9));
	return buffer_slice(out);
}

/* The text of the step that something rides before; SIZE_MAX: it has none. */
static size_t carrier_of(const struct step *step, uint8_t control)
{
	if (step->kind != STEP_USER || step->text_count == 0)
		return SIZE_MAX;
	return step->first_text + control % step->text_count;
}

/* The block goes with the first user text that stays. */
static size_t block_carrier(const struct request *request, const struct injection *injection)
{
	bool cuts = request_can_cut(request, injection->cut_first, injection->cut_end);
	for (size_t i = 0; i < request->step_count; i++) {
		size_t carrier = carrier_of(&request->steps[i], 0);
		bool stays = !cuts || i < injection->cut_first || i >= injection->cut_end ||
			     request->steps[i].stays;
		if (carrier != SIZE_MAX && stays)
			return carrier;
	}
	return SIZE_MAX;
}

static void check_injections(const struct request *request, const json_t *original,
			     const uint8_t *controls)
{
	struct replay_text replay_texts[MAX_REPLAYS];
	struct buffer turns;
	struct injection injection = {.replay_texts = replay_texts};
	for (size_t i = 0; i < MAX_REPLAYS && i < request->step_count; i++) {
		size_t carrier = carrier_of(&request->steps[i], controls[0] >> 3);
		if ((controls[1] >> i & 1) != 0 && carrier != SIZE_MAX)
			replay_texts[injection.replay_count++] =
				(struct replay_text){carrier, replay_text};
	}
	buffer_init(&turns, SIZE_MAX);
	/* The memory block may hold any bytes, so the body's own bytes serve as the block too. */
	if ((controls[0] & 1) != 0)
		injection.block = SLICE("what is \"known\"\n\xff</memory>\\");
	else if ((controls[0] & 2) != 0)
		injection.block =
			slice_part(request->body, request->body.size / 2, request->body.size);
	if ((controls[0] & 4) != 0)
		injection.turns = make_turns(&turns, request->body);
	injection.cut_first = controls[2] & 3;
	injection.cut_end = controls[2] >> 2 & 15;
	injection.block_with_text = block_carrier(request, &injection);
	for (int placement = 0; placement < PLACEMENTS; placement++) {
		injection.placement = (enum placement)placement;
		check_injection(request, original, &injection);
	}
	buffer_finish(&turns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < CONTROLS)
		return 0;
	struct slice body = {(const char *)data + CONTROLS, size - CONTROLS};
	struct arena arena = {0};
	struct request request;
	if (dialect_chat.scan(&request, body, &arena) == REQUEST_OK) {
		/* jansson refuses some that RFC 8259 allows; fuzz_json knows which. */
		json_t *original = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
		if (original != NULL)
			check_injections(&request, original, data);
		json_decref(original);
	}
	arena_finish(&arena);
	return 0;
}
