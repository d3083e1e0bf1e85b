/* The demo model's completions: whom it answers with what, in how many chunks, and its cache. */
#include "tests/model/completion.h"
#include "tests/unit/demo_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static struct prompt_cache cache;

static json_t *complete(json_t *request)
{
	struct completion completion;
	ck_assert_ptr_nonnull(request);
	ck_assert_ptr_null(completion_create(request, &cache, 1, &completion, &arena));
	json_t *object = completion_object(&completion);
	completion_finish(&completion);
	json_decref(request);
	return object;
}

static json_t *message_of(json_t *completion)
{
	return json_object_get(json_array_get(json_object_get(completion, "choices"), 0),
			       "message");
}

START_TEST(instructions_tell_the_learner_from_a_chat)
{
	json_t *facts = complete(json_pack(
		"{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "model", "m", "messages", "role", "system",
		"content", "Answer with one JSON object: {\"entities\":[...]}", "role", "user",
		"content", "=== New user turn, from here to the end ===\nMy name is Bo."));
	const char *text = json_string_value(json_object_get(message_of(facts), "content"));
	json_t *parsed = json_loads(text, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(parsed, "entities")), 1);
	json_decref(parsed);
	json_decref(facts);
	json_t *chat = complete(json_pack("{s:s,s:[{s:s,s:[{s:s,s:s}]}]}", "model", "m", "messages",
					  "role", "user", "content", "type", "text", "text",
					  "Blue cats."));
	ck_assert_str_eq(json_string_value(json_object_get(message_of(chat), "content")),
			 "Noted: Blue, cats.");
	json_decref(chat);
}
END_TEST

/* Answers the learner's prompt that stands at `content`. */
static const char *learn(const char *system, const char *content)
{
	json_t *reply = complete(json_pack("{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "model", "m",
					   "messages", "role", "system", "content", system, "role",
					   "user", "content", content));
	const char *text = json_string_value(json_object_get(message_of(reply), "content"));
	const char *copy = arena_string(&arena, slice_of(text));
	json_decref(reply);
	return copy;
}

START_TEST(memory_is_no_part_of_what_the_user_said)
{
	const char *facts = learn("Answer with one JSON object: {\"entities\":[...]}",
				  "=== New user turn, from here to the end ===\n" RECALLED(
					  "2023-05-08:\nuser: My name is Bo.") "I live in Graz.");
	ck_assert_ptr_nonnull(strstr(facts, "Graz"));
	ck_assert_ptr_null(strstr(facts, "Bo"));
	const char *summary =
		learn("Write a summary of at most 50 words.",
		      "New messages:\nuser: " RECALLED(
			      "2023-05-08:\nuser: My name is Bo.") "I live in Graz.\n");
	ck_assert_ptr_nonnull(strstr(summary, "Graz"));
	ck_assert_ptr_null(strstr(summary, "Bo"));
}
END_TEST

START_TEST(recalled_text_calls_no_tool)
{
	json_t *reply = complete(json_pack(
		"{s:s,s:[{s:s,s:s}],s:[{s:s,s:{s:s}}]}", "model", "m", "messages", "role", "user",
		"content", RECALLED("2023-05-08:\nuser: The weather is fine.") "Hello.", "tools",
		"type", "function", "function", "name", "get_weather"));
	ck_assert_ptr_null(json_object_get(message_of(reply), "tool_calls"));
	json_decref(reply);
}
END_TEST

START_TEST(a_tool_that_is_named_is_called)
{
	json_t *reply = complete(
		json_pack("{s:s,s:[{s:s,s:s}],s:[{s:s,s:{s:s,s:{s:s,s:{s:{s:s}}}}}]}", "model", "m",
			  "messages", "role", "user", "content", "What's the weather in New York?",
			  "tools", "type", "function", "function", "name", "get_weather",
			  "parameters", "type", "object", "properties", "city", "type", "string"));
	json_t *call = json_array_get(json_object_get(message_of(reply), "tool_calls"), 0);
	json_t *function = json_object_get(call, "function");
	ck_assert_str_eq(json_string_value(json_object_get(function, "name")), "get_weather");
	ck_assert_str_eq(json_string_value(json_object_get(function, "arguments")),
			 "{\"city\":\"New York\"}");
	json_decref(reply);
}
END_TEST

START_TEST(chunks_join_to_the_whole_answer)
{
	json_t *request =
		json_pack("{s:s,s:b,s:{s:b},s:[{s:s,s:s}]}", "model", "m", "stream", 1,
			  "stream_options", "include_usage", 1, "messages", "role", "user",
			  "content", "Red and green and blue and yellow cats sleep here.");
	struct completion completion;
	struct slice joined = {"", 0};
	json_t *chunk, *last = NULL;
	ck_assert_ptr_null(completion_create(request, &cache, 1, &completion, &arena));
	for (size_t i = 0; (chunk = completion_chunk(&completion, i)) != NULL; i++) {
		json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
		json_t *text = json_object_get(json_object_get(choice, "delta"), "content");
		if (text != NULL)
			joined = arena_printf(&arena, "%.*s%s", SLICE_PRINT(joined),
					      json_string_value(text));
		json_decref(last);
		last = chunk;
	}
	ck_assert(slice_equal(joined, completion.text));
	ck_assert_uint_gt(joined.size, 20);
	ck_assert_uint_eq(json_array_size(json_object_get(last, "choices")), 0);
	ck_assert(json_is_object(json_object_get(last, "usage")));
	json_decref(last);
	completion_finish(&completion);
	json_decref(request);
}
END_TEST

START_TEST(the_prompt_cache_counts_a_common_beginning)
{
	char *text = xcalloc(1, 10001);
	memset(text, 'a', 10000);
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	text[6000] = 'b';
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 1500 / 128 * 128);
	text[100] = 'c';
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	for (size_t i = 0; i < CACHED_REQUESTS; i++)
		ck_assert_uint_eq(prompt_cache_tokens(&cache, "short"), 0);
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	free(text);
}
END_TEST

START_TEST(a_request_that_is_none_is_refused)
{
	static const char *const bodies[] = {"[]", "{\"model\":\"m\"}", "{\"messages\":[]}",
					     "{\"model\":\"m\",\"messages\":[]}",
					     "{\"model\":\"m\",\"messages\":[1]}"};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct completion completion;
		json_t *request = json_loads(bodies[i], 0, NULL);
		ck_assert_ptr_nonnull(completion_create(request, &cache, 1, &completion, &arena));
		completion_finish(&completion);
		json_decref(request);
	}
}
END_TEST

UNIT_MAIN("demo_completion", instructions_tell_the_learner_from_a_chat,
	  memory_is_no_part_of_what_the_user_said, recalled_text_calls_no_tool,
	  a_tool_that_is_named_is_called, chunks_join_to_the_whole_answer,
	  the_prompt_cache_counts_a_common_beginning, a_request_that_is_none_is_refused)
