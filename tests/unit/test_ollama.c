#include "core/dialect/dialect.h"
#include "tests/unit/recorded.h"

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ANSWER(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define SYSTEM(text) "{\"role\":\"system\",\"content\":\"" text "\"}"
#define CALL(function)                                                                             \
	"{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":" function "}]}"
#define RESULT(text) "{\"role\":\"tool\",\"tool_name\":\"f\",\"content\":\"" text "\"}"
#define CHAT(messages) "{\"model\":\"m\",\"messages\":[" messages "],\"options\":{\"seed\":1.0}}"

static enum request_verdict scan(struct request *request, const char *body, struct arena *arena)
{
	return dialect_ollama.scan(request, slice_of(body), arena);
}

static struct request scanned(const char *body, struct arena *arena)
{
	struct request request;
	ck_assert_msg(scan(&request, body, arena) == REQUEST_OK, "%s", body);
	return request;
}

/* The steps as a letter for each kind, with its text and a mark for each image. */
static struct slice tell_steps(const struct request *request, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, 64 * 1024);
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		buffer_append_byte(&out, "SUACTO"[step->kind]);
		buffer_append_byte(&out, '(');
		buffer_append(&out, step_text(request, step, arena));
		for (size_t part = 0; part < step->other_parts; part++)
			buffer_append_byte(&out, '*');
		buffer_append_byte(&out, ')');
	}
	return arena_take(arena, &out);
}

static const struct steps_case {
	const char *body;
	const char *steps;
} step_cases[] = {
	{CHAT(USER("a") "," ANSWER("b") "," USER("c")), "U(a)A(b)U(c)"},
	{CHAT(SYSTEM("s") "," USER("Hell\\u00f6")), "S(s)U(Hell\xc3\xb6)"},
	{CHAT("{\"r\\u006fle\":\"us\\u0065r\",\"content\":\"a\",\"images\":[\"aGk=\",\"aGk=\"]}"),
	 "U(a**)"},
	{CHAT("{\"role\":\"assistant\",\"thinking\":\"hm\",\"content\":\"b\"}"), "A(b)"},
	{CHAT(USER("a") "," CALL("{\"name\":\"f\",\"arguments\":{}}") "," RESULT("r") "," ANSWER(
		 "b")),
	 "U(a)C()T(r)A(b)"},
	{CHAT("{\"role\":\"assistant\",\"content\":\"b\",\"tool_calls\":[]}"), "A(b)"},
	{CHAT("{\"role\":\"assistant\",\"content\":\"b\",\"tool_calls\":null}"), "A(b)"},
	{CHAT("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}"), "U()"},
	{CHAT("{\"role\":\"control\",\"content\":\"thinking\"},{\"content\":\"x\"}"),
	 "O(thinking)O(x)"},
	{CHAT(""), ""},
};

START_TEST(messages_are_steps)
{
	for (size_t i = 0; i < sizeof(step_cases) / sizeof(step_cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scanned(step_cases[i].body, &arena);
		struct slice told = tell_steps(&request, &arena);
		ck_assert_msg(slice_equal(told, slice_of(step_cases[i].steps)), "%.*s of %s",
			      SLICE_PRINT(told), step_cases[i].body);
		arena_finish(&arena);
	}
}
END_TEST

static uint64_t mark_of(const char *calls)
{
	struct arena arena = {0};
	struct request request = scanned(
		arena_printf(&arena, CHAT("{\"role\":\"assistant\",\"tool_calls\":[%s]}"), calls)
			.data,
		&arena);
	ck_assert_int_eq(request.steps[0].kind, STEP_CALLS);
	uint64_t mark = request.steps[0].ids_hash;
	arena_finish(&arena);
	return mark;
}

/* Clients drop the ids and print the arguments again. */
START_TEST(calls_are_known_again_by_their_names_and_arguments)
{
	uint64_t mark =
		mark_of("{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"K\xc3\xb6ln"
			"\",\"days\":[1,2]}}}");
	ck_assert_uint_eq(mark, mark_of("{\"id\":\"call_1\",\"type\":\"function\",\"function\":{ "
					"\"arguments\":\n{ \"city\" : \"K\\u00f6ln\", \"days\" : "
					"[1,\t2] },\"index\":0, \"name\" : \"f\"}}"));
	static const char *const others[] = {
		"{\"function\":{\"name\":\"g\",\"arguments\":{\"city\":\"K\\u00f6ln\",\"days\":[1,"
		"2]"
		"}}}",
		"{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"Bonn\",\"days\":[1,2]}}}",
		"{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"K\\u00f6ln\",\"days\":[12]"
		"}}}",
		"{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"K \\u00f6ln\",\"days\":[1,"
		"2]}}}",
		"{\"function\":{\"name\":\"f\"}}",
		"{}",
		"7",
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(mark_of(others[i]) != mark, "%s", others[i]);
	const char *twice = "{\"function\":{\"name\":\"f\"}},{\"function\":{\"name\":\"f\"}}";
	ck_assert_uint_ne(mark_of(twice), mark_of(others[4]));
}
END_TEST

START_TEST(fields_are_found)
{
	static const struct {
		const char *fields;
		bool stream, has_format;
	} cases[] = {
		{"", true, false},
		{",\"stream\":null,\"format\":null", true, false},
		{",\"stream\":true,\"format\":\"\"", true, false},
		{",\"stream\":false,\"format\":\"json\"", false, true},
		{",\"str\\u0065am\":false,\"format\":{\"type\":\"object\"}", false, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct slice body = arena_printf(&arena,
						 "{\"model\":\"llama\\u0033\",\"messages\""
						 ":[" USER("a") "]%s}",
						 cases[i].fields);
		struct request request = scanned(body.data, &arena);
		unit_assert_slice(request.model, "llama3");
		ck_assert(request.stream == cases[i].stream);
		ck_assert(request.has_format == cases[i].has_format);
		ck_assert(request.takes_turns && !request.is_kept && request.beside == SIZE_MAX);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(what_is_no_request_is_told)
{
	static const char *const foreign[] = {
		"{}",
		"[]",
		"{\"model\":\"m\"}",
		"{\"messages\":\"a\"}",
		"{\"messages\":[\"a\"]}",
		"{\"messages\":[],\"mess\\u0061ges\":[]}",
	};
	struct arena arena = {0};
	struct request request;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		ck_assert_msg(scan(&request, foreign[i], &arena) == REQUEST_FOREIGN, "%s",
			      foreign[i]);
	ck_assert_int_eq(scan(&request, "{\"messages\":[", &arena), REQUEST_NOT_JSON);
	arena_finish(&arena);
}
END_TEST

/* ---- what is put in ---- */

#define BLOCK "B\"1\""
#define WRITTEN "B\\\"1\\\""

static const struct inject_case {
	const char *body;
	const char *result;
	enum placement placement;
	bool is_made;
} block_cases[] = {
	{CHAT(SYSTEM("s") "," USER("u")), CHAT(SYSTEM("s\\n\\n" WRITTEN) "," USER("u")),
	 PLACE_SYSTEM, false},
	{CHAT(SYSTEM("") "," USER("u")), CHAT(SYSTEM(WRITTEN) "," USER("u")), PLACE_DEVELOPER,
	 false},
	{CHAT(USER("u")), CHAT(SYSTEM(WRITTEN) "," USER("u")), PLACE_SYSTEM, true},
	/* There are no developer messages. */
	{CHAT(" " USER("u")), CHAT(" " SYSTEM(WRITTEN) "," USER("u")), PLACE_DEVELOPER, true},
	/* Never a second system message, nor one that is not the first. */
	{CHAT(USER("u") "," SYSTEM("s")), CHAT(USER(WRITTEN "\\n\\nu") "," SYSTEM("s")),
	 PLACE_SYSTEM, false},
	{CHAT("{\"role\":\"system\",\"content\":[]}," USER("u")),
	 CHAT("{\"role\":\"system\",\"content\":[]}," USER(WRITTEN "\\n\\nu")), PLACE_SYSTEM,
	 false},
	{CHAT(SYSTEM("s") "," USER("u")), CHAT(SYSTEM("s") "," USER(WRITTEN "\\n\\nu")), PLACE_USER,
	 false},
};

static struct slice injected(const struct request *request, const struct injection *injection,
			     bool *is_made, struct arena *arena)
{
	struct edit *edits;
	size_t count = request_inject(request, injection, &edits, is_made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	return arena_join(arena, pieces, REQUEST_PIECES(count));
}

static size_t users_text(const struct request *request)
{
	size_t user = 0;
	while (request->steps[user].kind != STEP_USER)
		user++;
	return request->steps[user].first_text;
}

START_TEST(the_block_has_its_place)
{
	for (size_t i = 0; i < sizeof(block_cases) / sizeof(block_cases[0]); i++) {
		const struct inject_case *expected = &block_cases[i];
		struct arena arena = {0};
		struct request request = scanned(expected->body, &arena);
		const struct injection injection = {
			.placement = expected->placement,
			.block = SLICE(BLOCK),
			.block_with_text = users_text(&request),
		};
		bool is_made;
		struct slice result = injected(&request, &injection, &is_made, &arena);
		unit_assert_slice(result, expected->result);
		ck_assert_msg(is_made == expected->is_made, "%s", expected->body);
		scanned(arena_string(&arena, result), &arena);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(turns_and_replays_go_in_as_strings)
{
	struct arena arena = {0};
	struct buffer turns;
	buffer_init(&turns, 4096);
	dialect_append_turn(&turns, ROLE_USER, SLICE("q"));
	dialect_append_turn(&turns, ROLE_ASSISTANT, SLICE("a"));
	struct request request = scanned(CHAT(SYSTEM("s") "," USER("Hi")), &arena);
	const struct replay_text replay = {users_text(&request), SLICE("R")};
	const struct injection injection = {
		.turns = arena_take(&arena, &turns),
		.replay_texts = &replay,
		.replay_count = 1,
	};
	bool is_made;
	unit_assert_slice(injected(&request, &injection, &is_made, &arena),
			  CHAT(SYSTEM("s") "," USER("q") "," ANSWER("a") "," USER("R\\n\\nHi")));
	arena_finish(&arena);
}
END_TEST

START_TEST(it_takes_the_post_to_its_path_alone)
{
	ck_assert_ptr_eq(dialect_of(SLICE("POST"), SLICE("/api/chat")), &dialect_ollama);
	ck_assert_ptr_null(dialect_of(SLICE("GET"), SLICE("/api/chat")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/api/chat/")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/v1/api/chat")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/api/generate")));
}
END_TEST

#define TOLD "Hi! My name is Alex and I use ChromaDB.;"
#define LOOK "Use the tool weather with {\"city\": \"Oslo\"}, please.;"
#define VECTORS "Which vector store do I use?;"

START_TEST(recorded_requests_are_read_and_stay_the_clients)
{
	static const struct recorded cases[] = {
		{"ollama/ollama_python/tool_asked", "SUAU", TOLD LOOK},
		{"ollama/ollama_python/tool_result", "SUAUCT", TOLD LOOK},
		{"ollama/ollama_python/continued", "SUAUCTAU", TOLD LOOK VECTORS},
		{"ollama/ollama_node/tool_asked", "SUAU", TOLD LOOK},
		{"ollama/ollama_node/tool_result", "SUAUCT", TOLD LOOK},
		{"ollama/ollama_node/continued", "SUAUCTAU", TOLD LOOK VECTORS},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		recorded_check(&dialect_ollama, &cases[i]);
}
END_TEST

UNIT_MAIN("ollama", recorded_requests_are_read_and_stay_the_clients, messages_are_steps,
	  calls_are_known_again_by_their_names_and_arguments, fields_are_found,
	  what_is_no_request_is_told, the_block_has_its_place, turns_and_replays_go_in_as_strings,
	  it_takes_the_post_to_its_path_alone)
