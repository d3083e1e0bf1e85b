#include "core/clients/mail.h"
#include "mail_words_map.h"

#include <string.h>

/* In doubt a text counts as mail: what others wrote must never be learned as the user's words. */

/* Longer lines are ordinary text. */
enum { LONGEST_LINE = 400, LONGEST_GREETING = 80 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct slice mail_line(struct slice text, size_t at, size_t *next)
{
	size_t end = slice_find(text, SLICE("\n"), at);
	*next = end < text.size ? end + 1 : end;
	return slice_part(text, at, end);
}

static bool begins_with_one(struct slice line, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (line.size >= words[i].size &&
		    slice_equal_nocase(slice_part(line, 0, words[i].size), words[i]))
			return true;
	}
	return false;
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
	       begins_with_one(slice_part(line, dashes, line.size), marks, COUNT(marks));
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

static bool is_one_of(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
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
		bool is_from = is_one_of(name, from_names, COUNT(from_names));
		from |= is_from;
		to |= is_one_of(name, to_names, COUNT(to_names));
		subject |= is_one_of(name, subject_names, COUNT(subject_names));
		address |= is_from && slice_find(line, SLICE("@"), 0) < line.size;
	}
	return ((from || to) && subject) || (from && address);
}

/* ---- who wrote ---- */

static bool says_who_wrote(struct slice line)
{
	if (line.size > LONGEST_LINE || !ends_with_colon(line))
		return false;
	bool by_user = slice_find(line, SLICE("I wrote"), 0) < line.size ||
		       slice_find(line, SLICE("ich schrieb"), 0) < line.size;
	for (size_t i = 0; i < COUNT(wrote) && !by_user; i++) {
		if (slice_find(line, wrote[i], 0) < line.size)
			return true;
	}
	return false;
}

bool mail_names_writer(struct slice text, size_t at)
{
	enum { MOST_EMPTY = 3 };
	if (!says_who_wrote(slice_trim(mail_line(text, at, &at))))
		return false;
	struct slice line = {0};
	for (int i = 0; i < MOST_EMPTY && at < text.size && line.size == 0; i++)
		line = slice_trim(mail_line(text, at, &at));
	return slice_starts_with(line, SLICE(">"));
}

bool mail_begins(struct slice text, size_t at)
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
	       begins_with_one(line, greetings, COUNT(greetings));
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
	       begins_with_one(line, farewells, COUNT(farewells)) &&
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

size_t mail_end_of_letter(struct slice text, size_t at, bool *no_end)
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
