#include "core/clients/forms.h"

#include "core/base/ids.h"
#include "core/clients/table.h"
#include "core/text/text.h"

bool form_is_side_request(struct slice text)
{
	text = slice_trim(text);
	if (text.size == 0)
		return false;
	/* A document wrapped around a user's turn may quote any prompt. */
	size_t document = form_find_context(text, 0);
	if (document < slice_find(text, SLICE("<chat_history>"), 0) &&
	    document < slice_find(text, SLICE(CLIENT_COMPACTED), 0))
		return false;
	return client_form_find(FORM_SIDE, text) != NULL;
}

bool form_leads_side_request(struct slice system, struct slice first_user, struct slice only_user)
{
	const struct client_form *form = client_form_find(FORM_SIDE_SYSTEM, slice_trim(system));
	return (form != NULL && slice_starts_with(only_user, form->user)) ||
	       client_form_find(FORM_SIDE_FIRST, first_user) != NULL;
}

bool form_is_compaction(struct slice text)
{
	return client_form_find(FORM_COMPACTION, slice_trim(text)) != NULL;
}

const char *form_side_header(size_t index)
{
	return index < client_side_header_count ? client_side_headers[index].name : NULL;
}

enum { QUOTE = 200 };
static const uint64_t BASE = 0x9E3779B97F4A7C15;

/* A window of up to QUOTE characters that slides over a text, with a polynomial hash of its
 * content. */
struct window {
	struct slice text;
	size_t begin;
	size_t end;
	size_t count;
	uint64_t hash;
};

/* Reads the next character; a run of white space, which clients may break differently, counts as
 * one. False: there is none. */
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

/* Advances by one character, or until the window is full. */
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

/* Adds the windows of a text by their hashes; 64 bits are enough to rely on. */
static void add_windows(struct id_set *set, struct slice text, uint64_t weight)
{
	struct window window = {.text = text};
	while (window_next(&window, weight))
		id_set_add(set, window.hash);
}

static bool has_window_of(const struct id_set *set, struct slice text, uint64_t weight)
{
	bool found = false;
	struct window window = {.text = text};
	while (!found && window_next(&window, weight))
		found = id_set_has(set, window.hash);
	return found;
}

bool form_quotes_one_of(struct slice text, const struct slice *answers, size_t count)
{
	bool found = false;
	if (text.size < QUOTE)
		return false;
	const uint64_t weight = power(BASE, QUOTE);
	struct id_set set;
	id_set_init(&set, text.size);
	add_windows(&set, text, weight);
	for (size_t i = 0; i < count && !found; i++)
		found = answers[i].size >= QUOTE && has_window_of(&set, answers[i], weight);
	id_set_finish(&set);
	return found;
}
