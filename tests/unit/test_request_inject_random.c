/* jansson is the oracle: the same injection done on its tree gives the same document. */
#include "core/dialect/dialect.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <string.h>

enum { MAX_MESSAGES = 8 };

static const struct slice block = SLICE("Known: \"Alex\"\nlikes \\ tea");
static const struct slice turns =
	SLICE("{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"r\"},");

static void random_content(struct random *random, struct buffer *out)
{
	static const char *const others[] = {"null", "7", "{}", "\"\"", "[ ]"};
	size_t kind = random_below(random, 8);
	if (kind == 0) {
		size_t other = random_below(random, sizeof(others) / sizeof(others[0]));
		(void)buffer_append(out, slice_of(others[other]));
		return;
	}
	if (kind < 4) {
		random_json_string(random, out);
		return;
	}
	(void)buffer_append_byte(out, '[');
	random_space(random, out);
	for (size_t left = random_below(random, 3); left > 0; left--) {
		(void)buffer_append(out, SLICE("{\"type\":\"text\",\"text\":"));
		random_json_string(random, out);
		(void)buffer_append(out, left > 1 ? SLICE("},") : SLICE("}"));
		random_space(random, out);
	}
	(void)buffer_append_byte(out, ']');
}

/* A request with any roles in any order; every second message is a user's. */
static void random_request(struct random *random, struct buffer *out)
{
	static const char *const roles[] = {"user",      "user", "user",      "system",
					    "assistant", "tool", "developer", "user"};
	(void)buffer_append(out, SLICE("{\"x\":"));
	random_json(random, out, 2);
	(void)buffer_append(out, SLICE(",\"messages\":["));
	random_space(random, out);
	for (size_t left = random_below(random, MAX_MESSAGES + 1); left > 0; left--) {
		size_t role = random_below(random, sizeof(roles) / sizeof(roles[0]));
		(void)buffer_printf(out, "{\"role\":\"%s\",\"extra\":", roles[role]);
		random_json(random, out, 1);
		(void)buffer_append(out, SLICE(",\"content\":"));
		random_content(random, out);
		random_space(random, out);
		(void)buffer_append_byte(out, '}');
		random_space(random, out);
		if (left > 1)
			(void)buffer_append_byte(out, ',');
		random_space(random, out);
	}
	(void)buffer_append(out, SLICE("]}"));
}

/* A text of a user step, for what rides before it; SIZE_MAX: it has none. */
static size_t random_carrier(struct random *random, const struct step *step)
{
	if (step->kind != STEP_USER || step->text_count == 0)
		return SIZE_MAX;
	return step->first_text + random_below(random, step->text_count);
}

/* Any injection, replay_texts within their order; the cut may be none that can be made. */
static struct injection random_injection(struct random *random, const struct request *request,
					 struct replay_text *replay_texts)
{
	size_t replay_count = 0;
	size_t block_with_text = SIZE_MAX;
	struct injection injection = {
		.placement = (enum placement)random_below(random, 3),
		.block = random_below(random, 4) > 0 ? block : (struct slice){0},
		.turns = random_below(random, 4) > 0 ? turns : (struct slice){0},
		.cut_first = random_below(random, 3),
		.cut_end = random_below(random, MAX_MESSAGES),
	};
	bool cuts = request_can_cut(request, injection.cut_first, injection.cut_end);
	for (size_t i = 0; i < request->step_count; i++) {
		size_t carrier = random_carrier(random, &request->steps[i]);
		if (carrier == SIZE_MAX)
			continue;
		bool stays = !cuts || i < injection.cut_first || i >= injection.cut_end ||
			     request->steps[i].stays;
		if (stays && block_with_text == SIZE_MAX)
			block_with_text = carrier;
		if (random_below(random, 3) == 0)
			replay_texts[replay_count++] = (struct replay_text){
				carrier, SLICE("on Monday:\n\"I\" was \\ away")};
	}
	injection.block_with_text = block_with_text;
	injection.replay_texts = replay_texts;
	injection.replay_count = replay_count;
	return injection;
}

static bool has_role(json_t *message, const char *role)
{
	return strcmp(json_string_value(json_object_get(message, "role")), role) == 0;
}

static bool is_system_message(json_t *message)
{
	return has_role(message, "system") || has_role(message, "developer");
}

static bool is_user_message(json_t *message)
{
	return has_role(message, "user");
}

static bool is_turn_message(json_t *message)
{
	return !is_system_message(message);
}

/* The first such message, or the number of all. */
static size_t find_message(json_t *messages, bool (*is_sought)(json_t *message))
{
	size_t i = 0;
	while (i < json_array_size(messages) && !is_sought(json_array_get(messages, i)))
		i++;
	return i;
}

static json_t *join(struct slice first, struct slice gap, struct slice second)
{
	struct buffer joined;
	buffer_init(&joined, 64 * 1024);
	(void)buffer_append(&joined, first);
	(void)buffer_append(&joined, gap);
	(void)buffer_append(&joined, second);
	json_t *string = json_stringn(joined.data, joined.size);
	buffer_finish(&joined);
	return string;
}

static struct slice text_of(json_t *string)
{
	return (struct slice){json_string_value(string), json_string_length(string)};
}

/* False: the message has no place for text. */
static bool put_behind(json_t *message, struct slice text)
{
	json_t *content = json_object_get(message, "content");
	if (json_is_array(content)) {
		json_array_append_new(content, json_pack("{s:s,s:s%}", "type", "text", "text",
							 text.data, text.size));
		return true;
	}
	if (!json_is_string(content))
		return false;
	struct slice gap = json_string_length(content) == 0 ? SLICE("") : SLICE("\n\n");
	json_object_set_new(message, "content", join(text_of(content), gap, text));
	return true;
}

/* Before the text of that index; each message is a step. */
static void put_before(json_t *messages, const struct request *request, size_t index,
		       struct slice text)
{
	size_t i = 0;
	while (i + 1 < request->step_count && request->steps[i + 1].first_text <= index)
		i++;
	json_t *holder = json_array_get(messages, i);
	json_t *content = json_object_get(holder, "content");
	const char *key = json_is_array(content) ? "text" : "content";
	if (json_is_array(content))
		holder = json_array_get(content, index - request->steps[i].first_text);
	json_object_set_new(holder, key,
			    join(text, SLICE("\n\n"), text_of(json_object_get(holder, key))));
}

static void put_replays(json_t *messages, const struct request *request,
			const struct injection *injection)
{
	for (size_t i = 0; i < injection->replay_count; i++)
		put_before(messages, request, injection->replay_texts[i].text_index,
			   injection->replay_texts[i].text);
}

static void take_out(json_t *messages, const struct injection *injection)
{
	for (size_t i = injection->cut_end; i-- > injection->cut_first;) {
		if (!is_system_message(json_array_get(messages, i)))
			json_array_remove(messages, i);
	}
}

static void put_turns(json_t *messages)
{
	size_t first = find_message(messages, is_turn_message);
	if (first == json_array_size(messages) || first != find_message(messages, is_user_message))
		return;
	json_array_insert_new(messages, first,
			      json_pack("{s:s,s:s}", "role", "user", "content", "q"));
	json_array_insert_new(messages, first + 1,
			      json_pack("{s:s,s:s}", "role", "assistant", "content", "r"));
}

/* Whether a message has to be made for the block. */
static bool put_block(json_t *messages, const struct request *request,
		      const struct injection *injection)
{
	size_t count = json_array_size(messages);
	size_t system = find_message(messages, is_system_message);
	bool for_user = injection->placement == PLACE_USER;
	if (!for_user && count > 0 && system == count)
		return true;
	bool is_placed = !for_user && system == 0 && count > 0 &&
			 put_behind(json_array_get(messages, 0), injection->block);
	if (!is_placed && injection->block_with_text != SIZE_MAX)
		put_before(messages, request, injection->block_with_text, injection->block);
	return false;
}

static void inject_into_tree(json_t *messages, const struct request *request,
			     const struct injection *injection)
{
	put_replays(messages, request, injection);
	bool makes = injection->block.size > 0 && put_block(messages, request, injection);
	if (request_can_cut(request, injection->cut_first, injection->cut_end))
		take_out(messages, injection);
	if (injection->turns.size > 0)
		put_turns(messages);
	const char *role = injection->placement == PLACE_DEVELOPER ? "developer" : "system";
	if (makes)
		json_array_insert_new(
			messages, 0,
			json_pack("{s:s,s:s%}", "role", role, "content", block.data, block.size));
}

static json_t *load(struct slice document)
{
	json_t *tree = json_loadb(document.data, document.size, JSON_ALLOW_NUL, NULL);
	ck_assert_msg(tree != NULL, "%.*s", SLICE_PRINT(document));
	return tree;
}

/* Every byte of the spliced body is either an edit's or the client's, in the client's order. */
static void assert_only_edited(struct slice body, struct slice spliced, const struct edit *edits,
			       size_t count, bool cuts)
{
	size_t from = 0;
	size_t removals = 0;
	for (size_t i = 0; i < count; i++) {
		size_t size = edits[i].offset - from;
		ck_assert_uint_ge(edits[i].offset, from);
		ck_assert(slice_starts_with(spliced, slice_part(body, from, edits[i].offset)));
		spliced = slice_part(spliced, size, spliced.size);
		ck_assert(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset + edits[i].removed;
		removals += edits[i].removed > 0 ? 1 : 0;
	}
	ck_assert(slice_equal(spliced, slice_part(body, from, body.size)));
	ck_assert_int_eq(removals > 0, cuts);
}

static struct slice splice(struct slice body, const struct edit *edits, size_t count,
			   struct arena *arena)
{
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(body, edits, count, pieces);
	struct slice spliced = arena_join(arena, pieces, REQUEST_PIECES(count));
	ck_assert_uint_eq(spliced.size, request_spliced_size(body, edits, count));
	return spliced;
}

START_TEST(any_injection_into_any_request_does_what_was_meant_and_no_more)
{
	struct random random = {3};
	size_t edited = 0;
	size_t cut = 0;
	for (int i = 0; i < 5000; i++) {
		struct arena arena = {0};
		struct buffer body;
		struct request request;
		struct edit *edits;
		struct replay_text replay_texts[MAX_MESSAGES];
		bool made;
		buffer_init(&body, 64 * 1024);
		random_request(&random, &body);
		struct slice slice = buffer_slice(&body);
		ck_assert_int_eq(dialect_chat.scan(&request, slice, &arena), REQUEST_OK);
		struct injection injection = random_injection(&random, &request, replay_texts);
		size_t count = request_inject(&request, &injection, &edits, &made, &arena);
		struct slice spliced = splice(slice, edits, count, &arena);
		bool cuts = request_can_cut(&request, injection.cut_first, injection.cut_end);
		assert_only_edited(slice, spliced, edits, count, cuts);

		json_t *expected = load(slice);
		json_t *actual = load(spliced);
		inject_into_tree(json_object_get(expected, "messages"), &request, &injection);
		ck_assert_msg(json_equal(actual, expected), "%.*s", SLICE_PRINT(spliced));
		edited += count;
		cut += cuts ? 1 : 0;
		json_decref(actual);
		json_decref(expected);
		buffer_finish(&body);
		arena_finish(&arena);
	}
	ck_assert_uint_gt(edited, 7000);
	ck_assert_uint_gt(cut, 300);
}
END_TEST

START_TEST(a_mutant_is_refused_or_still_takes_an_injection)
{
	struct random random = {4};
	for (int i = 0; i < 8000; i++) {
		struct arena arena = {0};
		struct buffer body;
		struct request request;
		struct edit *edits;
		struct replay_text replay_texts[MAX_MESSAGES];
		struct json_value value;
		bool made;
		buffer_init(&body, 64 * 1024);
		random_request(&random, &body);
		for (size_t left = 1 + random_below(&random, 3); left > 0; left--)
			random_mutation(&random, &body);
		struct slice slice = buffer_slice(&body);
		if (dialect_chat.scan(&request, slice, &arena) == REQUEST_OK &&
		    request.step_count <= MAX_MESSAGES) {
			struct injection injection =
				random_injection(&random, &request, replay_texts);
			size_t count = request_inject(&request, &injection, &edits, &made, &arena);
			ck_assert(json_scan(splice(slice, edits, count, &arena), &value));
		}
		buffer_finish(&body);
		arena_finish(&arena);
	}
}
END_TEST

UNIT_MAIN("request_inject_random", any_injection_into_any_request_does_what_was_meant_and_no_more,
	  a_mutant_is_refused_or_still_takes_an_injection)
