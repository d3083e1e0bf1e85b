#include "core/clients/forms.h"
#include "core/clients/table.h"

/* Recognizes, by their default prompts, texts that agent and retrieval frameworks send in the
 * user's place or around the user's words. In doubt a text counts as a tool's or a document's. */

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

/* Finds the user's question between `opens` and `closes` in a prompt with documents or tool
 * results. Documents can contain both marks, so the search starts from the end where they are not.
 * A prompt with another ending counts as documents only, since its question may be elsewhere. */
static struct slice question_of(struct slice text, const struct client_form *prompt)
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

/* DSPy, adapters/chat_adapter.py: "[[ ## field ## ]]" above each input, and the field to answer
 * after the last. A ReAct trajectory contains tool results and is the last field. If documents come
 * first, the question is the last field, otherwise what precedes them: documents can name fields,
 * too. */
#define FIELD SLICE("[[ ## ")
#define END_OF_FIELD SLICE(" ## ]]\n")

static size_t find_documents(struct slice text)
{
	static const char *const names[] = {"context ##",  "contexts ##", "passage ##",
					    "passages ##", "document ##", "documents ##",
					    NULL};
	for (size_t at = slice_find(text, FIELD, 0); at < text.size;
	     at = slice_find(text, FIELD, at + 1)) {
		struct slice name = slice_part(text, at + FIELD.size, text.size);
		if (slice_starts_with_any(name, names))
			return at;
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
	const struct client_form *form = client_form_find(FORM_PROMPT, trimmed);
	if (form != NULL)
		return question_of(trimmed, form);
	if (slice_starts_with(trimmed, FIELD))
		return own_fields(trimmed);
	form = client_form_find(FORM_TASK, trimmed);
	if (form != NULL)
		return slice_trim(slice_part(trimmed, form->begins.size, trimmed.size));
	form = client_form_find(FORM_ADDENDUM, trimmed);
	return form != NULL ? slice_part(trimmed, 0, trimmed.size - form->ends.size) : text;
}

bool form_is_observation(struct slice text)
{
	return client_form_find(FORM_OBSERVATION, slice_trim(text)) != NULL;
}

bool form_asks_for_tool(struct slice answer, struct slice observation)
{
	return client_form_find(FORM_TOOL_CALL, answer) != NULL ||
	       (client_form_find(FORM_CODE_OBSERVATION, slice_trim(observation)) != NULL &&
		client_form_find(FORM_CODE, answer) != NULL);
}

bool form_is_retry(struct slice text)
{
	return client_form_find(FORM_RETRY, slice_trim(text)) != NULL;
}

bool form_is_no_answer(struct slice text)
{
	return client_form_find(FORM_NO_ANSWER, text) != NULL;
}
