#include "core/text/text.h"

#include <string.h>

/* Marks that local servers and their clients write around a model's reasoning. */
static const struct {
	struct slice open;
	struct slice close;
} forms[] = {
	{SLICE("<think>"), SLICE("</think>")},
	{SLICE("<thinking>"), SLICE("</thinking>")},
	{SLICE("<reason>"), SLICE("</reason>")},
	{SLICE("<reasoning>"), SLICE("</reasoning>")},
	{SLICE("<thought>"), SLICE("</thought>")},
	{SLICE("<Thought>"), SLICE("</Thought>")},
	{SLICE("<|begin_of_thought|>"), SLICE("<|end_of_thought|>")},
	{SLICE("<details type=\"reasoning\""), SLICE("</details>")},
	{SLICE("◁think▷"), SLICE("◁/think▷")},
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* The form that opens at `at`, or FORMS. The byte after it rules out most "<". */
static unsigned form_at(struct slice text, size_t at)
{
	struct slice rest = slice_part(text, at, text.size);
	if (rest.size < 2 || (rest.data[0] == '<' && strchr("tTr|d", rest.data[1]) == NULL))
		return FORMS;
	unsigned form = 0;
	while (form < FORMS && !slice_starts_with(rest, forms[form].open))
		form++;
	return form;
}

/* The end of a reasoning whose opening tag was part of the prompt, or 0. */
static size_t end_of_headless(struct slice text)
{
	const struct slice close = forms[0].close;
	size_t at = slice_find(text, close, 0);
	if (at == text.size || slice_find(text, forms[0].open, 0) < at)
		return 0;
	size_t end = at + close.size;
	bool begins_line = at == 0 || text.data[at - 1] == '\n';
	bool ends_line = end == text.size || text.data[end] == '\n' || text.data[end] == '\r';
	return begins_line && ends_line ? end : 0;
}

/* Tries the form that opens at `at`. A form found unclosed once is not searched for again, which
 * keeps the walk linear. */
static bool take(struct reasoning_walk *walk, unsigned form, size_t at, bool leads)
{
	if (walk->unclosed & 1U << form)
		return false;
	struct slice close = forms[form].close;
	size_t found = slice_find(walk->text, close, at + forms[form].open.size);
	if (found == walk->text.size) {
		walk->unclosed |= 1U << form;
		if (!leads)
			return false;
	}
	walk->begin = at;
	walk->end = found == walk->text.size ? found : found + close.size;
	return true;
}

/* "<" or the first byte of "◁". */
static bool may_begin_form(char c)
{
	return (c == '<') | (c == '\xE2');
}

enum { BLOCK = 32 };

/* The loop has no branches, so that compilers can vectorize it. */
static bool block_may_begin_form(const char *block)
{
	uint8_t any = 0;
	for (size_t i = 0; i < BLOCK; i++)
		any |= may_begin_form(block[i]);
	return any != 0;
}

static size_t next_candidate(struct slice text, size_t at)
{
	while (text.size - at >= BLOCK && !block_may_begin_form(text.data + at))
		at += BLOCK;
	while (at < text.size && !may_begin_form(text.data[at]))
		at++;
	return at;
}

bool text_next_reasoning(struct reasoning_walk *walk)
{
	struct slice text = walk->text;
	if (text.size == 0)
		return false;
	if (!walk->started) {
		walk->started = true;
		walk->end = end_of_headless(text);
		if (walk->end > 0)
			return true;
	}
	size_t from = walk->end;
	bool leads = from == 0;
	for (size_t at = next_candidate(text, from); at < text.size;
	     at = next_candidate(text, at + 1)) {
		unsigned form = form_at(text, at);
		if (form == FORMS)
			continue;
		leads = leads && slice_is_blank(slice_part(text, from, at));
		if (take(walk, form, at, leads))
			return true;
	}
	return false;
}

struct slice text_without_reasoning(struct slice text, struct arena *arena)
{
	struct reasoning_walk walk = {.text = text};
	if (!text_next_reasoning(&walk))
		return text;
	struct buffer kept;
	buffer_init(&kept, text.size);
	size_t from = 0;
	do {
		buffer_append(&kept, slice_part(text, from, walk.begin));
		from = walk.end;
	} while (text_next_reasoning(&walk));
	buffer_append(&kept, slice_part(text, from, text.size));
	struct slice copy = arena_copy(arena, slice_trim(buffer_slice(&kept)));
	buffer_finish(&kept);
	return copy;
}
