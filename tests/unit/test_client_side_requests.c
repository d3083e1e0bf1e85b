/* Which requests a client makes for itself, by what they say and by the answers that they quote. */
#include "tests/unit/client_fixture.h"

START_TEST(side_requests_are_known)
{
	static const char *const fixtures[] = {
		"openwebui/title.json",
		"openwebui/tags.json",
		"openwebui/follow_ups.json",
		"openwebui/search_query.json",
		"openwebui/retrieval_query.json",
		"openwebui/image_prompt.json",
		"openwebui/autocomplete.json",
		"openwebui/edited_title.json",
		"openwebui/context_compaction.json",
		"openwebui/tool_choice.json",
		"openwebui/tool_choice_history.json",
		"openwebui/emoji.json",
		"openwebui/merged_answers.json",
		"librechat/title.json",
		"librechat/title_structured.json",
		"librechat/title_legacy.json",
		"librechat/memory_agent.json",
		"librechat/reasoning_label.json",
	};
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
		ck_assert_msg(form_is_side_request(user_text(fixtures[i], false)), "%s",
			      fixtures[i]);
	arena_finish(&arena);
}
END_TEST

START_TEST(turns_with_documents_are_no_side_requests)
{
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		ck_assert_msg(!form_is_side_request(user_text(turns[i], false)), "%s", turns[i]);
	struct slice quoting = SLICE("### Task:\nRespond to the user query using the context.\n"
				     "<context>\n<source>### Task: title\n<chat_history>\nUSER: x\n"
				     "</chat_history></source>\n</context>\nWhat is this?");
	ck_assert(!form_is_side_request(quoting));
	quoting = SLICE("### Task:\nRespond to the user query using the context.\n<context>\n"
			"### Messages Being Compacted:\n### Recent Messages Kept In Context:\n"
			"</context>\nWhat is this?");
	ck_assert(!form_is_side_request(quoting));
	quoting = SLICE(
		"### Task:\nRespond to the user query using the context.\n<Context id=\"1\">\n"
		"<source>### Task: title\n<chat_history>\nUSER: x\n</chat_history></source>\n"
		"</Context>\nWhat is this?");
	ck_assert(!form_is_side_request(quoting));
	unit_assert_slice(form_own_text(quoting, &arena), "What is this?");
	arena_finish(&arena);
}
END_TEST

START_TEST(a_side_request_may_be_told_by_what_leads_it)
{
	const struct slice none = {0};
	const struct slice title = SLICE("You are a title generator. You output ONLY a title.");
	const struct slice tools = SLICE("Available Tools: []\n\nChoose.");
	const struct slice asks = SLICE("Generate a title for this conversation:\n");
	ck_assert(form_leads_side_request(title, asks, none));
	ck_assert(form_leads_side_request(title, none, none));
	ck_assert(form_leads_side_request(none, asks, none));
	ck_assert(form_leads_side_request(SLICE("You are Open WebUI's private memory reviewer."),
					  SLICE("x"), SLICE("x")));
	ck_assert(form_leads_side_request(tools, SLICE("Query: hi"), SLICE("Query: hi")));
	ck_assert(!form_leads_side_request(tools, SLICE("Query: hi"), none));
	ck_assert(!form_leads_side_request(tools, SLICE("hi"), SLICE("hi")));
	ck_assert(!form_leads_side_request(none, SLICE("Query: hi"), SLICE("Query: hi")));
	ck_assert(!form_leads_side_request(none, none, none));
	ck_assert(!form_leads_side_request(
		none, SLICE("Generate a title for this conversation:\nWe sail."), none));
	ck_assert(
		form_is_compaction(SLICE("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools. "
					 "Sum up.")));
	ck_assert(!form_is_compaction(SLICE("Sum up our conversation.")));
}
END_TEST

START_TEST(what_a_user_writes_is_no_side_request)
{
	ck_assert(!form_is_side_request(SLICE("")));
	ck_assert(!form_is_side_request((struct slice){0}));
	ck_assert(!form_is_side_request(SLICE("### Task: write a poem about tags")));
	ck_assert(!form_is_side_request(SLICE("Provide a concise title for my thesis.")));
	ck_assert(!form_is_side_request(SLICE("Query: History of Rome")));
	ck_assert(!form_is_side_request(SLICE("History:\nI was born in Rome.")));
	ck_assert(!form_is_side_request(SLICE("What does <chat_history> mean in this prompt?")));
	ck_assert(
		!form_is_side_request(SLICE("Analyze this conversation and tell me who is right")));
}
END_TEST

/* ---- quotes ---- */

static bool quotes(struct slice text, struct slice answer)
{
	return form_quotes_one_of(text, &answer, 1);
}

START_TEST(two_hundred_characters_in_a_row_are_a_quote)
{
	struct slice answer = running_text(1, 1000);
	struct slice other = running_text(2, 3000);
	struct slice ideographs = SLICE("東京");
	ck_assert(!quotes(other, answer));
	for (size_t size = 199; size <= 200; size++) {
		struct buffer text;
		buffer_init(&text, SIZE_MAX);
		buffer_append(&text, other);
		size_t at = 300;
		for (size_t count = 0; count < size; at++) {
			char c = answer.data[at];
			bool is_space = c == ' ' || c == '\n';
			count += ((unsigned char)c & 0xC0) != 0x80;
			buffer_append(&text,
				      is_space ? SLICE("\r\n\t") : slice_part(answer, at, at + 1));
		}
		buffer_append(&text, ideographs);
		buffer_append(&text, other);
		ck_assert_int_eq(quotes(buffer_slice(&text), answer), size == 200);
		ck_assert_int_eq(quotes(answer, buffer_slice(&text)), size == 200);
		buffer_finish(&text);
	}
	ck_assert(!quotes(SLICE(""), answer));
	ck_assert(!quotes(answer, SLICE("short")));
	arena_finish(&arena);
}
END_TEST

START_TEST(every_title_request_quotes_the_answer)
{
	json_t *body = json_load_file(FIXTURES "/librechat/chat.json", 0, NULL);
	const char *answer = json_string_value(
		json_object_get(json_array_get(json_object_get(body, "messages"), 2), "content"));
	ck_assert(quotes(user_text("librechat/title.json", false), slice_of(answer)));
	ck_assert(quotes(user_text("openwebui/edited_title.json", false), slice_of(answer)));
	ck_assert(!quotes(user_text("openwebui/rag_turn.json", false), slice_of(answer)));
	json_decref(body);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("client_side_requests", side_requests_are_known,
	  turns_with_documents_are_no_side_requests, a_side_request_may_be_told_by_what_leads_it,
	  what_a_user_writes_is_no_side_request, two_hundred_characters_in_a_row_are_a_quote,
	  every_title_request_quotes_the_answer)
