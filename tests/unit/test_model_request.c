#include "core/json/json.h"
#include "core/learn/model_request.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct slice body_with(unsigned quirks, bool json, struct arena *arena)
{
	const struct learn_prompt prompt = {.system = SLICE("Be \"brief\"."),
					    .user = SLICE("Zeile 1\nZeile 2 \\ 中"),
					    .schema = json ? SLICE("{\"type\":\"object\"}")
							   : (struct slice){0}};
	return model_request_body(SLICE("gpt-4o-mini"), &prompt, 700, quirks, arena);
}

START_TEST(the_body_is_plain_chat_completions)
{
	struct arena arena = {0};
	unit_assert_slice(body_with(0, true, &arena),
			  "{\"model\":\"gpt-4o-mini\",\"messages\":["
			  "{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\"},"
			  "{\"role\":\"user\",\"content\":\"Zeile 1\\nZeile 2 \\\\ 中\"}],"
			  "\"stream\":false,\"temperature\":0,\"max_tokens\":700,"
			  "\"response_format\":{\"type\":\"json_object\"}}");
	ck_assert(!unit_has(body_with(0, false, &arena), "response_format"));
	arena_finish(&arena);
}
END_TEST

START_TEST(examples_stand_before_the_question_as_a_chat)
{
	struct arena arena = {0};
	static const struct learn_example examples[] = {{SLICE("A \"turn\""), SLICE("{}")},
							{SLICE("B"), SLICE("[]")}};
	const struct learn_prompt prompt = {
		.system = SLICE("S"), .examples = examples, .example_count = 2, .user = SLICE("C")};
	struct slice body = model_request_body(SLICE("m"), &prompt, 700, 0, &arena);
	ck_assert(unit_has(body, "[{\"role\":\"system\",\"content\":\"S\"},"
				 "{\"role\":\"user\",\"content\":\"A \\\"turn\\\"\"},"
				 "{\"role\":\"assistant\",\"content\":\"{}\"},"
				 "{\"role\":\"user\",\"content\":\"B\"},"
				 "{\"role\":\"assistant\",\"content\":\"[]\"},"
				 "{\"role\":\"user\",\"content\":\"C\"}]"));
	body = model_request_body(SLICE("m"), &prompt, 700, QUIRK_NO_SYSTEM, &arena);
	ck_assert(unit_has(body, "[{\"role\":\"user\",\"content\":\"S\\n\\nA \\\"turn\\\"\"},"));
	ck_assert(unit_has(body, "{\"role\":\"user\",\"content\":\"C\"}]"));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_call_costs_what_the_server_says_or_what_its_bytes_suggest)
{
	const struct slice request = SLICE("12345678");
	const char *const told = "{\"usage\":{\"total_tokens\":1234}}";
	ck_assert_uint_eq(model_tokens(request, slice_of(told)), 1234);
	static const char *const silent[] = {"{}          ",
					     "{\"usage\":1} ",
					     "{\"usage\":{}}",
					     "nonsense    ",
					     "{\"usage\":{\"total_tokens\":-1}}",
					     "{\"usage\":{\"total_tokens\":0}}"};
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		ck_assert_uint_eq(model_tokens(request, slice_of(silent[i])),
				  (request.size + strlen(silent[i])) / 4);
	const char *const huge = "{\"usage\":{\"total_tokens\":99999999999999999999999999}}";
	ck_assert_uint_lt(model_tokens(request, slice_of(huge)), 2000 * 1000 * 1000);
}
END_TEST

START_TEST(every_combination_of_quirks_makes_valid_json_that_honours_them)
{
	struct arena arena = {0};
	for (unsigned quirks = 0; quirks < 128; quirks++) {
		struct slice body = body_with(quirks, true, &arena);
		struct json_value value;
		ck_assert(json_scan(body, &value));
		ck_assert_int_eq(unit_has(body, "\"temperature\""),
				 !(quirks & QUIRK_NO_TEMPERATURE));
		bool limit = !(quirks & QUIRK_NO_MAX_TOKENS);
		bool renamed = quirks & QUIRK_COMPLETION_TOKENS;
		ck_assert_int_eq(unit_has(body, "\"max_tokens\":700"), limit && !renamed);
		ck_assert_int_eq(unit_has(body, "\"max_completion_tokens\":700"), limit && renamed);
		bool object = !(quirks & QUIRK_NO_JSON_OBJECT);
		bool schema = !(quirks & QUIRK_NO_JSON_SCHEMA);
		bool schema_first = quirks & QUIRK_TAKES_SCHEMA;
		ck_assert_int_eq(unit_has(body, "\"json_object\""),
				 object && !(schema && schema_first));
		ck_assert_int_eq(unit_has(body, "\"json_schema\""),
				 schema && !(object && !schema_first));
		ck_assert_int_eq(unit_has(body, "\"system\""), !(quirks & QUIRK_NO_SYSTEM));
		ck_assert(unit_has(body, "Be \\\"brief\\\"."));
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(what_openai_refuses_by_name_is_given_up)
{
	ck_assert_uint_eq(
		model_request_adapt(
			0, true,
			SLICE("{\"error\":{\"message\":\"Unsupported value: 'temperature' does not "
			      "support 0 with this model. Only the default (1) value is "
			      "supported.\",\"type\":\"invalid_request_error\",\"param\":"
			      "\"temperature\",\"code\":\"unsupported_value\"}}")),
		QUIRK_NO_TEMPERATURE);
	ck_assert_uint_eq(
		model_request_adapt(
			QUIRK_NO_TEMPERATURE, true,
			SLICE("{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is "
			      "not supported with this model. Use 'max_completion_tokens' "
			      "instead.\",\"param\":\"max_tokens\"}}")),
		QUIRK_NO_TEMPERATURE | QUIRK_COMPLETION_TOKENS);
}
END_TEST

START_TEST(other_servers_are_understood_too)
{
	ck_assert_uint_eq(model_request_adapt(0, true,
					      SLICE("{\"error\":\"'response_format.type' must be "
						    "'json_schema' or 'text'\"}")),
			  QUIRK_NO_JSON_OBJECT);
	ck_assert_uint_eq(model_request_adapt(
				  0, true,
				  SLICE("{\"object\":\"error\",\"message\":\"System role not "
					"supported\",\"type\":\"BadRequestError\",\"code\":400}")),
			  QUIRK_NO_SYSTEM);
	ck_assert_uint_eq(model_request_adapt(0, true,
					      SLICE("[{\"error\":{\"code\":400,\"message\":"
						    "\"Developer instruction is not enabled for "
						    "models/gemma-3-27b-it\"}}]")),
			  QUIRK_NO_SYSTEM);
	ck_assert_uint_eq(
		model_request_adapt(0, true,
				    SLICE("{\"detail\":[{\"loc\":[\"body\",\"temperature\"],"
					  "\"msg\":\"extra fields not permitted\"}]}")),
		QUIRK_NO_TEMPERATURE);
	ck_assert_uint_eq(model_request_adapt(QUIRK_COMPLETION_TOKENS, true,
					      SLICE("unknown field max_completion_tokens")),
			  QUIRK_COMPLETION_TOKENS | QUIRK_NO_MAX_TOKENS);
}
END_TEST

START_TEST(param_outweighs_what_the_message_mentions)
{
	ck_assert_uint_eq(
		model_request_adapt(0, true,
				    SLICE("{\"error\":{\"message\":\"with response_format set, "
					  "temperature is refused\",\"param\":\"temperature\"}}")),
		QUIRK_NO_TEMPERATURE);
}
END_TEST

START_TEST(without_a_name_everything_is_given_up_in_order_and_then_no_more)
{
	const unsigned order[] = {QUIRK_NO_JSON_OBJECT, QUIRK_NO_JSON_SCHEMA,
				  QUIRK_NO_TEMPERATURE, QUIRK_COMPLETION_TOKENS,
				  QUIRK_NO_MAX_TOKENS,  QUIRK_NO_SYSTEM};
	unsigned quirks = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		unsigned next = model_request_adapt(quirks, true, SLICE("Bad Request"));
		ck_assert_uint_eq(next, quirks | order[i]);
		quirks = next;
	}
	ck_assert_uint_eq(model_request_adapt(quirks, true, SLICE("Bad Request")), quirks);
	ck_assert_uint_eq(model_request_adapt(quirks, true, SLICE("temperature")), quirks);
	ck_assert_uint_eq(model_request_adapt(0, false, (struct slice){0}), QUIRK_NO_TEMPERATURE);
}
END_TEST

START_TEST(a_schema_is_given_up_before_json_where_it_came_first)
{
	unsigned quirks = model_request_adapt(QUIRK_TAKES_SCHEMA, true, SLICE("json_schema"));
	ck_assert_uint_eq(quirks, QUIRK_TAKES_SCHEMA | QUIRK_NO_JSON_SCHEMA);
	quirks = model_request_adapt(quirks, true, SLICE("response_format"));
	ck_assert_uint_eq(quirks, QUIRK_TAKES_SCHEMA | QUIRK_NO_JSON_SCHEMA | QUIRK_NO_JSON_OBJECT);
}
END_TEST

START_TEST(servers_that_enforce_a_schema_are_known)
{
	static const struct {
		const char *base_url;
		const char *body;
		bool takes;
	} cases[] = {
		{"https://api.openai.com/v1", "", true},
		{"https://api.openai.com.example/v1", "{}", false},
		{"http://127.0.0.1:11434/v1", "{\"system_fingerprint\":\"fp_ollama\"}", true},
		{"http://127.0.0.1:8080/v1", "{\"system_fingerprint\":\"b6123-a1b2c3d\"}", true},
		{"http://127.0.0.1:8080/v1", "{\"timings\":{\"prompt_n\":7}}", true},
		{"http://127.0.0.1:8000/v1", "{\"prompt_logprobs\":null}", true},
		{"http://127.0.0.1:9000/v1", "{\"system_fingerprint\":\"fp_44709d6fcb\"}", false},
		{"http://127.0.0.1:9000/v1", "{\"system_fingerprint\":null}", false},
		{"http://127.0.0.1:9000/v1", "{\"system_fingerprint\":7,\"timings\":[]}", false},
		{"http://127.0.0.1:9000/v1", "{\"system_fingerprint\":\"\"}", false},
		{"http://127.0.0.1:9000/v1", "not JSON", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(model_takes_schema(slice_of(cases[i].base_url),
						 slice_of(cases[i].body)) == cases[i].takes,
			      "%s %s", cases[i].base_url, cases[i].body);
}
END_TEST

START_TEST(any_error_ends_after_six_steps)
{
	static const char *const errors[] = {"",
					     "{",
					     "[]",
					     "[1]",
					     "null",
					     "{\"error\":null}",
					     "{\"error\":{\"message\":7}}",
					     "temperature max_tokens response_format system",
					     "{\"error\":[]}",
					     "{\"message\":\"json_schema max_completion_tokens\"}"};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned quirks = 0;
		unsigned steps = 0;
		for (;; steps++) {
			unsigned next = model_request_adapt(quirks, true, slice_of(errors[i]));
			if (next == quirks)
				break;
			ck_assert_uint_eq(next & quirks, quirks);
			quirks = next;
		}
		ck_assert_uint_eq(steps, 6);
	}
}
END_TEST

START_TEST(a_context_that_is_too_long_is_no_quirk)
{
	ck_assert_uint_eq(
		model_request_adapt(0, true,
				    SLICE("{\"error\":{\"message\":\"too long\",\"param\":"
					  "\"messages\",\"code\":\"context_length_exceeded\"}}")),
		0);
}
END_TEST

static void assert_answer(const char *body, const char *text, bool cut_off)
{
	struct arena arena = {0};
	struct model_answer answer;
	ck_assert(model_answer_read(slice_of(body), &answer, &arena));
	unit_assert_slice(answer.text, text);
	ck_assert_int_eq(answer.cut_off, cut_off);
	arena_finish(&arena);
}

START_TEST(an_answer_is_read_from_a_string_or_from_parts)
{
	assert_answer("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":"
		      "\"a\\n\\u4e2d <think>x</think>\"},\"finish_reason\":\"stop\"}]}",
		      "a\n中 <think>x</think>", false);
	assert_answer("{\"choices\":[{\"finish_reason\":\"length\",\"message\":{\"content\":["
		      "{\"type\":\"text\",\"text\":\"one \"},{\"type\":\"image_url\"},7,"
		      "{\"type\":\"text\",\"text\":\"two\"}]}}]}",
		      "one two", true);
}
END_TEST

START_TEST(what_holds_no_choice_with_text_is_no_answer)
{
	static const char *const bodies[] = {
		"",
		"nonsense",
		"[]",
		"{}",
		"{\"choices\":[]}",
		"{\"choices\":{}}",
		"{\"choices\":[7]}",
		"{\"choices\":[{\"message\":null}]}",
		"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[]}}]}",
		"{\"choices\":[{\"message\":{\"content\":\"\"}}]}",
		"{\"choices\":[{\"message\":{\"content\":{\"text\":\"x\"}}}]}",
		"{\"error\":{\"message\":\"x\"}}",
		"{\"choices\":[{\"message\":{\"content\":\"cut"};
	struct arena arena = {0};
	struct model_answer answer;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ck_assert_msg(!model_answer_read(slice_of(bodies[i]), &answer, &arena), "%s",
			      bodies[i]);
	arena_finish(&arena);
}
END_TEST

START_TEST(ten_megabytes_of_anything_are_survived)
{
	const size_t size = 10 * 1024 * 1024;
	char *big = xmalloc(size);
	struct arena arena = {0};
	struct model_answer answer;
	static const char fillers[] = {'[', '{', '"', '\\', 'a', '\0', (char)0xFF};
	for (size_t i = 0; i < sizeof(fillers); i++) {
		memset(big, fillers[i], size);
		ck_assert(!model_answer_read((struct slice){big, size}, &answer, &arena));
		ck_assert_uint_ne(model_request_adapt(0, true, (struct slice){big, size}), 0);
	}
	free(big);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("model_request", the_body_is_plain_chat_completions,
	  every_combination_of_quirks_makes_valid_json_that_honours_them,
	  examples_stand_before_the_question_as_a_chat,
	  a_call_costs_what_the_server_says_or_what_its_bytes_suggest,
	  what_openai_refuses_by_name_is_given_up, other_servers_are_understood_too,
	  param_outweighs_what_the_message_mentions,
	  without_a_name_everything_is_given_up_in_order_and_then_no_more,
	  a_schema_is_given_up_before_json_where_it_came_first,
	  servers_that_enforce_a_schema_are_known, any_error_ends_after_six_steps,
	  a_context_that_is_too_long_is_no_quirk, an_answer_is_read_from_a_string_or_from_parts,
	  what_holds_no_choice_with_text_is_no_answer, ten_megabytes_of_anything_are_survived)
