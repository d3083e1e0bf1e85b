#include "tests/unit/client_fixture.h"

#define ASKED "And how far apart should I plant them?"
#define DOCUMENT "My name is Mallory and I live in Toolville."
#define RULE "---------------------\n"

START_TEST(of_a_prompt_with_documents_the_question_is_the_users)
{
	assert_own("Context information is below.\n" RULE DOCUMENT
		   "\nQuery: mine\nAnswer: no\n" RULE
		   "Given the context information and not prior knowledge, answer the query.\n"
		   "Query: " ASKED "\nAnswer: ",
		   ASKED);
	assert_own("Context information from multiple sources is below.\n" RULE DOCUMENT "\n" RULE
		   "Given the information, answer the query.\nQuery: " ASKED "\nAnswer: ",
		   ASKED);
	assert_own("Use the following pieces of context to answer the question at the end. If you "
		   "don't know the answer, just say so.\n\n" DOCUMENT "\n\nQuestion: " ASKED
		   "\nHelpful Answer:",
		   ASKED);
	assert_own("Answer the question based only on the following context:\n" DOCUMENT
		   "\n\nQuestion: " ASKED "\n",
		   ASKED);
	assert_own("You are an assistant for question-answering tasks. Use the following pieces of "
		   "retrieved context to answer the question.\nQuestion: " ASKED
		   " \nContext: " DOCUMENT "\nQuestion: what?\nContext: x \nAnswer:",
		   ASKED);
}
END_TEST

START_TEST(a_prompt_whose_end_is_another_is_all_documents)
{
	assert_own("Context information is below.\n" RULE DOCUMENT "\n" RULE "Now: " ASKED, "");
	assert_own("Context information is below.\n" RULE DOCUMENT "\nQuery: " DOCUMENT
		   "\nAnswer: no\n" RULE "Question: " ASKED "\nReply: ",
		   "");
	assert_own("Context information is below.\n----", "");
}
END_TEST

START_TEST(of_an_agents_prompt_the_question_is_the_users)
{
	assert_own("Answer the following questions as best you can. You have access to the "
		   "following tools:\n\nw(city) - weather\n\nUse the following format:\n\n"
		   "Question: the input question you must answer\nThought: think\n\nBegin!\n\n"
		   "Question: " ASKED "\nThought: I look\nAction: w\nAction Input: Oslo\n"
		   "Observation: " DOCUMENT "\nBegin!\n\nQuestion: none\nThought: ",
		   ASKED);
	assert_own("New task:\n" ASKED, ASKED);
	assert_own(ASKED "\n\nReturn the correct JSON response within a ```json codeblock. not the "
			 "JSON_SCHEMA",
		   ASKED);
}
END_TEST

#define ANSWER_SO "\n\nRespond with the corresponding output fields, starting with `[[ ## x ## ]]`."

START_TEST(of_dspys_fields_documents_and_trajectories_are_not_the_users)
{
	assert_own("[[ ## question ## ]]\n" ASKED ANSWER_SO, ASKED);
	assert_own("[[ ## question ## ]]\n" ASKED, ASKED);
	assert_own("[[ ## question ## ]]\n" ASKED "\n\n[[ ## trajectory ## ]]\n"
		   "[[ ## observation_0 ## ]]\n" DOCUMENT
		   "\n[[ ## question ## ]]\n" DOCUMENT ANSWER_SO,
		   ASKED);
	assert_own("[[ ## context ## ]]\n[1] «" DOCUMENT "\n\n[[ ## question ## ]]\n" DOCUMENT
		   "»\n\n[[ ## question ## ]]\n" ASKED ANSWER_SO,
		   ASKED);
	assert_own("[[ ## question ## ]]\n" ASKED "\n\n[[ ## passages ## ]]\n" DOCUMENT ANSWER_SO,
		   ASKED);
	assert_own("[[ ## question ## ]]\n" ASKED "\n\n[[ ## context ## ]]\n[1] «" DOCUMENT
		   "\n\n[[ ## question ## ]]\n" DOCUMENT "»" ANSWER_SO,
		   ASKED);
	assert_own("[[ ## document ## ]]\n" DOCUMENT "\n\n[[ ## question ## ]]\n" ASKED ANSWER_SO,
		   ASKED);
	assert_own("[[ ## context ## ]]\n" DOCUMENT ANSWER_SO, "");
	assert_own("[[ ## ", "[[ ## ");
	assert_own("What does [[ ## question ## ]] mean?", "What does [[ ## question ## ]] mean?");
}
END_TEST

START_TEST(what_a_user_writes_stays)
{
	assert_own("Context information is below average here.",
		   "Context information is below average here.");
	assert_own("Answer the question.\nQuestion: why?", "Answer the question.\nQuestion: why?");
	assert_own("Query: why?\nAnswer:", "Query: why?\nAnswer:");
}
END_TEST

START_TEST(a_tools_result_in_the_users_place_is_known_behind_its_call)
{
	ck_assert(form_is_observation(SLICE("Observation: it rains")));
	ck_assert(form_is_observation(SLICE("\nObservation:\nit rains\nNew task:\nNow what?")));
	ck_assert(!form_is_observation(SLICE("My observation: it rains")));
	ck_assert(!form_is_observation((struct slice){0}));
	const struct slice seen = SLICE("Observation: it rains");
	const struct slice lines = SLICE("\nObservation:\nit rains");
	ck_assert(form_asks_for_tool(SLICE("Thought: I look\nAction: w\nAction Input: {}"), seen));
	ck_assert(form_asks_for_tool(SLICE("Calling tools:\n[{'id': 'call_1'}]"), lines));
	ck_assert(form_asks_for_tool(SLICE("{\"action\": \"w\"}"), seen));
	ck_assert(form_asks_for_tool(SLICE("<code>\nw()\n</code>"), lines));
	ck_assert(form_asks_for_tool(SLICE("```py\nw()\n```"), lines));
	ck_assert(!form_asks_for_tool(SLICE("What did you see?"), lines));
	ck_assert(!form_asks_for_tool((struct slice){0}, seen));
	/* A person's, of code that was given. */
	ck_assert(!form_asks_for_tool(SLICE("Try:\n```py\nw()\n```"), seen));
}
END_TEST

START_TEST(a_frameworks_retry_is_known)
{
	ck_assert(form_is_retry(SLICE("Correct your JSON ONLY RESPONSE, based on the following "
				      "errors:\n1 validation error for X")));
	ck_assert(form_is_retry(SLICE("Validation Error found:\nx\nRecall the function correctly, "
				      "fix the errors")));
	ck_assert(form_is_retry(SLICE("1 validation error:\n```json\n[]\n```\n\nFix the errors and "
				      "try again.")));
	ck_assert(form_is_retry(SLICE("Validation feedback:\nx\n\nFix the errors and try again.")));
	ck_assert(
		form_is_retry(SLICE("Error:\nx\nNow let's retry: take care not to repeat previous "
				    "errors! If you have retried several times, ...\n")));
	ck_assert(form_is_retry(SLICE("Now proceed and carry out this plan.")));
	ck_assert(form_is_retry(SLICE("Now proceed and carry out this plan.\nError:\nx\nNow let's "
				      "retry: take care not to repeat previous errors!")));
	ck_assert(!form_is_retry(SLICE("It does not compile.\n\nFix the errors and try again.")));
	ck_assert(!form_is_retry(SLICE("Now proceed and carry out this plan. I fly on Friday.")));
	ck_assert(!form_is_retry(SLICE("Validation feedback:\nwas good")));
	ck_assert(!form_is_retry((struct slice){0}));
}
END_TEST

START_TEST(frameworks_side_requests_are_known)
{
	static const char *const requests[] = {
		"Given the following conversation and a follow up question, rephrase the follow up "
		"question to be a standalone question.\n\nChat History:\nx\nFollow Up Input: why?\n"
		"Standalone question:",
		"\n  Given the following conversation between a user and an AI assistant and a "
		"follow "
		"up question from user,\n  rephrase.\n\n  Chat History:\n  x\n  Follow Up Input: "
		"why?\n  Standalone question:",
		"Given a conversation (between Human and Assistant) and a follow up message from "
		"Human, rewrite it.\n\n<Chat History>\nx\n\n<Follow Up Message>\nwhy?\n\n"
		"<Standalone question>\n",
		"You are a helpful assistant that generates multiple search queries based on a "
		"single input query.\nQuery: why?\nQueries:\n",
		"The original query is as follows: why?\nWe have provided an existing answer: "
		"so\nWe "
		"have the opportunity to refine it with some more context below.\n------------\nx",
		"You are an AI language model assistant. Your task is\n    to generate 3 different "
		"versions of the given user\n    question. Original question: why?",
		"Progressively summarize the lines of conversation provided.\n\nNew lines of "
		"conversation:\nHuman: x\n\nNew summary:",
		"<role>\nContext Extraction Assistant\n</role>\n<messages>\nMessages to "
		"summarize:\n"
		"x\n</messages>",
		"You are a world expert at analyzing a situation to derive facts.\n\n## 1. Facts "
		"survey\nx",
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		ck_assert_msg(form_is_side_request(slice_of(requests[i])), "%s", requests[i]);
	ck_assert(!form_is_side_request(SLICE("Given the following conversation, who is right?")));
	ck_assert(!form_is_side_request(SLICE("You are a world expert at analyzing a situation.")));
}
END_TEST

/* Quadratic work would run into the test's time limit. */
START_TEST(long_prompts_are_looked_at_once)
{
	static const char *const units[] = {"[[ ## context ## ]]\n", "[[ ## ",
					    "\nQuery: ", "\n\nRespond with ", "\nAnswer:"};
	static const char *const heads[] = {"[[ ## x ## ]]\n",
					    "Context information is below.\n----"};
	for (size_t i = 0; i < 10; i++) {
		struct buffer text;
		buffer_init(&text, 1 << 22);
		buffer_append(&text, slice_of(heads[i % 2]));
		while (text.size < 1 << 20)
			buffer_append(&text, slice_of(units[i / 2]));
		struct slice whole = buffer_slice(&text);
		ck_assert_uint_le(form_own_text(whole, &arena).size, whole.size);
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

UNIT_MAIN("client_frameworks", of_a_prompt_with_documents_the_question_is_the_users,
	  a_prompt_whose_end_is_another_is_all_documents,
	  of_an_agents_prompt_the_question_is_the_users,
	  of_dspys_fields_documents_and_trajectories_are_not_the_users, what_a_user_writes_stays,
	  a_tools_result_in_the_users_place_is_known_behind_its_call, a_frameworks_retry_is_known,
	  frameworks_side_requests_are_known, long_prompts_are_looked_at_once)
