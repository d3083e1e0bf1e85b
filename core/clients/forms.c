#include "core/clients/forms.h"

#include <stdlib.h>

#include "core/text/text.h"

/* A side request is known by how it begins and by one or two phrases that follow in this order.
 * Administrators edit these prompts, so no more is asked for than the applications' code or the
 * purpose of the prompt makes likely to stay. */
struct side_form {
	struct slice begins;
	struct slice has;
	struct slice then;
};

#define COMPACTED SLICE("### Messages Being Compacted:")

static const struct side_form side_forms[] = {
	/* Open WebUI, config.py: title, tags, follow-ups, search and retrieval queries, image
	 * prompt, autocompletion. */
	{SLICE("### Task:"), SLICE("<chat_history>"), SLICE("</chat_history>")},
	/* Open WebUI, utils/context_compaction.py: what becomes of the oldest messages. */
	{SLICE("### Task:"), COMPACTED, SLICE("### Recent Messages Kept In Context:")},
	/* The first of them, edited: what utils/task.py puts in place of {{MESSAGES}}. */
	{SLICE(""), SLICE("<chat_history>\nUSER: "), SLICE("</chat_history>")},
	{SLICE(""), SLICE("<chat_history>\nASSISTANT: "), SLICE("</chat_history>")},
	/* Open WebUI, utils/middleware.py: the choice of a tool. */
	{SLICE("History:\n"), SLICE(": \"\"\""), SLICE("\"\"\"\nQuery: ")},
	{SLICE("Query: History:\n"), SLICE("\nQuery: "), SLICE("")},
	/* Open WebUI, config.py: the merging of several models' answers, and the emoji of a call.
	 */
	{SLICE("You have been provided with a set of responses"), SLICE("Responses from models:"),
	 SLICE("")},
	{SLICE("Your task is to reflect the speaker"), SLICE("emoji"), SLICE("Message:")},
	/* Open WebUI until 0.3: the title. */
	{SLICE("Here is the query:"), SLICE("as a title for the previous query"), SLICE("")},
	/* Claude Code: the title. */
	{SLICE("<session>\n"), SLICE("\n</session>"), SLICE("")},
	/* LibreChat, packages/agents title.ts: the title as text, and with its language as JSON. */
	{SLICE("Provide a concise, 5-word-or-less title"), SLICE("Conversation:"), SLICE("")},
	{SLICE("Analyze this conversation and provide:"), SLICE("title"), SLICE("")},
	/* LibreChat until 0.7: the title. */
	{SLICE(""), SLICE("||>User:"), SLICE("||>Title:")},
	/* LibreChat, agents client: its own memory agent, and the label of a reasoning step. */
	{SLICE("# Current Chat:\n"), SLICE("Human: "), SLICE("")},
	{SLICE("Step status: "), SLICE("Visible reasoning snapshot"), SLICE("")},
	/* LlamaIndex, chat_engine: the question made to stand alone; its fusion retriever; the
	 * refining of an answer by further documents. LangChain's is like the first. */
	{SLICE("Given the following conversation"), SLICE("Follow Up Input:"),
	 SLICE("Standalone question:")},
	{SLICE("Given a conversation (between Human and Assistant)"), SLICE("<Follow Up Message>"),
	 SLICE("<Standalone question>")},
	{SLICE("You are a helpful assistant that generates multiple search queries"),
	 SLICE("\nQuery: "), SLICE("\nQueries:")},
	{SLICE("The original query is as follows:"), SLICE("We have provided an existing answer:"),
	 SLICE("more context below.")},
	/* LangChain: its multi-query retriever, and summaries of a conversation. */
	{SLICE("You are an AI language model assistant. Your task is"),
	 SLICE("different versions of the given user"), SLICE("Original question:")},
	{SLICE("Progressively summarize the lines of conversation provided"),
	 SLICE("New lines of conversation:"), SLICE("New summary:")},
	{SLICE("<role>\nContext Extraction Assistant"), SLICE("Messages to summarize:"), SLICE("")},
	/* smolagents: the first plan. */
	{SLICE("You are a world expert at analyzing a situation"), SLICE("Facts survey"),
	 SLICE("")},
};

static bool has_form(struct slice text, const struct side_form *form)
{
	if (!slice_starts_with(text, form->begins))
		return false;
	size_t at = slice_find(text, form->has, form->begins.size);
	if (at == text.size)
		return false;
	return form->then.size == 0 || slice_find(text, form->then, at) < text.size;
}

bool form_is_side_request(struct slice text)
{
	text = slice_trim(text);
	if (text.size == 0)
		return false;
	/* A document that is wrapped round a user's turn may quote any prompt. */
	size_t document = form_find_context(text, 0);
	if (document < slice_find(text, SLICE("<chat_history>"), 0) &&
	    document < slice_find(text, COMPACTED, 0))
		return false;
	for (size_t i = 0; i < sizeof(side_forms) / sizeof(side_forms[0]); i++) {
		if (has_form(text, &side_forms[i]))
			return true;
	}
	return false;
}

/* opencode, session/prompt.ts; before the conversation's own first message. */
#define TITLE SLICE("Generate a title for this conversation:\n")

bool form_leads_side_request(struct slice system, struct slice first_user, struct slice only_user)
{
	static const struct {
		struct slice system;
		struct slice user; /* how the only user message begins; empty: whatever follows */
	} forms[] = {
		{SLICE("You are a title generator."), SLICE("")}, /* opencode */
		/* Open WebUI, utils/memory.py, and utils/middleware.py: the choice of a tool for a
		 * chat's first message. */
		{SLICE("You are Open WebUI's private memory reviewer"), SLICE("")},
		{SLICE("Available Tools:"), SLICE("Query: ")},
	};
	system = slice_trim(system);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (slice_starts_with(system, forms[i].system) &&
		    slice_starts_with(only_user, forms[i].user))
			return true;
	}
	return slice_equal(first_user, TITLE);
}

bool form_is_compaction(struct slice text)
{
	static const struct slice begins[] = {
		/* Claude Code */
		SLICE("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."),
		/* opencode, session/compaction.ts */
		SLICE("Provide a detailed prompt for continuing our conversation above."),
		SLICE("Create a new anchored summary from the conversation history"),
		SLICE("Update the anchored summary below using the conversation history"),
	};
	text = slice_trim(text);
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (slice_starts_with(text, begins[i]))
			return true;
	}
	return false;
}

enum { QUOTE = 200 };
static const uint64_t BASE = 0x9E3779B97F4A7C15;

/* A window of up to QUOTE characters that slides over a text, with a polynomial hash of what is in
 * it. */
struct window {
	struct slice text;
	size_t begin;
	size_t end;
	size_t count;
	uint64_t hash;
};

/* The next character; a run of white space, which clients break anew, is one. False: there is none.
 */
static bool next_character(struct slice text, size_t *at, uint32_t *character)
{
	if (*at == text.size)
		return false;
	*at += text_decode(text, *at, character);
	if (!text_is_space(*character))
		return true;
	uint32_t next;
	size_t size;
	while (*at < text.size && (size = text_decode(text, *at, &next), text_is_space(next)))
		*at += size;
	*character = ' ';
	return true;
}

static uint64_t power(uint64_t base, unsigned exponent)
{
	uint64_t result = 1;
	while (exponent-- > 0)
		result *= base;
	return result;
}

/* Moves on by one character; until the window is full, as many as that takes. */
static bool window_next(struct window *window, uint64_t leaving_weight)
{
	uint32_t character;
	do {
		if (!next_character(window->text, &window->end, &character))
			return false;
		window->hash = window->hash * BASE + character + 1;
		window->count++;
	} while (window->count < QUOTE);
	if (window->count > QUOTE) {
		next_character(window->text, &window->begin, &character);
		window->hash -= (character + 1) * leaving_weight;
		window->count--;
	}
	return true;
}

/* The place of a hash in an open-addressed table, whose free slots are 0. */
static uint64_t *slot_of(uint64_t *slots, size_t mask, uint64_t hash)
{
	size_t at = (size_t)(hash >> 20) & mask;
	while (slots[at] != 0 && slots[at] != hash)
		at = (at + 1) & mask;
	return &slots[at];
}

/* The windows of a text, by their hashes, of which 64 bits are enough to be believed. */
struct window_set {
	uint64_t *slots;
	size_t mask;
	uint64_t weight;
};

static struct window_set windows_of(struct slice text)
{
	size_t capacity = 2;
	while (capacity < 2 * text.size)
		capacity += capacity;
	struct window_set set = {xcalloc(capacity, sizeof(*set.slots)), capacity - 1,
				 power(BASE, QUOTE)};
	struct window window = {.text = text};
	while (window_next(&window, set.weight))
		*slot_of(set.slots, set.mask, window.hash) = window.hash;
	return set;
}

static bool has_window_of(const struct window_set *set, struct slice text)
{
	bool found = false;
	struct window window = {.text = text};
	while (!found && window_next(&window, set->weight))
		found = window.hash != 0 && *slot_of(set->slots, set->mask, window.hash) != 0;
	return found;
}

bool form_quotes_one_of(struct slice text, const struct slice *answers, size_t count)
{
	bool found = false;
	if (text.size < QUOTE)
		return false;
	struct window_set set = windows_of(text);
	for (size_t i = 0; i < count && !found; i++)
		found = answers[i].size >= QUOTE && has_window_of(&set, answers[i]);
	free(set.slots);
	return found;
}

bool form_quotes_answer(struct slice text, struct slice answer)
{
	return form_quotes_one_of(text, &answer, 1);
}
