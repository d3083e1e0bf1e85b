#include "core/clients/forms.h"

#include "core/text/text.h"

/* What frameworks of agents and retrieval send in the user's place or round the user's words, known
 * by their default prompts. In doubt a text counts as a tool's or a document's here, too. */

static size_t find_last(struct slice text, struct slice part)
{
	size_t last = text.size;
	for (size_t at = slice_find(text, part, 0); at < text.size;
	     at = slice_find(text, part, at + 1))
		last = at;
	return last;
}

static struct slice before_last(struct slice text, struct slice part)
{
	return slice_part(text, 0, find_last(text, part));
}

/* A prompt with documents, or a tool's results, and the user's question between `opens` and
 * `closes`. Documents can say both, so the question is sought from the end that they are not at,
 * and a prompt that ends otherwise, which may well have the question elsewhere, is all documents.
 */
struct prompt {
	struct slice begins;
	struct slice opens;
	struct slice closes;
	bool question_first;
	bool may_end_open; /* without `closes`, as it is often written */
};

static const struct prompt prompts[] = {
	/* LlamaIndex, default_prompts.py: question answering, tree summarize. */
	{SLICE("Context information is below.\n----"), SLICE("\nQuery: "), SLICE("\nAnswer:"),
	 false, false},
	{SLICE("Context information from multiple sources is below.\n----"), SLICE("\nQuery: "),
	 SLICE("\nAnswer:"), false, false},
	/* LangChain, question_answering/stuff_prompt.py. */
	{SLICE("Use the following pieces of context to answer the question at the end."),
	 SLICE("\nQuestion: "), SLICE("\nHelpful Answer:"), false, false},
	/* LangChain's expression language guide. */
	{SLICE("Answer the question based only on the following context:"), SLICE("\nQuestion: "),
	 SLICE("\nAnswer:"), false, true},
	/* LangChain's hub, rlm/rag-prompt. */
	{SLICE("You are an assistant for question-answering tasks. Use the following pieces of "
	       "retrieved context"),
	 SLICE("\nQuestion: "), SLICE("\nContext: "), true, false},
	/* LangChain, agents/react/agent.py: each step sends the ones before it in one message. */
	{SLICE("Answer the following questions as best you can. You have access to the following "
	       "tools:"),
	 SLICE("\nBegin!\n\nQuestion: "), SLICE("\nThought:"), true, false},
};

static struct slice question_of(struct slice text, const struct prompt *prompt)
{
	struct slice rest = slice_part(text, prompt->begins.size, text.size);
	size_t opens = prompt->question_first ? slice_find(rest, prompt->opens, 0)
					      : find_last(rest, prompt->opens);
	if (opens == rest.size)
		return (struct slice){0};
	rest = slice_part(rest, opens + prompt->opens.size, rest.size);
	bool is_open = !prompt->question_first && !slice_ends_with(rest, prompt->closes);
	if (is_open && !prompt->may_end_open)
		return (struct slice){0};
	size_t closes = prompt->question_first ? slice_find(rest, prompt->closes, 0)
					       : find_last(rest, prompt->closes);
	return slice_trim(slice_part(rest, 0, closes));
}

/* DSPy, adapters/chat_adapter.py: "[[ ## field ## ]]" above each input, and what is to be answered
 * behind the last. A ReAct's trajectory holds tools' results and is the last field. Of documents
 * that are the first the question is the last, of others what is before them: they can name fields,
 * too. */
#define FIELD SLICE("[[ ## ")
#define END_OF_FIELD SLICE(" ## ]]\n")

static size_t find_documents(struct slice text)
{
	static const struct slice names[] = {SLICE("context ##"),  SLICE("contexts ##"),
					     SLICE("passage ##"),  SLICE("passages ##"),
					     SLICE("document ##"), SLICE("documents ##")};
	for (size_t at = slice_find(text, FIELD, 0); at < text.size;
	     at = slice_find(text, FIELD, at + 1)) {
		struct slice name = slice_part(text, at + FIELD.size, text.size);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (slice_starts_with(name, names[i]))
				return at;
		}
	}
	return text.size;
}

static struct slice own_fields(struct slice text)
{
	text = before_last(text, SLICE("\n\nRespond with "));
	text = slice_part(text, 0, slice_find(text, SLICE("[[ ## trajectory ## ]]"), 0));
	size_t documents = find_documents(text);
	size_t last = find_last(text, FIELD);
	if (documents > 0)
		text = slice_part(text, 0, documents);
	else
		text = slice_part(text, last, last == documents ? last : text.size);
	size_t named = slice_find(text, END_OF_FIELD, 0);
	if (named < text.size)
		text = slice_part(text, named + END_OF_FIELD.size, text.size);
	return slice_trim(text);
}

struct slice form_without_prompt(struct slice text)
{
	struct slice trimmed = slice_trim(text);
	for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++) {
		if (slice_starts_with(trimmed, prompts[i].begins))
			return question_of(trimmed, &prompts[i]);
	}
	if (slice_starts_with(trimmed, FIELD))
		return own_fields(trimmed);
	/* smolagents, memory.py: the task. */
	const struct slice task = SLICE("New task:\n");
	if (slice_starts_with(trimmed, task))
		return slice_trim(slice_part(trimmed, task.size, trimmed.size));
	/* instructor, its mode MD_JSON: behind the newest message. */
	const struct slice json = SLICE("\n\nReturn the correct JSON response within a ```json "
					"codeblock. not the JSON_SCHEMA");
	return slice_ends_with(trimmed, json) ? slice_part(trimmed, 0, trimmed.size - json.size)
					      : text;
}

bool form_is_observation(struct slice text)
{
	return slice_starts_with(slice_trim(text), SLICE("Observation:"));
}

static bool has_any(struct slice text, const struct slice *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_find(text, parts[i], 0) < text.size)
			return true;
	}
	return false;
}

bool form_asks_for_tool(struct slice answer, struct slice observation)
{
	static const struct slice calls[] = {
		SLICE("Action:"),        /* ReAct, as LlamaIndex and LangChain have it */
		SLICE("\"action\""),     /* the same as JSON */
		SLICE("Calling tools:"), /* smolagents */
	};
	/* smolagents' code, whose result has lines of its own; a person may answer any code with
	 * "Observation: it crashes". */
	static const struct slice code[] = {SLICE("<code>"), SLICE("```")};
	return has_any(answer, calls, sizeof(calls) / sizeof(calls[0])) ||
	       (slice_starts_with(slice_trim(observation), SLICE("Observation:\n")) &&
		has_any(answer, code, sizeof(code) / sizeof(code[0])));
}

#define RETRY SLICE("Now let's retry: take care not to repeat previous errors!")
#define PROCEED SLICE("Now proceed and carry out this plan.")

bool form_is_retry(struct slice text)
{
	static const struct {
		struct slice begins;
		struct slice has;
		struct slice ends;
	} retries[] = {
		/* instructor */
		{SLICE("Correct your JSON ONLY RESPONSE, based on the following errors:"),
		 SLICE(""), SLICE("")},
		{SLICE("Validation Error"), SLICE("Recall the function correctly, fix the errors"),
		 SLICE("")},
		/* pydantic-ai, RetryPromptPart */
		{SLICE(""), SLICE(" validation error"), SLICE("\n\nFix the errors and try again.")},
		{SLICE("Validation feedback:\n"), SLICE(""),
		 SLICE("\n\nFix the errors and try again.")},
		/* smolagents, memory.py */
		{SLICE("Error:\n"), RETRY, SLICE("")},
		{SLICE("Call id: "), RETRY, SLICE("")},
		{PROCEED, SLICE(""), PROCEED},
		{PROCEED, RETRY, SLICE("")}, /* two messages that became one */
	};
	text = slice_trim(text);
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
		if (slice_starts_with(text, retries[i].begins) &&
		    slice_ends_with(text, retries[i].ends) &&
		    (retries[i].has.size == 0 || slice_find(text, retries[i].has, 0) < text.size))
			return true;
	}
	return false;
}
