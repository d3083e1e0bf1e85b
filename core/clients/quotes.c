#include "core/clients/forms.h"
#include "core/clients/mail.h"
#include "core/clients/table.h"
#include "core/clients/tags.h"

#include <string.h>

/* Finds what a user's message contains besides the user's own words: quoted lines, code, mail and
 * letters by others, and elements of any name that wrap a text. */

/* The most unclosed names that are searched for through the whole text. */
enum { MOST_UNCLOSED = 32 };

struct reading {
	struct slice text;
	unsigned unclosed; /* names searched for in vain */
	bool no_letter_end;
	bool no_inline_end;
	bool no_triple_end;
};

/* Whether the element holds the user's own words. */
static bool is_own_element(struct slice name)
{
	return client_element_find(ELEMENT_OWN, name) < client_element_count;
}

static size_t skip_blanks(struct slice text, size_t at)
{
	while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t'))
		at++;
	return at;
}

/* How many times the byte at `at` is repeated. */
static size_t run_at(struct slice text, size_t at)
{
	size_t end = at;
	while (end < text.size && text.data[end] == text.data[at])
		end++;
	return end - at;
}

/* The end of the fenced code (CommonMark, section 4.5) whose opening fence is at `mark`; `mark` if
 * none begins there. Without a closing fence it extends to the end. */
static size_t end_of_fenced(struct slice text, size_t mark)
{
	char c = text.data[mark];
	size_t size = run_at(text, mark);
	size_t at;
	struct slice first = mail_line(text, mark + size, &at);
	if ((c != '`' && c != '~') || size < 3 ||
	    (c == '`' && slice_find(first, SLICE("`"), 0) < first.size))
		return mark;
	while (at < text.size) {
		struct slice line = slice_trim(mail_line(text, at, &at));
		if (line.size >= size && line.data[0] == c && run_at(line, 0) == line.size)
			return at;
	}
	return text.size;
}

/* The end of the text between two `"""`, which are common in prompts. */
static size_t end_of_triple(struct reading *reading, size_t mark)
{
	const struct slice triple = SLICE("\"\"\"");
	struct slice text = reading->text;
	if (reading->no_triple_end || !slice_starts_with(slice_part(text, mark, text.size), triple))
		return mark;
	size_t close = slice_find(text, triple, mark + triple.size);
	reading->no_triple_end = close == text.size;
	return close < text.size ? close + triple.size : mark;
}

static size_t end_of_element(struct reading *reading, size_t mark)
{
	struct tag tag;
	if (reading->unclosed == MOST_UNCLOSED || !tag_read_opening(reading->text, mark, &tag) ||
	    is_own_element(tag.name))
		return mark;
	size_t end = tag_end_of_element(reading->text, tag.name, tag.end);
	if (end > tag.end)
		return end;
	reading->unclosed++;
	return mark;
}

/* The end of text by others that begins with the line at `at`; `at` if the line is the user's. */
static size_t end_of_foreign(struct reading *reading, size_t at)
{
	struct slice text = reading->text;
	size_t mark = skip_blanks(text, at);
	size_t next;
	if (mark == text.size || text.data[mark] == '\n')
		return at;
	(void)mail_line(text, mark, &next);
	if (text.data[mark] == '>' || mail_names_writer(text, mark))
		return next;
	if (mail_begins(text, mark))
		return text.size;
	size_t ends[] = {end_of_fenced(text, mark), end_of_triple(reading, mark),
			 end_of_element(reading, mark)};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i] > mark)
			return ends[i];
	}
	size_t letter = mail_end_of_letter(text, mark, &reading->no_letter_end);
	return letter > mark ? letter : at;
}

/* Where code in a line, between triple backticks, begins at or after `at` and before `end`;
 * `behind` receives its end. `end`: there is none. */
static size_t find_inline(struct reading *reading, size_t at, size_t end, size_t *behind)
{
	const struct slice ticks = SLICE("```");
	struct slice text = reading->text;
	size_t open = slice_find(slice_part(text, 0, end), ticks, at);
	if (reading->no_inline_end || open == end)
		return end;
	size_t close = slice_find(text, ticks, open + ticks.size);
	reading->no_inline_end = close == text.size;
	if (close == text.size)
		return end;
	*behind = close + run_at(text, close);
	return open;
}

/* Where text by others begins at or after `at`, and its end; the text's size: there is none. */
static size_t find_foreign(struct reading *reading, size_t at, size_t *behind)
{
	struct slice text = reading->text;
	while (at < text.size) {
		size_t next;
		(void)mail_line(text, at, &next);
		*behind = end_of_foreign(reading, at);
		if (*behind > at)
			return at;
		size_t code = find_inline(reading, at, next, behind);
		if (code < next)
			return code;
		at = next;
	}
	return text.size;
}

struct slice form_own_words(struct slice own, struct arena *arena)
{
	struct reading reading = {.text = own};
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	size_t from = 0;
	size_t behind = 0;
	size_t at = find_foreign(&reading, 0, &behind);
	for (; at < own.size; at = find_foreign(&reading, from, &behind)) {
		buffer_append(&out, slice_part(own, from, at));
		buffer_append(&out, SLICE("\n"));
		from = behind;
	}
	struct slice words = own;
	if (from > 0) {
		buffer_append(&out, slice_part(own, from, own.size));
		words = arena_copy(arena, slice_trim(buffer_slice(&out)));
	}
	buffer_finish(&out);
	return words;
}
