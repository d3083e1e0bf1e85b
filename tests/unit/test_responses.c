#include "core/dialect/dialect.h"
#include "tests/unit/recorded.h"

#include <stdio.h>

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ANSWER(text)                                                                               \
	"{\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[{\"type\":"        \
	"\"output_text\",\"text\":\"" text "\",\"annotations\":[]}]}"
#define PHASED(phase, text)                                                                        \
	"{\"type\":\"message\",\"role\":\"assistant\",\"phase\":\"" phase                          \
	"\",\"content\":[{\"type\":\"output_text\",\"text\":\"" text "\"}]}"
#define CALL(id)                                                                                   \
	"{\"type\":\"function_call\",\"id\":\"fc\",\"call_id\":\"" id "\",\"arguments\":\"{}\"}"
#define OUTPUT(id) "{\"type\":\"function_call_output\",\"call_id\":\"" id "\",\"output\":\"no\"}"
#define THOUGHT "{\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[],\"encrypted_content\":\"gA\"}"
#define NAME(id) "{\"type\":\"item_reference\",\"id\":\"" id "\"}"
#define INPUT(items) "{\"model\":\"m\",\"input\":[" items "]}"

static enum request_verdict scan(struct request *request, const char *body, struct arena *arena)
{
	return dialect_responses.scan(request, slice_of(body), arena);
}

static struct request scanned(const char *body, struct arena *arena)
{
	struct request request;
	ck_assert_msg(scan(&request, body, arena) == REQUEST_OK, "%s", body);
	return request;
}

/* The steps as a letter for each kind, with its text, its mark and where its elements end. */
static struct slice tell_steps(const struct request *request, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, 64 * 1024);
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		buffer_append_byte(&out, "SUACTO"[step->kind]);
		buffer_append_byte(&out, '(');
		buffer_append(&out, step_text(request, step, arena));
		buffer_append(&out, SLICE(")"));
	}
	struct slice told = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return told;
}

struct steps_case {
	const char *body;
	const char *steps;
};

/* clang-format off */
static const struct steps_case step_cases[] = {
	{"{\"input\":\"Hi\\n\"}", "U(Hi\n)"},
	{"{\"input\":\"\"}", "U()"},
	{"{\"input\":[],\"instructions\":\"Be brief.\"}", "S(Be brief.)"},
	{"{\"inp\\u0075t\":\"Hi\",\"instructions\":\"\"}", "U(Hi)"},
	{"{\"input\":null,\"previous_response_id\":\"resp_1\"}", ""},
	{"{\"prompt\":{\"id\":\"p\"}}", ""},
	/* With a type and without, escapes in both, parts of every kind. */
	{INPUT("{\"type\":\"mess\\u0061ge\",\"role\":\"us\\u0065r\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"},"
	       "{\"type\":\"input_image\",\"image_url\":\"data:\"},{\"type\":\"input_text\",\"text\":\"b\"}]}"), "U(a\nb)"},
	{INPUT("{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"system\",\"content\":[]}," USER("u")), "S(d)S()U(u)"},
	{INPUT("{\"type\":\"additional_tools\",\"role\":\"developer\",\"tools\":[]},{\"type\":\"configuration_update\"}"), "S()S()"},
	/* The model's items between two of the client's are one step. */
	{INPUT(USER("q") "," THOUGHT "," ANSWER("a") "," USER("r")), "U(q)A(a)U(r)"},
	{INPUT(USER("q") "," ANSWER("a") "," ANSWER("b")), "U(q)A(a\nb)"},
	{INPUT("{\"role\":\"assistant\",\"content\":\"plain\"}"), "A(plain)"},
	{INPUT("{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"},"
	       "{\"type\":\"output_text\",\"text\":\"b\"},{\"type\":\"refusal\",\"refusal\":\"no\"}]}"), "A(ab)"},
	{INPUT("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"No.\"}]}"), "A(No.)"},
	{INPUT("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"No.\"}]}," ANSWER("a")), "A(a)"},
	{INPUT(USER("q") "," PHASED("commentary", "hm") "," THOUGHT "," PHASED("final_answer", "a")), "U(q)A(a)"},
	{INPUT(PHASED("commentary", "hm") "," PHASED("commentary", "well")), "A(hm\nwell)"},
	{INPUT(PHASED("final_answer", "a") "," PHASED("commentary", "hm") "," PHASED("final_answer", "b")), "A(a\nb)"},
	/* Tool loops. */
	{INPUT(USER("q") "," THOUGHT "," ANSWER("I look") "," CALL("a") "," CALL("b") "," OUTPUT("a") "," OUTPUT("b")
	       "," THOUGHT "," ANSWER("a")), "U(q)C(I look)T(no)T(no)A(a)"},
	{INPUT("{\"type\":\"mcp_approval_request\",\"id\":\"p\"},{\"type\":\"mcp_approval_response\"}"), "C()T()"},
	/* The server's own calls say nothing; what nobody knows is left alone. */
	{INPUT(USER("q") ",{\"type\":\"web_search_call\"},{\"type\":\"mcp_list_tools\"}," ANSWER("a")), "U(q)A(a)"},
	{INPUT(USER("q") "," THOUGHT), "U(q)O()"},
	/* An id stands for what the model made. */
	{INPUT(USER("q") "," NAME("rs") "," NAME("m") "," USER("r")), "U(q)A()U(r)"},
	{INPUT(USER("q") "," NAME("rs") "," CALL("a") "," OUTPUT("a") "," NAME("m")), "U(q)C()T(no)A()"},
	{INPUT(USER("q") "," NAME("rs") "," NAME("fc") "," OUTPUT("a") "," NAME("m")), "U(q)C()T(no)A()"},
	{INPUT(USER("q") "," NAME("rs") "," ANSWER("a") "," NAME("m") "," USER("r")), "U(q)A(a)U(r)"},
	{INPUT("{\"type\":\"item_reference\"},{\"id\":\"y\"},{\"type\":\"new\"},"
	       "{\"role\":\"critic\",\"content\":\"c\"},{\"type\":7,\"role\":\"user\"}"), "O()O()O()O(c)O()"},
};
/* clang-format on */

START_TEST(items_become_steps)
{
	for (size_t i = 0; i < sizeof(step_cases) / sizeof(step_cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scanned(step_cases[i].body, &arena);
		struct slice told = tell_steps(&request, &arena);
		ck_assert_msg(slice_equal(told, slice_of(step_cases[i].steps)),
			      "%.*s, not %s, of %s", SLICE_PRINT(told), step_cases[i].steps,
			      step_cases[i].body);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(calls_are_known_again_by_their_ids)
{
	struct arena arena = {0};
	struct request request =
		scanned(INPUT(CALL("a") "," THOUGHT "," CALL("b") "," OUTPUT(
				"a") ","
				     "{\"type\":\"mcp_approval_request\",\"id\":\"b\"}"),
			&arena);
	uint64_t b = step_hash_call(0, SLICE("b"));
	ck_assert_uint_eq(request.steps[0].ids_hash,
			  step_hash_call(step_hash_call(0, SLICE("a")), SLICE("b")));
	ck_assert_uint_eq(request.steps[2].ids_hash, b);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_the_model_made_is_known_again_by_the_last_id_alone)
{
	static const struct {
		const char *items;
		const char *id; /* NULL: its words, or its calls' ids, are there */
	} cases[] = {
		{NAME("rs") "," NAME("m"), "m"},
		{NAME("rs") "," NAME("fc") "," OUTPUT("a"), "fc"},
		{NAME("rs") "," ANSWER("a"), NULL},
		{ANSWER("a") "," NAME("m"), NULL},
		{THOUGHT "," NAME("m"), "m"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scanned(
			arena_printf(&arena, "{\"input\":[%s]}", cases[i].items).data, &arena);
		const struct step *step = &request.steps[0];
		const char *id = cases[i].id;
		ck_assert_uint_eq(step->ids_hash, id == NULL ? 0 : step_hash_call(0, slice_of(id)));
		ck_assert_int_eq(step_is_named(step), id != NULL && step->kind == STEP_ANSWER);
		arena_finish(&arena);
	}
	struct arena arena = {0};
	struct request request = scanned(INPUT(NAME("rs") "," CALL("a") "," NAME("fc")), &arena);
	ck_assert_uint_eq(request.steps[0].ids_hash, step_hash_call(0, SLICE("a")));
	ck_assert_uint_eq(request.beside, SIZE_MAX);
	arena_finish(&arena);
}
END_TEST

START_TEST(fields_are_found)
{
	struct arena arena = {0};
	struct request request =
		scanned("{\"model\":\"gpt\\u002d5\",\"stream\":true,\"input\":\"x\",\"user\":\"u\","
			"\"safety_identifier\":\"s\",\"metadata\":{\"user_id\":\"m\"},"
			"\"text\":{\"format\":{\"type\":\"json_schema\"}},\"background\":true,"
			"\"previous_response_id\":\"resp_1\",\"conversation\":{\"id\":\"conv_1\"},"
			"\"store\":false}",
			&arena);
	unit_assert_slice(request.model, "gpt-5");
	unit_assert_slice(request.user_fields[0].value, "u");
	unit_assert_slice(request.user_fields[1].value, "s");
	unit_assert_slice(request.user_fields[2].value, "m");
	unit_assert_slice(request.previous, "resp_1");
	unit_assert_slice(request.conversation, "conv_1");
	ck_assert(request.stream && request.has_format && request.is_background);
	ck_assert(request.is_kept && !request.takes_turns && !request.is_side);
	request = scanned(
		"{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"text\"}},\"store\":false,"
		"\"conversation\":\"conv_2\",\"generate\":false}",
		&arena);
	unit_assert_slice(request.conversation, "conv_2");
	ck_assert(!request.stream && !request.has_format && request.is_side);
	request = scanned("{\"input\":\"x\",\"store\":false}", &arena);
	ck_assert(!request.is_kept && request.takes_turns && !request.is_replay_only);
	request = scanned(INPUT(USER("x") ",{\"type\":\"compaction_trigger\"}"), &arena);
	ck_assert(request.is_kept && request.is_replay_only);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_is_no_request_is_told)
{
	static const char *const foreign[] = {
		"{}",
		"[]",
		"{\"input\":1}",
		"{\"input\":{}}",
		"{\"input\":\"a\",\"input\":\"b\"}",
		"{\"input\":[\"a\"]}",
		"{\"input\":null}",
		"{\"model\":\"m\"}",
	};
	struct arena arena = {0};
	struct request request;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		ck_assert_msg(scan(&request, foreign[i], &arena) == REQUEST_FOREIGN, "%s",
			      foreign[i]);
	ck_assert_int_eq(scan(&request, "{\"input\":\"a\"", &arena), REQUEST_NOT_JSON);
	arena_finish(&arena);
}
END_TEST

START_TEST(the_clients_own_marks_say_whose_words_they_are)
{
	struct arena arena = {0};
	struct request request = scanned(
		INPUT("{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_"
		      "text\","
		      "\"text\":\"a\"},{\"type\":\"input_text\",\"text\":\"b\"}],"
		      "\"internal_chat_message_metadata_passthrough\":{\"content_item_kinds\":"
		      "[\"environment.context\",\"user.text\"]}}"),
		&arena);
	ck_assert_uint_eq(request.text_count, 2);
	ck_assert(request.texts[0].is_programs && !request.texts[0].follows_text);
	ck_assert(!request.texts[1].is_programs && request.texts[1].follows_text);
	arena_finish(&arena);
}
END_TEST

/* ---- what is put in ---- */

struct inject_case {
	const char *body;
	const char *result;
	enum placement placement;
	bool is_made;
};

#define BLOCK "B\"1\""
#define WRITTEN "B\\\"1\\\""

/* clang-format off */
static const struct inject_case block_cases[] = {
	{"{\"instructions\":\"Be brief.\",\"input\":\"Hi\"}",
	 "{\"instructions\":\"Be brief.\\n\\n" WRITTEN "\",\"input\":\"Hi\"}", PLACE_SYSTEM, false},
	{"{\"input\":\"Hi\",\"instructions\":\"\"}",
	 "{\"input\":\"Hi\",\"instructions\":\"" WRITTEN "\"}", PLACE_SYSTEM, false},
	{"{\"input\":\"Hi\", \"instructions\" : null }",
	 "{\"input\":\"Hi\", \"instructions\" : \"" WRITTEN "\" }", PLACE_DEVELOPER, true},
	{" {\"input\":\"Hi\"}", " {\"instructions\":\"" WRITTEN "\",\"input\":\"Hi\"}", PLACE_SYSTEM, true},
	/* The last message of those that the request begins with. */
	{INPUT("{\"role\":\"developer\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":"
	       "[{\"type\":\"input_text\",\"text\":\"b\"}]},{\"type\":\"additional_tools\"}," USER("u")),
	 INPUT("{\"role\":\"developer\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":"
	       "[{\"type\":\"input_text\",\"text\":\"b\"},{\"type\":\"input_text\",\"text\":\"" WRITTEN "\"}]},"
	       "{\"type\":\"additional_tools\"}," USER("u")), PLACE_SYSTEM, false},
	{INPUT("{\"role\":\"system\",\"content\":\"a\"}," USER("u")),
	 INPUT("{\"role\":\"system\",\"content\":\"a\\n\\n" WRITTEN "\"}," USER("u")), PLACE_SYSTEM, false},
	{INPUT("{\"role\":\"system\",\"content\":[ ]}," USER("u")),
	 INPUT("{\"role\":\"system\",\"content\":[ {\"type\":\"input_text\",\"text\":\"" WRITTEN "\"}]}," USER("u")),
	 PLACE_SYSTEM, false},
	/* One that comes later is left alone. */
	{INPUT(USER("u") ",{\"role\":\"system\",\"content\":\"s\"}"),
	 "{\"instructions\":\"" WRITTEN "\",\"model\":\"m\",\"input\":[" USER("u") ",{\"role\":\"system\",\"content\":\"s\"}]}",
	 PLACE_SYSTEM, true},
	/* A template has instructions of its own. */
	{"{\"prompt\":{\"id\":\"p\"},\"input\":\"Hi\"}",
	 "{\"prompt\":{\"id\":\"p\"},\"input\":\"" WRITTEN "\\n\\nHi\"}", PLACE_SYSTEM, false},
	{"{\"prompt\":null,\"input\":\"Hi\"}",
	 "{\"instructions\":\"" WRITTEN "\",\"prompt\":null,\"input\":\"Hi\"}", PLACE_SYSTEM, true},
	{"{\"instructions\":[],\"input\":\"Hi\"}",
	 "{\"instructions\":[],\"input\":\"" WRITTEN "\\n\\nHi\"}", PLACE_SYSTEM, false},
	{"{\"instructions\":\"i\",\"input\":[" USER("u") "]}",
	 "{\"instructions\":\"i\",\"input\":[" USER(WRITTEN "\\n\\nu") "]}", PLACE_USER, false},
};
/* clang-format on */

static struct slice injected(const struct request *request, const struct injection *injection,
			     bool *is_made, struct arena *arena)
{
	struct edit *edits;
	size_t count = request_inject(request, injection, &edits, is_made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	return arena_join(arena, pieces, REQUEST_PIECES(count));
}

START_TEST(the_block_has_its_place)
{
	for (size_t i = 0; i < sizeof(block_cases) / sizeof(block_cases[0]); i++) {
		const struct inject_case *expected = &block_cases[i];
		struct arena arena = {0};
		struct request request = scanned(expected->body, &arena);
		size_t user = 0;
		while (request.steps[user].kind != STEP_USER)
			user++;
		const struct injection injection = {
			.placement = expected->placement,
			.block = SLICE(BLOCK),
			.block_with_text = request.steps[user].first_text,
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

START_TEST(turns_go_before_the_clients_own_items)
{
	static const struct {
		const char *body, *result;
	} cases[] = {
		{"{\"input\":\"Hi\"}",
		 "{\"input\":[" USER("q") ","
					  "{\"role\":\"assistant\",\"content\":\"a\"}"
					  ",{\"role\":\"user\",\"content\":\"R\\n\\nHi\"}]}"},
		{INPUT("{\"role\":\"system\",\"content\":\"s\"}," USER("Hi")),
		 INPUT("{\"role\":\"system\",\"content\":\"s\"}," USER(
			 "q") ",{\"role\":\"assistant\",\"content\":\"a\"}," USER("R\\n\\nHi"))},
		{"{\"previous_response_id\":\"r\",\"input\":\"Hi\"}",
		 "{\"previous_response_id\":\"r\",\"input\":\"R\\n\\nHi\"}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scanned(cases[i].body, &arena);
		struct buffer turns;
		buffer_init(&turns, 4096);
		dialect_append_turn(&turns, ROLE_USER, SLICE("q"));
		dialect_append_turn(&turns, ROLE_ASSISTANT, SLICE("a"));
		const struct replay_text replay = {request.steps[request.step_count - 1].first_text,
						   SLICE("R")};
		const struct injection injection = {
			.turns = buffer_slice(&turns),
			.replay_texts = &replay,
			.replay_count = 1,
		};
		bool is_made;
		unit_assert_slice(injected(&request, &injection, &is_made, &arena),
				  cases[i].result);
		buffer_finish(&turns);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(it_takes_the_post_to_its_path_alone)
{
	ck_assert_ptr_eq(dialect_of(SLICE("POST"), SLICE("/v1/responses")), &dialect_responses);
	ck_assert_ptr_eq(dialect_of(SLICE("POST"), SLICE("/responses")), &dialect_responses);
	ck_assert_ptr_null(dialect_of(SLICE("GET"), SLICE("/v1/responses")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/v1/responses/compact")));
}
END_TEST

#define TOLD "Hi! My name is Alex and I use ChromaDB."
#define LOOK "Use the tool weather with {\"city\": \"Oslo\"}, please."
#define VECTORS "Which vector store do I use?"

static const struct recorded recorded_cases[] = {
	{"responses/codex/first_turn", "SSUU", NULL, .stream = true},
	{"responses/codex/tool_asked", "SSUUAU", NULL, .stream = true},
	{"responses/codex/tool_result", "SSUUAUCT", NULL, .stream = true},
	{"responses/codex/continued", "SSUUAUCTAU", NULL, .stream = true},
	{"responses/openai_agents/tool_asked", "SUAU", TOLD ";" LOOK ";", .kept = true},
	{"responses/openai_agents/tool_result", "SUAUCT", TOLD ";" LOOK ";", .kept = true},
	{"responses/openai_agents/continued", "SUAUCTAU", TOLD ";" LOOK ";" VECTORS ";",
	 .kept = true},
	{"responses/openai_agents_chained/tool_asked", "SU", LOOK ";", .kept = true},
	{"responses/openai_agents_chained/tool_result", "ST", "", .kept = true},
	{"responses/openai_agents_chained/continued", "SU", VECTORS ";", .kept = true},
	{"responses/ai_sdk/tool_asked", "SUAU", TOLD ";" LOOK ";", .kept = true},
	{"responses/ai_sdk/tool_result", "SUAUCT", TOLD ";" LOOK ";", .kept = true},
	{"responses/ai_sdk/continued", "SUAUCTAU", TOLD ";" LOOK ";" VECTORS ";", .kept = true},
	{"responses/pydantic_ai/tool_asked", "SUAU", TOLD ";" LOOK ";", .kept = true},
	{"responses/pydantic_ai/tool_result", "SUAUCT", TOLD ";" LOOK ";", .kept = true},
	{"responses/pydantic_ai/continued", "SUAUCTAU", TOLD ";" LOOK ";" VECTORS ";",
	 .kept = true},
};

START_TEST(recorded_requests_are_read_and_stay_the_clients)
{
	for (size_t i = 0; i < sizeof(recorded_cases) / sizeof(recorded_cases[0]); i++)
		recorded_check(&dialect_responses, &recorded_cases[i]);
}
END_TEST

UNIT_MAIN("responses", recorded_requests_are_read_and_stay_the_clients, items_become_steps,
	  calls_are_known_again_by_their_ids,
	  what_the_model_made_is_known_again_by_the_last_id_alone, fields_are_found,
	  what_is_no_request_is_told, the_clients_own_marks_say_whose_words_they_are,
	  the_block_has_its_place, turns_go_before_the_clients_own_items,
	  it_takes_the_post_to_its_path_alone)
