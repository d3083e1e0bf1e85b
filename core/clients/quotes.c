#include "core/base/bytes.h"
#include "core/clients/forms.h"
#include "core/clients/table.h"
#include "core/clients/tags.h"
#include "lists.h"

#include <string.h>

/* Mail in a user's message: text by others that the user passes on. */

/* In doubt a text counts as mail: what others wrote must never be learned as the user's words. */

/* Longer lines are ordinary text. */
enum { LONGEST_LINE = 400, LONGEST_GREETING = 80 };

/* The line that begins at `at`, without its line break, and where the next one begins. */
static struct slice mail_line(struct slice text, size_t at, size_t *next)
{
	size_t end = slice_find(text, SLICE("\n"), at);
	*next = end < text.size ? end + 1 : end;
	return slice_part(text, at, end);
}

static bool begins_with(struct slice line, struct slice phrase)
{
	return line.size >= phrase.size &&
	       slice_equal_nocase(slice_part(line, 0, phrase.size), phrase);
}

/* The place after those of `bytes` that the line begins with. */
static size_t behind(struct slice line, const char *bytes)
{
	size_t at = 0;
	while (at < line.size && line.data[at] != '\0' && strchr(bytes, line.data[at]) != NULL)
		at++;
	return at;
}

static bool ends_with_colon(struct slice line)
{
	return slice_ends_with(line, SLICE(":")) || slice_ends_with(line, SLICE("\uFF1A"));
}

/* ---- marks and heads ---- */

static bool is_mark(struct slice line)
{
	enum { FEWEST_DASHES = 3 };
	size_t dashes = behind(line, "-_=* ");
	return (dashes >= FEWEST_DASHES || ends_with_colon(line)) &&
	       slice_is_any_by(slice_part(line, dashes, line.size), list_mail_marks, begins_with);
}

/* The text before the colon; empty: the line is not a header field. */
static struct slice field_name(struct slice line)
{
	enum { LONGEST_NAME = 24 };
	line = slice_part(line, behind(line, "* "), line.size);
	size_t wide = slice_find(line, SLICE("\uFF1A"), 0);
	size_t colon = slice_find(line, SLICE(":"), 0);
	struct slice name = slice_part(line, 0, colon < wide ? colon : wide);
	if (name.size == line.size || name.size > LONGEST_NAME)
		return (struct slice){0};
	while (name.size > 0 &&
	       (name.data[name.size - 1] == '*' || name.data[name.size - 1] == ' '))
		name.size--;
	return name;
}

/* A mail header names sender or recipient and a subject, or an address. Users also write from where
 * to where they travel. */
static bool is_head(struct slice text, size_t at)
{
	enum { MOST_FIELDS = 8 };
	bool from = false;
	bool to = false;
	bool subject = false;
	bool address = false;
	for (int i = 0; i < MOST_FIELDS && at < text.size; i++) {
		struct slice line = slice_trim(mail_line(text, at, &at));
		struct slice name = line.size < LONGEST_LINE ? field_name(line) : (struct slice){0};
		if (name.size == 0)
			break;
		bool is_from = slice_is_any_nocase(name, list_mail_from);
		from |= is_from;
		to |= slice_is_any_nocase(name, list_mail_to);
		subject |= slice_is_any_nocase(name, list_mail_subject);
		address |= is_from && slice_find(line, SLICE("@"), 0) < line.size;
	}
	return ((from || to) && subject) || (from && address);
}

/* ---- who wrote ---- */

static bool says_who_wrote(struct slice line)
{
	if (line.size > LONGEST_LINE || !ends_with_colon(line))
		return false;
	return slice_has_any(line, list_mail_wrote) && !slice_has_any(line, list_mail_own);
}

/* Whether the line only says who wrote the quoted lines after it. */
static bool mail_names_writer(struct slice text, size_t at)
{
	enum { MOST_EMPTY = 3 };
	if (!says_who_wrote(slice_trim(mail_line(text, at, &at))))
		return false;
	struct slice line = {0};
	for (int i = 0; i < MOST_EMPTY && at < text.size && line.size == 0; i++)
		line = slice_trim(mail_line(text, at, &at));
	return slice_starts_with(line, SLICE(">"));
}

/* Whether mail begins with the line at `at`: a forwarding mark, header lines, or "On ... wrote:"
 * without a quoted line after it. The mail extends to the end of the text. */
static bool mail_begins(struct slice text, size_t at)
{
	size_t next;
	struct slice line = slice_trim(mail_line(text, at, &next));
	if (line.size == 0 || line.size > LONGEST_LINE)
		return false;
	return is_mark(line) || is_head(text, at) ||
	       (says_who_wrote(line) && !mail_names_writer(text, at));
}

/* ---- letters ---- */

static bool is_greeting(struct slice line)
{
	return line.size <= LONGEST_GREETING &&
	       (slice_ends_with(line, SLICE(",")) || slice_ends_with(line, SLICE("!"))) &&
	       slice_is_any_by(line, list_mail_greetings, begins_with);
}

/* "Thanks for your letter." is not one. */
static bool is_farewell(struct slice line)
{
	enum { MOST_BLANKS = 2 };
	size_t blanks = 0;
	for (size_t i = 0; i < line.size && line.size <= LONGEST_GREETING; i++)
		blanks += line.data[i] == ' ';
	if (blanks > MOST_BLANKS && !slice_ends_with(line, SLICE(",")))
		return false;
	return line.size <= LONGEST_GREETING &&
	       slice_is_any_by(line, list_mail_farewells, begins_with) &&
	       slice_find(line, SLICE("?"), 0) == line.size;
}

/* The end of the name under a farewell, on one line; otherwise the end of the farewell. */
static size_t end_of_name(struct slice text, size_t at)
{
	enum { LONGEST_NAME = 40 };
	size_t next = at;
	struct slice line = {0};
	while (next < text.size && line.size == 0)
		line = slice_trim(mail_line(text, next, &next));
	bool is_name = line.size > 0 && line.size <= LONGEST_NAME &&
		       strchr(".?!:", line.data[line.size - 1]) == NULL;
	return is_name ? next : at;
}

/* The end of a letter, from "Dear ..." on its own line to "Regards" and the name after it; `at` if
 * none begins there. A message that is nothing but a letter is the user's own. Sets `no_end` if no
 * letter ends after `at`, so that the caller need not search again. */
static size_t mail_end_of_letter(struct slice text, size_t at, bool *no_end)
{
	size_t next;
	if (*no_end || !is_greeting(slice_trim(mail_line(text, at, &next))))
		return at;
	while (next < text.size) {
		struct slice line = slice_trim(mail_line(text, next, &next));
		if (!is_farewell(line))
			continue;
		size_t end = end_of_name(text, next);
		bool is_all = slice_trim(slice_part(text, 0, at)).size == 0 &&
			      slice_trim(slice_part(text, end, text.size)).size == 0;
		return is_all ? at : end;
	}
	*no_end = true;
	return at;
}

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
