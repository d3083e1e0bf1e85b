/* Dates: in figures, and with the names of months. */
#include "core/pii/parts.h"
#include "core/recall/dates.h"
#include "lists.h"

struct day {
	unsigned year; /* 0: not given */
	unsigned month;
	unsigned day;
};

static bool is_day(struct day day)
{
	bool is_year = day.year < 100 || (day.year >= 1850 && day.year < 2100);
	return is_year && day.month >= 1 && day.month <= 12 && day.day >= 1 && day.day <= 31;
}

/* Reads a number of `least` to `most` digits. */
static bool read_number(struct slice text, size_t *at, size_t least, size_t most, unsigned *number)
{
	size_t begin = *at;
	*number = 0;
	while (pii_is_digit(pii_at(text, *at)) && *at - begin < most)
		*number = *number * 10 + (unsigned)(text.data[(*at)++] - '0');
	return *at - begin >= least && !pii_is_digit(pii_at(text, *at));
}

static size_t skip(struct slice text, size_t at, struct slice mark)
{
	return slice_starts_with(slice_part(text, at, text.size), mark) ? at + mark.size : at;
}

static size_t skip_spaces(struct slice text, size_t at)
{
	enum { MOST = 2 };
	for (size_t i = 0; i < MOST && pii_at(text, at) == ' '; i++)
		at++;
	return at;
}

/* 5.3.1990, 3/5/1990, 1990-03-05, and "5. 3. 1990". With dashes, the year has four digits: "7-9-20"
 * may be a house. */
static bool read_figures(struct slice text, size_t at, size_t *end)
{
	unsigned numbers[3] = {0};
	char gap = '\0';
	size_t first = 0; /* digits */
	size_t size = 0;
	for (size_t i = 0; i < 3; i++) {
		size_t begin = at;
		if (!read_number(text, &at, 1, 4, &numbers[i]))
			return false;
		size = at - begin;
		if (i == 0)
			first = size;
		if (i == 2)
			break;
		char c = pii_at(text, at++);
		if ((c != '-' && c != '/' && c != '.') || (i > 0 && c != gap) || size == 3)
			return false;
		gap = c;
		at = c == '.' ? skip(text, at, SLICE(" ")) : at;
	}
	*end = at;
	bool goes_on = pii_at(text, at) == gap && pii_is_digit(pii_at(text, at + 1));
	if (goes_on || (gap == '-' && first != 4 && size != 4))
		return false;
	if (first == 4)
		return is_day((struct day){numbers[0], numbers[1], numbers[2]});
	return is_day((struct day){numbers[2], numbers[1], numbers[0]}) ||
	       is_day((struct day){numbers[2], numbers[0], numbers[1]});
}

/* 1990年3月5日, 3月5日; Korean with spaces */
static bool read_signs(struct slice text, size_t at, size_t *end)
{
	static const struct slice signs[][2] = {
		{SLICE("\u5e74"), SLICE("\ub144")},
		{SLICE("\u6708"), SLICE("\uc6d4")},
		{SLICE("\u65e5"), SLICE("\uc77c")},
	};
	unsigned numbers[3] = {0};
	for (size_t i = 0; i < 3; i++) {
		size_t next = at;
		if (!read_number(text, &next, 1, i == 0 ? 4 : 2, &numbers[i]))
			return false;
		size_t behind = skip(text, skip(text, next, signs[i][0]), signs[i][1]);
		if (behind == next && i == 0)
			numbers[0] = 0; /* no year: it is read again as the month */
		else if (behind == next)
			return false;
		else
			at = i < 2 ? skip_spaces(text, behind) : behind;
	}
	*end = at;
	return is_day((struct day){numbers[0], numbers[1], numbers[2]});
}

/* ---- with the month's name ---- */

static size_t end_of_word(struct slice text, size_t at)
{
	enum { LONGEST = 32 };
	size_t end = at;
	while (end - at < LONGEST &&
	       (pii_is_letter(pii_at(text, end)) || (unsigned char)pii_at(text, end) >= 0x80))
		end++;
	return end;
}

/* Also short names that are other words elsewhere: next to a day they are months. */
static bool is_month(struct slice word)
{
	enum { SHORTEST = 3 };
	struct date_token token;
	if (word.size < SHORTEST)
		return false;
	return slice_is_any(word, list_short_months) ||
	       (date_word_find(word, &token) &&
		(token.kind == DATE_MONTH || token.kind == DATE_MODAL_MONTH));
}

/* Separators between a day, a month and a year. */
static size_t skip_joint(struct slice text, size_t at)
{
	at = skip(text, skip(text, at, SLICE(".")), SLICE(","));
	at = skip_spaces(text, at);
	for (const char *const *joint = list_month_joints; *joint != NULL; joint++) {
		if (pii_at(text, at) == (*joint)[0])
			at = skip(text, at, slice_of(*joint));
	}
	return at;
}

static size_t skip_ordinal(struct slice text, size_t at)
{
	for (const char *const *end = list_ordinals; *end != NULL; end++) {
		if (pii_at(text, at) != (*end)[0])
			continue;
		size_t behind = skip(text, at, slice_of(*end));
		if (behind > at && !pii_goes_on_behind(text, behind))
			return behind;
	}
	return at;
}

/* A year may follow. */
static size_t behind_year(struct slice text, size_t at)
{
	unsigned year;
	size_t next = skip_joint(text, at);
	bool has_year = next > at && read_number(text, &next, 4, 4, &year) && year >= 1850 &&
			year < 2100 && !pii_goes_on_behind(text, next);
	return has_year ? next : at;
}

static bool read_named(struct slice text, size_t at, size_t *end)
{
	unsigned day;
	if (!read_number(text, &at, 1, 2, &day) || day < 1 || day > 31)
		return false;
	at = skip_joint(text, skip_ordinal(text, at));
	size_t behind = end_of_word(text, at);
	if (!is_month(slice_part(text, at, behind)))
		return false;
	*end = behind_year(text, behind);
	return true;
}

/* "May 5, 1990" */
static bool follows_month(const struct pii_scan *scan, size_t at, size_t *begin, size_t *end)
{
	enum { MOST_SIGNS = 2 };
	unsigned day;
	const struct pii_seen *word = &scan->last_word;
	struct slice text = scan->text;
	if (!word->is_there || word->end > at || at - word->end > MOST_SIGNS ||
	    !is_month(slice_part(text, word->begin, word->end)) ||
	    !read_number(text, &at, 1, 2, &day) || day < 1 || day > 31)
		return false;
	*begin = word->begin;
	*end = behind_year(text, skip_ordinal(text, at));
	return !pii_goes_on_behind(text, *end);
}

/* Whether a word follows the day's digits, as it does in "5th of May": most numbers have none. */
static bool precedes_word(struct slice text, size_t at)
{
	enum { MOST_SIGNS = 4 };
	for (size_t signs = 0; signs <= MOST_SIGNS; signs++, at++) {
		char c = pii_at(text, at);
		if (c != ' ' && c != '.' && c != ',')
			return pii_is_letter(c) || (unsigned char)c >= 0x80;
	}
	return false;
}

static bool find(const struct pii_scan *scan, size_t at, size_t end, struct pii_span *span)
{
	struct slice text = scan->text;
	const char behind = pii_at(text, end);
	const bool is_figures = behind == '-' || behind == '/' || behind == '.';
	if (is_figures && read_figures(text, at, &span->end) &&
	    !pii_goes_on_behind(text, span->end))
		return true;
	return ((unsigned char)behind >= 0x80 && read_signs(text, at, &span->end)) ||
	       (precedes_word(text, end) && read_named(text, at, &span->end)) ||
	       follows_month(scan, at, &span->begin, &span->end);
}

bool pii_date(const struct pii_scan *scan, size_t at, size_t end, struct pii_span *span)
{
	enum { MOST_DIGITS = 4 };
	*span = (struct pii_span){.begin = at, .class = PII_BIRTH_DATE};
	return end - at <= MOST_DIGITS && find(scan, at, end, span) &&
	       !pii_goes_on_before(scan->text, at);
}
