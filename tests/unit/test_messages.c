/* Tests how the Messages dialect reads a request, and where it puts memory. */
#include "core/dialect/dialect.h"

#include "tests/unit/recorded.h"

#include <stdio.h>
#include <string.h>

static struct request scan(struct slice body, struct arena *arena)
{
	struct request request;
	ck_assert_msg(dialect_messages.scan(&request, body, arena) == REQUEST_OK, "%.*s",
		      (int)body.size, body.data);
	return request;
}

/* ---- steps ---- */

/* A step as a picture: a letter for its kind, "+" if it shares its element with the step before it,
 * its texts in brackets with "|" where they are parted, and "*" for each part that is no text. */
static void draw_step(struct buffer *out, const struct request *request, const struct step *step,
		      struct arena *arena)
{
	static const char letters[] = {
		[STEP_SYSTEM] = 'S', [STEP_USER] = 'U',  [STEP_ANSWER] = 'A',
		[STEP_CALLS] = 'C',  [STEP_TOOLS] = 'T', [STEP_OTHER] = 'O',
	};
	if (!step->begins_element)
		buffer_append_byte(out, '+');
	buffer_append_byte(out, letters[step->kind]);
	buffer_append_byte(out, '(');
	for (size_t i = 0; i < step->text_count; i++) {
		const struct request_text *text = &request->texts[step->first_text + i];
		if (i > 0 && !text->joins)
			buffer_append_byte(out, '|');
		buffer_append(out, json_string_text(request->body, text->string, arena));
	}
	buffer_append_byte(out, ')');
	for (size_t i = 0; i < step->other_parts; i++)
		buffer_append_byte(out, '*');
}

static struct slice draw(const struct request *request, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < request->step_count; i++) {
		/* The system text's place is in no element of the list. */
		struct step step = request->steps[i];
		step.begins_element |= i == 0;
		draw_step(&out, request, &step, arena);
	}
	return arena_take(arena, &out);
}

#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define SAY(role, content) "{\"role\":\"" role "\",\"content\":" content "}"
#define USER(text) SAY("user", "\"" text "\"")
#define ANSWER(text) SAY("assistant", "\"" text "\"")
#define CALL(id)                                                                                   \
	"{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":{\"text\":\"no\"}}"
#define RESULT(content) "{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":" content "}"
#define IMAGE "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"iVBO\"}}"
#define THINKING "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"Eq\"}"
#define BODY(messages) "{\"messages\":[" messages "]}"

/* clang-format off */
static const struct steps_case {
	const char *body, *picture;
} steps_cases[] = {
	{BODY(), ""},
	{BODY(USER("Hi")), "U(Hi)"},
	{BODY(SAY("user", "[" TEXT("Hi") "," TEXT("there") "]")), "U(Hi|there)"},
	{BODY(SAY("user", "[" IMAGE "," TEXT("What?") "]")), "U(What?)*"},
	{BODY(SAY("user", "[" IMAGE "]")), "U()*"},
	{BODY(SAY("user", "[]") "," SAY("user", "null") "," SAY("user", "7") ",{\"role\":\"user\"}"), "U()U()U()U()"},
	{BODY(SAY("user", "\"\"")), "U()"},
	{BODY(SAY("user", "[1,null," TEXT("Hi") ",[]]")), "U(Hi)"},
	{BODY(SAY("user", "[{\"type\":\"text\"},{\"type\":\"text\",\"text\":null}]")), "U()"},
	/* The system text comes first, wherever it stands. */
	{"{\"messages\":[" USER("Hi") "],\"system\":\"Be brief.\"}", "S(Be brief.)U(Hi)"},
	{"{\"system\":[" TEXT("Be brief.") "," TEXT("And kind.") "],\"messages\":[" USER("Hi") "]}",
	 "S(Be brief.|And kind.)U(Hi)"},
	{"{\"system\":null,\"messages\":[" USER("Hi") "]}", "U(Hi)"},
	{"{\"system\":[],\"messages\":[" USER("Hi") "]}", "U(Hi)"},
	{"{\"system\":\"a\",\"messages\":[" USER("Hi") "],\"system\":\"b\"}", "S(b)U(Hi)"},
	{"{\"syst\\u0065m\":\"a\",\"mess\\u0061ges\":[{\"rol\\u0065\":\"us\\u0065r\",\"c\\u006fntent\":"
	 "[{\"typ\\u0065\":\"t\\u0065xt\",\"te\\u0078t\":\"H\\u0069\"}]}]}", "S(a)U(Hi)"},
	/* Consecutive messages of the model are one answer, or one call for tools. */
	{BODY(USER("Hi") "," ANSWER("A") "," ANSWER("B") "," USER("Go on")), "U(Hi)A(AB)U(Go on)"},
	{BODY(SAY("assistant", "[" THINKING "," TEXT("A") "," TEXT("B") "]")), "A(AB)"},
	{BODY(SAY("assistant", "[" TEXT("I will look.") "," CALL("a") "," CALL("b") "]")), "C(I will look.)"},
	{BODY(ANSWER("I will look.") "," SAY("assistant", "[" CALL("a") "]")), "C(I will look.)"},
	{BODY(SAY("assistant", "[{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\"},"
	      "{\"type\":\"web_search_tool_result\",\"content\":[" TEXT("no") "]}," TEXT("Found.") "]")), "A(Found.)"},
	/* Tool results come first in a message; words behind them are a turn. */
	{BODY(SAY("user", "[" RESULT("\"sunny\"") "]")), "T(sunny)"},
	{BODY(SAY("user", "[" RESULT("[" TEXT("sun") "," IMAGE "," TEXT("ny") "]") "," RESULT("null") "]")), "T(sun|ny)*"},
	{BODY(SAY("user", "[" RESULT("\"sunny\"") "," IMAGE "," TEXT("Stop.") "," IMAGE "]")), "T(sunny)*+U(Stop.)*"},
	{BODY(SAY("user", "[" TEXT("Stop.") "," RESULT("\"sunny\"") "]")), "U(Stop.)+T(sunny)"},
	/* System messages in the midst, and what is not known. */
	{BODY(USER("Hi") "," SAY("system", "\"Agents: ..\"") "," ANSWER("A")), "U(Hi)S(Agents: ..)A(A)"},
	{BODY(SAY("system", "[" TEXT("x") "]") "," SAY("moderator", "\"y\"") ",{}"), "S(x)O(y)O()"},
	{BODY(SAY("user", "[{\"type\":\"mid_conv_system\",\"text\":\"no\"}," TEXT("Hi") "]")), "U(Hi)*"},
	/* The provider's blocks about earlier turns stay where they are. */
	{BODY(SAY("assistant", "[{\"type\":\"compaction\",\"content\":\"You talked.\"}," TEXT("A") "]") "," USER("Hi")),
	 "S(You talked.)+A(A)U(Hi)"},
};

/* Each of these is passed untouched. */
static const char *const foreign[] = {
	"[]", "{}", "{\"messages\":{}}", "{\"messages\":null}", "{\"messages\":\"Hi\"}",
	"{\"messages\":[],\"messages\":[]}", "{\"messages\":[1]}", "{\"messages\":[{},\"Hi\"]}",
	"{\"messages\":[],\"system\":7}", "{\"messages\":[],\"system\":{\"text\":\"x\"}}",
};
/* clang-format on */

START_TEST(a_request_is_read_into_steps)
{
	for (size_t i = 0; i < sizeof(steps_cases) / sizeof(steps_cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scan(slice_of(steps_cases[i].body), &arena);
		struct slice picture = draw(&request, &arena);
		ck_assert_msg(slice_equal(picture, slice_of(steps_cases[i].picture)),
			      "%.*s, not %s, of %s", (int)picture.size, picture.data,
			      steps_cases[i].picture, steps_cases[i].body);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(what_is_no_messages_request_is_said_to_be_none)
{
	struct arena arena = {0};
	struct request request;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		ck_assert_msg(dialect_messages.scan(&request, slice_of(foreign[i]), &arena) ==
				      REQUEST_FOREIGN,
			      "%s", foreign[i]);
	ck_assert_int_eq(dialect_messages.scan(&request, SLICE("{\"messages\":["), &arena),
			 REQUEST_NOT_JSON);
	ck_assert_int_eq(dialect_messages.scan(&request, SLICE("{\"messages\":[1],"), &arena),
			 REQUEST_NOT_JSON);
	arena_finish(&arena);
}
END_TEST

START_TEST(steps_and_texts_are_bounded_in_number)
{
	struct arena arena = {0};
	struct buffer body;
	struct request request;
	buffer_init(&body, SIZE_MAX);
	buffer_append(&body, SLICE("{\"messages\":[{}"));
	for (size_t i = 0; i < REQUEST_MAX_STEPS; i++)
		buffer_append(&body, SLICE(",{}"));
	buffer_append(&body, SLICE("]}"));
	ck_assert_int_eq(dialect_messages.scan(&request, buffer_slice(&body), &arena),
			 REQUEST_FOREIGN);
	buffer_clear(&body);
	buffer_append(&body, SLICE("{\"messages\":[" SAY("user", "[" TEXT(""))));
	body.size -= 1;
	for (size_t i = 0; i < REQUEST_MAX_TEXTS; i++)
		buffer_append(&body, SLICE("," TEXT("")));
	buffer_append(&body, SLICE("]}]}"));
	ck_assert_int_eq(dialect_messages.scan(&request, buffer_slice(&body), &arena),
			 REQUEST_FOREIGN);
	buffer_finish(&body);
	arena_finish(&arena);
}
END_TEST

START_TEST(calls_are_known_by_their_ids_in_order)
{
	struct arena arena = {0};
	uint64_t expected = step_hash_call(step_hash_call(0, SLICE("a")), SLICE("b"));
	struct request one = scan(
		SLICE(BODY(SAY("assistant",
			       "[" CALL("\\u0061") "," TEXT("x") "," CALL("b") "," CALL("") "]"))),
		&arena);
	struct request two = scan(SLICE(BODY(SAY("assistant", "[" CALL("a") "]") "," SAY(
					  "assistant", "[" CALL("b") "]"))),
				  &arena);
	ck_assert_uint_eq(one.steps[0].ids_hash, expected);
	ck_assert_uint_eq(two.step_count, 1);
	ck_assert_uint_eq(two.steps[0].ids_hash, expected);
	arena_finish(&arena);
}
END_TEST

/* ---- fields ---- */

START_TEST(fields_are_found)
{
	struct arena arena = {0};
	struct request request =
		scan(SLICE("{\"model\":\"claude\",\"stream\":true,\"metadata\":{\"user_id\":\"u\"},"
			   "\"output_config\":{\"format\":{\"type\":\"json_schema\"}},"
			   "\"messages\":[]}"),
		     &arena);
	unit_assert_slice(request.model, "claude");
	ck_assert_str_eq(request.user_fields[0].name, "metadata.user_id");
	unit_assert_slice(request.user_fields[0].value, "u");
	unit_assert_slice(
		scan(SLICE("{\"metadata\":{\"user_id\":\"{\\\"device_id\\\":\\\"19d7\\\","
			   "\\\"account_uuid\\\":\\\"\\\",\\\"session_id\\\":\\\"0fdc\\\"}\"},"
			   "\"messages\":[]}"),
		     &arena)
			.user_fields[0]
			.value,
		"19d7");
	ck_assert(request.stream && request.has_format && request.takes_turns);
	ck_assert(!request.is_kept && !request.is_replay_only && !request.is_retry);
	ck_assert(scan(SLICE("{\"output_format\":{\"type\":\"json_schema\"},\"messages\":[]}"),
		       &arena)
			  .has_format);
	ck_assert(!scan(SLICE("{\"output_config\":{\"effort\":\"high\"},\"output_format\":null,"
			      "\"messages\":[]}"),
			&arena)
			   .has_format);
	ck_assert(scan(SLICE("{\"compaction\":{},\"messages\":[]}"), &arena).is_replay_only);
	ck_assert(
		scan(SLICE("{\"fallback_credit_token\":\"t\",\"messages\":[]}"), &arena).is_retry);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_thread_is_kept_by_the_provider)
{
	struct arena arena = {0};
	struct request create =
		scan(SLICE("{\"thread\":{\"type\":\"create\"},\"messages\":[]}"), &arena);
	struct request next = scan(SLICE("{\"thread\":{\"type\":\"continue\","
					 "\"previous_message_id\":\"msg_1\"},\"messages\":[]}"),
				   &arena);
	ck_assert(create.is_kept && create.takes_turns && create.previous.size == 0);
	ck_assert_int_eq(create.places[PLACE_SYSTEM].way, BLOCK_PLACED);
	ck_assert(create.places[PLACE_SYSTEM].in_item);
	ck_assert(next.is_kept && !next.takes_turns && next.beside == SIZE_MAX);
	unit_assert_slice(next.previous, "msg_1");
	ck_assert_int_eq(next.places[PLACE_SYSTEM].way, BLOCK_WITH_USER);
	arena_finish(&arena);
}
END_TEST

START_TEST(only_plain_text_is_compared_with_what_the_upstream_counted)
{
	/* clang-format off */
	static const char *const hidden[] = {
		"{\"tools\":[{\"name\":\"f\"}],\"messages\":[" USER("Hi") "]}",
		BODY(USER("Hi") "," SAY("assistant", "[" THINKING "," TEXT("A") "]") "," USER("More")),
	};
	static const char *const plain[] = {
		"{\"model\":\"m\",\"system\":\"Be brief.\",\"messages\":[" USER("Hi") "]}",
		"{\"model\":\"m\",\"messages\":[" USER("Hi") "],\"tools\":[]}",
	};
	/* clang-format on */
	struct arena arena = {0};
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(scan(slice_of(hidden[i]), &arena).beside, SIZE_MAX);
		ck_assert_uint_lt(scan(slice_of(plain[i]), &arena).beside, 60);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(only_a_post_of_messages_is_one)
{
	ck_assert(dialect_of(SLICE("POST"), SLICE("/v1/messages")) == &dialect_messages);
	ck_assert(dialect_of(SLICE("POST"), SLICE("/messages")) == &dialect_messages);
	ck_assert_ptr_null(dialect_of(SLICE("GET"), SLICE("/v1/messages")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/v1/messages/count_tokens")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/v1/messages/batches")));
	ck_assert_ptr_null(dialect_of(SLICE("POST"), SLICE("/v1/messages/")));
}
END_TEST

/* ---- where memory goes ---- */

static struct slice inject(const struct request *request, const struct injection *injection,
			   bool *made, struct arena *arena)
{
	struct edit *edits;
	size_t count = request_inject(request, injection, &edits, made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	return arena_join(arena, pieces, REQUEST_PIECES(count));
}

/* A block "B", a replay "R" on the text that reads "Hi", and perhaps turns. */
static struct slice give(const char *body, enum placement placement, bool turns, bool *made,
			 struct arena *arena)
{
	struct request request = scan(slice_of(body), arena);
	struct replay_text replay = {.text_index = SIZE_MAX, .text = SLICE("R")};
	for (size_t i = 0; i < request.text_count; i++) {
		struct slice text = json_string_text(request.body, request.texts[i].string, arena);
		if (slice_equal(text, SLICE("Hi")))
			replay.text_index = i;
	}
	bool rides = replay.text_index != SIZE_MAX;
	struct injection injection = {.placement = placement,
				      .block = SLICE("B"),
				      .block_with_text = replay.text_index,
				      .replay_texts = &replay,
				      .replay_count = rides ? 1 : 0};
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	if (turns) {
		dialect_append_turn(&out, ROLE_USER, SLICE("q"));
		dialect_append_turn(&out, ROLE_ASSISTANT, SLICE("\"a\""));
	}
	injection.turns = arena_take(arena, &out);
	return inject(&request, &injection, made, arena);
}

#define TURNS USER("q") "," ANSWER("\\\"a\\\"") ","

/* clang-format off */
static const struct place_case {
	const char *body, *expected;
	enum placement placement;
	bool made, turns;
} place_cases[] = {
	/* A field of ours where the client has none. */
	{.body = "  {\"model\":\"m\",\"messages\":[" USER("Hi") "]}",
	 .expected = "  {\"system\":\"B\",\"model\":\"m\",\"messages\":[" USER("R\\n\\nHi") "]}", .made = true},
	{.body = "{\"system\":null,\"messages\":[" USER("Hi") "]}",
	 .expected = "{\"system\":\"B\",\"messages\":[" USER("R\\n\\nHi") "]}", .made = true},
	{.body = "{\"messages\":[" USER("Hi") "],\"system\":\"\"}",
	 .expected = "{\"messages\":[" USER("R\\n\\nHi") "],\"system\":\"B\"}", .made = true},
	/* Behind what it has. */
	{.body = "{\"system\":\"Be brief.\",\"messages\":[" USER("Hi") "]}",
	 .expected = "{\"system\":\"Be brief.\\n\\nB\",\"messages\":[" USER("R\\n\\nHi") "]}"},
	{.body = "{\"system\": [ " TEXT("a") " ] ,\"messages\":[" USER("Hi") "]}",
	 .expected = "{\"system\": [ " TEXT("a") " ," TEXT("B") "] ,\"messages\":[" USER("R\\n\\nHi") "]}"},
	{.body = "{\"system\":[ ],\"messages\":[" USER("Hi") "]}",
	 .expected = "{\"system\":[ " TEXT("B") "],\"messages\":[" USER("R\\n\\nHi") "]}"},
	{.body = "{\"messages\":[" SAY("user", "[" TEXT("x") ",{\"type\":\"text\",\"text\":\"Hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]") "],"
	 "\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}}]}",
	 .expected = "{\"messages\":[" SAY("user", "[" TEXT("x") ",{\"type\":\"text\",\"text\":\"R\\n\\nHi\",\"cache_control\":{\"type\":\"ephemeral\"}}]") "],"
	 "\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}}," TEXT("B") "]}"},
	/* Of two the last counts. */
	{.body = "{\"system\":\"a\",\"messages\":[" USER("Hi") "],\"syst\\u0065m\":\"b\"}",
	 .expected = "{\"system\":\"a\",\"messages\":[" USER("R\\n\\nHi") "],\"syst\\u0065m\":\"b\\n\\nB\"}"},
	/* With the user's words; a message's tool results come first. */
	{.body = BODY(SAY("user", "[" RESULT("\"sunny\"") "," TEXT("Hi") "]")),
	 .expected = BODY(SAY("user", "[" RESULT("\"sunny\"") "," TEXT("B\\n\\nR\\n\\nHi") "]")), .placement = PLACE_USER},
	/* Turns of before, unless the provider or a tool's result goes before them. */
	{.body = "{\"system\":\"a\",\"messages\":[" SAY("system", "\"s\"") "," USER("Hi") "]}",
	 .expected = "{\"system\":\"a\\n\\nB\",\"messages\":[" SAY("system", "\"s\"") "," TURNS USER("R\\n\\nHi") "]}", .turns = true},
	{.body = "{\"system\":\"a\",\"messages\":[" SAY("user", "[" RESULT("\"x\"") "," TEXT("Hi") "]") "]}",
	 .expected = "{\"system\":\"a\\n\\nB\",\"messages\":[" SAY("user", "[" RESULT("\"x\"") "," TEXT("R\\n\\nHi") "]") "]}", .turns = true},
	{.body = "{\"thread\":{\"type\":\"continue\"},\"messages\":[" USER("Hi") "]}",
	 .expected = "{\"thread\":{\"type\":\"continue\"},\"messages\":[" USER("B\\n\\nR\\n\\nHi") "]}", .turns = true},
};
/* clang-format on */

START_TEST(memory_goes_in_between_the_clients_bytes)
{
	for (size_t i = 0; i < sizeof(place_cases) / sizeof(place_cases[0]); i++) {
		const struct place_case *example = &place_cases[i];
		struct arena arena = {0};
		bool made;
		struct slice out =
			give(example->body, example->placement, example->turns, &made, &arena);
		ck_assert_msg(slice_equal(out, slice_of(example->expected)), "%.*s\nnot\n%s",
			      (int)out.size, out.data, example->expected);
		ck_assert_int_eq(made, example->made);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(nothing_given_changes_nothing)
{
	for (size_t i = 0; i < sizeof(steps_cases) / sizeof(steps_cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scan(slice_of(steps_cases[i].body), &arena);
		struct injection injection = {.block_with_text = SIZE_MAX};
		bool made;
		struct slice out = inject(&request, &injection, &made, &arena);
		ck_assert(slice_equal(out, request.body) && !made);
		arena_finish(&arena);
	}
}
END_TEST

/* It may stand nowhere else. */
START_TEST(an_exchange_with_a_system_message_stays_whole)
{
	static const struct {
		const char *body;
		const char *stays; /* S for each step that does */
	} cases[] = {
		{BODY(USER("1") "," SAY("system", "\"s\"") "," ANSWER("2") "," USER("3") "," ANSWER(
			 "4") "," USER("5")),
		 "SSS---"},
		{"{\"system\":\"a\",\"messages\":[" USER("1") "," ANSWER("2") "," USER("3") "," SAY(
			 "assistant",
			 "[" CALL(
				 "a") "]") "," SAY("user",
						   "[" RESULT(
							   "\"x\"") "]") "," SAY("system",
										 "\"s\"") "," ANSWER("4") "," USER("5") "]}",
		 "S--SSSSS-"},
		{BODY(SAY("assistant",
			  "[{\"type\":\"compaction\",\"content\":\"c\"}," TEXT(
				  "A") "]") "," USER("1") "," ANSWER("2") "," USER("3")),
		 "SS---"},
		{BODY(USER("1") "," USER("2") "," SAY("system", "\"s\"") "," ANSWER("3") "," USER(
			 "4") "," SAY("system", "\"s\"")),
		 "SSSS-S"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct request request = scan(slice_of(cases[i].body), &arena);
		ck_assert_uint_eq(request.step_count, strlen(cases[i].stays));
		for (size_t j = 0; j < request.step_count; j++)
			ck_assert_msg(request.steps[j].stays == (cases[i].stays[j] == 'S'),
				      "%zu of %s", j, cases[i].body);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(a_compaction_and_half_a_message_are_not_cut)
{
	struct arena arena = {0};
	struct request compacted =
		scan(SLICE(BODY(SAY("assistant",
				    "[{\"type\":\"compaction\",\"content\":\"c\"},"
				    "" TEXT("A") "]") "," USER("1") "," ANSWER("2") "," USER("3"))),
		     &arena);
	struct request shared =
		scan(SLICE(BODY(USER("1") "," SAY("assistant", "[" CALL("a") "]") "," SAY(
			     "user",
			     "[" RESULT("\"x\"") "," TEXT("2") "]") "," ANSWER("3") "," USER("4"))),
		     &arena);
	ck_assert(request_can_cut(&compacted, 0, 4) && request_can_cut(&compacted, 2, 4));
	ck_assert(!request_can_cut(&compacted, 0, 2) && !request_can_cut(&compacted, 1, 4));
	ck_assert(!request_can_cut(&shared, 0, 3) && request_can_cut(&shared, 0, 5));
	arena_finish(&arena);
}
END_TEST

/* ---- recorded requests ---- */

#define TOLD "Hi! My name is Alex and I use ChromaDB."
#define ASKED "Which vector store do I use?"
#define LOOK "Use the tool weather with {\"city\": \"Oslo\"}, please."

static const struct recorded fixture_cases[] = {
	{"messages/claude_code/first_turn", "SUS", TOLD ";", .stream = true},
	{"messages/claude_code/continued", "SUSAU", TOLD ";" ASKED ";", .stream = true},
	{"messages/claude_code/tool_asked", "SUSAUAU",
	 TOLD ";" ASKED ";Use the tool Bash with {\"command\":\"echo hi\",\"description\":"
	      "\"Says hi\"};",
	 .stream = true},
	{"messages/claude_code/tool_result", "SUSAUAUCT",
	 TOLD ";" ASKED ";Use the tool Bash with {\"command\":\"echo hi\",\"description\":"
	      "\"Says hi\"};",
	 .stream = true},
	{"messages/claude_code/subagent", "SUS", "Say what I like. I am the agent.;",
	 .stream = true},
	{"messages/claude_code/after_compact", "SUSAUS", NULL, .stream = true},
	{"messages/claude_code/agent_result", "SUSAUAUCTAUCTAU", NULL, .stream = true},
	{"messages/claude_code/compact", "SUSAUAUCTAUCTAUAU", NULL, .stream = true},
	{"messages/ai_sdk_anthropic/tool_asked", "SUAU", TOLD ";" LOOK ";"},
	{"messages/ai_sdk_anthropic/tool_result", "SUAUCT", TOLD ";" LOOK ";"},
	{"messages/ai_sdk_anthropic/continued", "SUAUCTAU", TOLD ";" LOOK ";" ASKED ";"},
	{"messages/anthropic_python/thread_create", "U", LOOK ";", .kept = true},
	{"messages/anthropic_python/thread_continue", "T", "", .kept = true},
};

START_TEST(recorded_requests_are_read_and_stay_the_clients)
{
	for (size_t i = 0; i < sizeof(fixture_cases) / sizeof(fixture_cases[0]); i++)
		recorded_check(&dialect_messages, &fixture_cases[i]);
}
END_TEST

UNIT_MAIN("messages", a_request_is_read_into_steps, what_is_no_messages_request_is_said_to_be_none,
	  steps_and_texts_are_bounded_in_number, calls_are_known_by_their_ids_in_order,
	  fields_are_found, a_thread_is_kept_by_the_provider,
	  only_plain_text_is_compared_with_what_the_upstream_counted,
	  only_a_post_of_messages_is_one, memory_goes_in_between_the_clients_bytes,
	  nothing_given_changes_nothing, an_exchange_with_a_system_message_stays_whole,
	  a_compaction_and_half_a_message_are_not_cut,
	  recorded_requests_are_read_and_stay_the_clients)
