#include "core/request.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <string.h>

static const struct slice block = SLICE("Known: \"Alex\"\nlikes \\ tea");
#define BLOCK "Known: \\\"Alex\\\"\\nlikes \\\\ tea"
#define TURNS "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"r\"},"
static const struct slice turns = SLICE(TURNS);

static struct chat_request scan(const char *body, struct arena *arena)
{
	struct chat_request request;
	ck_assert_msg(request_scan(&request, slice_of(body), arena) == REQUEST_OK, "%s", body);
	return request;
}

/* The messages array after the injection, brackets included. */
static struct slice inject(const char *messages, const struct injection *injection, bool *made,
			   struct arena *arena)
{
	struct edit *edits;
	struct slice body = arena_printf(arena, "{\"messages\":%s}", messages);
	struct chat_request request = scan(body.data, arena);
	size_t count = request_inject(&request, injection, &edits, made, arena);
	size_t size = request_spliced_size(body, edits, count);
	char *spliced = arena_alloc(arena, size);
	request_splice(body, edits, count, spliced);
	return (struct slice){spliced + strlen("{\"messages\":"), size - strlen("{\"messages\":}")};
}

START_TEST(the_block_goes_where_it_was_asked_for)
{
	static const struct {
		enum placement placement;
		bool made_message;
		const char *before;
		const char *after;
	} cases[] = {
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
		{PLACE_SYSTEM, false, "[{\"content\":\"s\\\\\",\"role\":\"developer\"}]",
		 "[{\"content\":\"s\\\\\\n\\n" BLOCK "\",\"role\":\"developer\"}]"},
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":\"\"}]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK "\"}]"},
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":[]}]",
		 "[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"" BLOCK
		 "\"}]}]"},
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"system\",\"content\":[ {\"cache_control\":{}}]}]",
		 "[{\"role\":\"system\",\"content\":[ {\"cache_control\":{}},{\"type\":\"text\","
		 "\"text\":\"" BLOCK "\"}]}]"},
		{PLACE_SYSTEM, true, "[ {\"role\":\"user\",\"content\":\"u\"}]",
		 "[ {\"role\":\"system\",\"content\":\"" BLOCK "\"},"
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_DEVELOPER, true, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"developer\",\"content\":\"" BLOCK "\"},"
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_DEVELOPER, false, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
		{PLACE_USER, false,
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},"
		 "{\"role\":\"user\",\"content\":\"v\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"" BLOCK
		 "\\n\\nu\"},{\"role\":\"user\",\"content\":\"v\"}]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":\"\"}]",
		 "[{\"role\":\"user\",\"content\":\"" BLOCK "\"}]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":[ ]}]",
		 "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" BLOCK "\"} ]}]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
		 "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" BLOCK "\"},"
		 "{\"type\":\"image_url\"}]}]"},
		/* A leading system message that has no place for it. */
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"system\",\"content\":null},{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":null},{\"role\":\"user\",\"content\":\"" BLOCK
		 "\\n\\nu\"}]"},
		/* Never a second system message. */
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\nu\"},{\"role\":\"system\","
		 "\"content\":\"s\"}]"},
		/* No place at all. */
		{PLACE_SYSTEM, false, "[]", "[]"},
		{PLACE_USER, false, "[]", "[]"},
		{PLACE_USER, false, "[{\"role\":\"assistant\",\"content\":\"a\"}]",
		 "[{\"role\":\"assistant\",\"content\":\"a\"}]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":7}]",
		 "[{\"role\":\"user\",\"content\":7}]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct injection injection = {.placement = cases[i].placement, .block = block};
		bool made = !cases[i].made_message;
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		ck_assert_int_eq(made, cases[i].made_message);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(turns_go_before_the_clients_first_turn)
{
	static const struct {
		enum placement placement;
		const char *before;
		const char *after;
	} cases[] = {
		{PLACE_SYSTEM, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK "\"}," TURNS
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_SYSTEM,
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}," TURNS
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_USER, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[" TURNS "{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\nu\"}]"},
		/* What follows would not alternate, or answers a tool. */
		{PLACE_SYSTEM,
		 "[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"u\"}"
		 "]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK
		 "\"},{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"
		 "\"u\"}]"},
		{PLACE_SYSTEM, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		bool made;
		struct injection injection = {cases[i].placement, block, turns};
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(turns_are_written_as_they_are_injected)
{
	struct buffer out;
	buffer_init(&out, 1024);
	request_append_turn(&out, ROLE_USER, SLICE("q"));
	request_append_turn(&out, ROLE_ASSISTANT, SLICE("r"));
	ck_assert(slice_equal(buffer_slice(&out), turns));
	buffer_finish(&out);
}
END_TEST

static void random_content(struct random *random, struct buffer *out)
{
	if (random_below(random, 2) == 0) {
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

/* A request with any roles in any order; the first is often a system message. */
static void random_request(struct random *random, struct buffer *out)
{
	static const char *const roles[] = {"system", "user", "assistant", "tool", "developer"};
	(void)buffer_append(out, SLICE("{\"x\":"));
	random_json(random, out, 2);
	(void)buffer_append(out, SLICE(",\"messages\":["));
	random_space(random, out);
	for (size_t left = random_below(random, 5); left > 0; left--) {
		size_t role = random_below(random, sizeof(roles) / sizeof(roles[0]));
		(void)buffer_printf(out, "{\"role\":\"%s\",\"extra\":", roles[role]);
		random_json(random, out, 1);
		(void)buffer_append(out, SLICE(",\"content\":"));
		random_content(random, out);
		random_space(random, out);
		(void)buffer_append(out, left > 1 ? SLICE("},") : SLICE("}"));
		random_space(random, out);
	}
	(void)buffer_append(out, SLICE("]}"));
}

static const char *role_of(json_t *message)
{
	return json_string_value(json_object_get(message, "role"));
}

static bool is_system_message(json_t *message)
{
	return strcmp(role_of(message), "system") == 0 ||
	       strcmp(role_of(message), "developer") == 0;
}

static void put_text(json_t *message, bool at_end)
{
	json_t *content = json_object_get(message, "content");
	if (json_is_array(content)) {
		json_t *part =
			json_pack("{s:s,s:s%}", "type", "text", "text", block.data, block.size);
		json_array_insert_new(content, at_end ? json_array_size(content) : 0, part);
		return;
	}
	struct buffer text;
	struct slice old = {json_string_value(content), json_string_length(content)};
	struct slice gap = old.size == 0 ? SLICE("") : SLICE("\n\n");
	buffer_init(&text, 64 * 1024);
	(void)buffer_append(&text, at_end ? old : block);
	(void)buffer_append(&text, gap);
	(void)buffer_append(&text, at_end ? block : old);
	json_object_set_new(message, "content", json_stringn(text.data, text.size));
	buffer_finish(&text);
}

/* The same injection, done on jansson's tree. */
static void inject_into_tree(json_t *messages, enum placement placement)
{
	size_t first_user = 0;
	size_t first_turn = 0;
	size_t first_system = 0;
	size_t count = json_array_size(messages);
	while (first_user < count &&
	       strcmp(role_of(json_array_get(messages, first_user)), "user") != 0)
		first_user++;
	while (first_turn < count && is_system_message(json_array_get(messages, first_turn)))
		first_turn++;
	while (first_system < count && !is_system_message(json_array_get(messages, first_system)))
		first_system++;
	bool makes_message = placement != PLACE_USER && count > 0 && first_system == count;
	if (placement != PLACE_USER && first_system == 0 && count > 0)
		put_text(json_array_get(messages, 0), true);
	else if (!makes_message && first_user < count)
		put_text(json_array_get(messages, first_user), false);
	if (first_turn < count && first_turn == first_user) {
		json_array_insert_new(messages, first_turn,
				      json_pack("{s:s,s:s}", "role", "user", "content", "q"));
		json_array_insert_new(messages, first_turn + 1,
				      json_pack("{s:s,s:s}", "role", "assistant", "content", "r"));
	}
	if (makes_message) {
		const char *role = placement == PLACE_DEVELOPER ? "developer" : "system";
		json_array_insert_new(
			messages, 0,
			json_pack("{s:s,s:s%}", "role", role, "content", block.data, block.size));
	}
}

static json_t *load(struct slice document)
{
	json_t *tree = json_loadb(document.data, document.size, JSON_ALLOW_NUL, NULL);
	ck_assert_msg(tree != NULL, "%.*s", SLICE_PRINT(document));
	return tree;
}

/* Takes the inserted ranges out again. */
static void assert_only_inserted(struct slice body, struct slice spliced, const struct edit *edits,
				 size_t count)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		size_t size = edits[i].offset - from;
		ck_assert_uint_ge(edits[i].offset, from);
		ck_assert(slice_starts_with(spliced, slice_part(body, from, edits[i].offset)));
		spliced = slice_part(spliced, size, spliced.size);
		ck_assert(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset;
	}
	ck_assert(slice_equal(spliced, slice_part(body, from, body.size)));
}

START_TEST(only_what_was_meant_is_inserted_into_any_request)
{
	struct random random = {3};
	size_t injected = 0;
	for (int i = 0; i < 6000; i++) {
		struct arena arena = {0};
		struct buffer body;
		struct chat_request request;
		struct edit *edits;
		enum placement placement = (enum placement)random_below(&random, 3);
		struct injection injection = {placement, block, turns};
		bool made;
		buffer_init(&body, 64 * 1024);
		random_request(&random, &body);
		struct slice slice = buffer_slice(&body);
		ck_assert_int_eq(request_scan(&request, slice, &arena), REQUEST_OK);
		size_t count = request_inject(&request, &injection, &edits, &made, &arena);
		struct slice spliced = {NULL, request_spliced_size(slice, edits, count)};
		char *out = arena_alloc(&arena, spliced.size);
		request_splice(slice, edits, count, out);
		spliced.data = out;
		assert_only_inserted(slice, spliced, edits, count);

		json_t *expected = load(slice);
		json_t *actual = load(spliced);
		inject_into_tree(json_object_get(expected, "messages"), placement);
		ck_assert_msg(json_equal(actual, expected), "%.*s", SLICE_PRINT(spliced));
		injected += count;
		json_decref(actual);
		json_decref(expected);
		buffer_finish(&body);
		arena_finish(&arena);
	}
	ck_assert_uint_gt(injected, 4000);
}
END_TEST

START_TEST(a_mutant_is_refused_or_still_takes_an_injection)
{
	struct random random = {4};
	for (int i = 0; i < 20000; i++) {
		struct arena arena = {0};
		struct buffer body;
		struct chat_request request;
		struct edit *edits;
		struct injection injection = {PLACE_SYSTEM, block, turns};
		struct json_value value;
		bool made;
		buffer_init(&body, 64 * 1024);
		random_request(&random, &body);
		for (size_t left = 1 + random_below(&random, 3); left > 0; left--)
			random_mutation(&random, &body);
		struct slice slice = buffer_slice(&body);
		if (request_scan(&request, slice, &arena) == REQUEST_OK) {
			size_t count = request_inject(&request, &injection, &edits, &made, &arena);
			size_t size = request_spliced_size(slice, edits, count);
			char *out = arena_alloc(&arena, size);
			request_splice(slice, edits, count, out);
			ck_assert(json_scan((struct slice){out, size}, &value));
		}
		buffer_finish(&body);
		arena_finish(&arena);
	}
}
END_TEST

UNIT_MAIN("request_inject", the_block_goes_where_it_was_asked_for,
	  turns_go_before_the_clients_first_turn, turns_are_written_as_they_are_injected,
	  only_what_was_meant_is_inserted_into_any_request,
	  a_mutant_is_refused_or_still_takes_an_injection)
