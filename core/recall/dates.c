#include "core/recall/dates.h"

#include "core/base/word_map.h"
#include "core/text/text.h"
#include "date_words_map.h"

#include <string.h>
#include <time.h>

/* The words of dates: months, weekdays, "last", "ago", in the languages of many users. */

enum { LONGEST = 32 };

/* The number of the word's row, from 1; 0: it is in none. */
static uint32_t row_of(struct slice word)
{
	uint32_t row = word_map_find(&date_words_maps[0], word_hash(word));
	if (row != 0 || word.size == 0 || !date_words_open[(unsigned char)word.data[0]])
		return row;
	char open[LONGEST + 1];
	for (size_t size = 1; row == 0 && size <= word.size && size <= LONGEST; size++) {
		memcpy(open, word.data, size);
		open[size] = '*';
		row = word_map_find(&date_words_maps[0], word_hash((struct slice){open, size + 1}));
	}
	return row;
}

bool date_word_find(struct slice word, struct date_token *token)
{
	uint32_t row = row_of(word);
	if (row == 0)
		return false;
	*token = (struct date_token){date_rows[row - 1].kind, date_rows[row - 1].value};
	return true;
}

enum { MAX_TOKENS = 256, DAY = 24 * 60 * 60, FIRST_YEAR = 1900, LAST_YEAR = 2199 };

struct reader {
	struct date_token tokens[MAX_TOKENS];
	size_t count;
	struct recall_period *periods;
	size_t found;
	int64_t now; /* seconds */
	struct tm today;
};

/* "7", "07", "7th", "1er". */
static bool read_number(struct slice word, struct date_token *token)
{
	size_t digits = 0;
	int value = 0;
	for (; digits < word.size && word.data[digits] >= '0' && word.data[digits] <= '9';
	     digits++) {
		if (digits == 4)
			return false;
		value = value * 10 + (word.data[digits] - '0');
	}
	if (digits == 0 || word.size - digits > 2)
		return false;
	*token = (struct date_token){DATE_NUMBER, value};
	return true;
}

static void add_token(struct reader *reader, struct slice word)
{
	struct date_token token;
	if (reader->count == MAX_TOKENS)
		return;
	if (!read_number(word, &token) && !date_word_find(word, &token))
		token = (struct date_token){DATE_OTHER, 0};
	reader->tokens[reader->count++] = token;
}

/* The longer part of "l'année" or "yesterday's". */
static struct slice without_apostrophe(struct slice word)
{
	size_t at = slice_find(word, SLICE("'"), 0);
	if (2 * at >= word.size)
		return slice_part(word, 0, at);
	return slice_part(word, at + 1, word.size);
}

/* A date in figures may be a single word: "7.5.2023". */
static bool take_word(void *cookie, struct slice word)
{
	struct reader *reader = cookie;
	word = without_apostrophe(word);
	bool figures = word.data[0] >= '0' && word.data[0] <= '9';
	size_t begin = 0;
	for (size_t at = 0; figures && at < word.size; at++) {
		if (word.data[at] != '.')
			continue;
		add_token(reader, slice_part(word, begin, at));
		begin = at + 1;
	}
	if (begin < word.size)
		add_token(reader, slice_part(word, begin, word.size));
	return reader->count < MAX_TOKENS;
}

static int64_t start_of(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return (int64_t)timegm(&tm);
}

static void add_period(struct reader *reader, int64_t from, int64_t until)
{
	if (reader->found < RECALL_MAX_PERIODS)
		reader->periods[reader->found++] =
			(struct recall_period){from * 1000, until * 1000};
}

static void add_days(struct reader *reader, int days_ago, int days)
{
	int64_t midnight = start_of(reader->today.tm_year + 1900, reader->today.tm_mon + 1,
				    reader->today.tm_mday);
	add_period(reader, midnight - (int64_t)days_ago * DAY,
		   midnight - (int64_t)(days_ago - days) * DAY);
}

/* Adds a month, or a day of it; if month is 0, a whole year. */
static void add_date(struct reader *reader, int year, int month, int day)
{
	if (month == 0)
		add_period(reader, start_of(year, 1, 1), start_of(year + 1, 1, 1));
	else if (day == 0)
		add_period(reader, start_of(year, month, 1), start_of(year, month + 1, 1));
	else
		add_period(reader, start_of(year, month, day), start_of(year, month, day + 1));
}

/* A date without a year may be in any: adds the latest ones. */
static void add_every_year(struct reader *reader, int month, int day)
{
	int year = reader->today.tm_year + 1900;
	if (start_of(year, month, day == 0 ? 1 : day) > reader->now)
		year--;
	for (int back = 0; back < RECALL_MAX_PERIODS / 2; back++)
		add_date(reader, year - back, month, day);
}

/* Adds the week, month or year of the calendar that is `back` units before the present one. */
static void add_unit(struct reader *reader, enum date_unit unit, int back)
{
	int year = reader->today.tm_year + 1900;
	int month = reader->today.tm_mon + 1;
	int monday = (reader->today.tm_wday + 6) % 7;
	if (unit == UNIT_DAY)
		add_days(reader, back, 1);
	else if (unit == UNIT_WEEK)
		add_days(reader, monday + 7 * back, 7);
	else if (unit == UNIT_MONTH)
		add_period(reader, start_of(year, month - back, 1),
			   start_of(year, month - back + 1, 1));
	else
		add_date(reader, year - back, 0, 0);
}

static const struct date_token *token_at(const struct reader *reader, size_t at)
{
	static const struct date_token none = {DATE_OTHER, 0};
	return at < reader->count ? &reader->tokens[at] : &none;
}

static bool is_number(const struct reader *reader, size_t at, int low, int high)
{
	const struct date_token *token = token_at(reader, at);
	return token->kind == DATE_NUMBER && token->value >= low && token->value <= high;
}

static bool is_kind(const struct reader *reader, size_t at, enum date_kind kind)
{
	return token_at(reader, at)->kind == kind;
}

static bool is_year(const struct reader *reader, size_t at)
{
	return is_number(reader, at, FIRST_YEAR, LAST_YEAR);
}

static size_t skip_joint(const struct reader *reader, size_t at)
{
	return is_kind(reader, at, DATE_JOINT) ? at + 1 : at;
}

/* "2023-05-07", "7.5.2023", "5/7/2023" (which may be May or July). */
static size_t read_figures(struct reader *reader, size_t at)
{
	if (is_year(reader, at) && is_number(reader, at + 1, 1, 12) &&
	    is_number(reader, at + 2, 1, 31)) {
		add_date(reader, token_at(reader, at)->value, token_at(reader, at + 1)->value,
			 token_at(reader, at + 2)->value);
		return 3;
	}
	if (!is_number(reader, at, 1, 31) || !is_number(reader, at + 1, 1, 31) ||
	    !is_year(reader, at + 2))
		return 0;
	int first = token_at(reader, at)->value;
	int second = token_at(reader, at + 1)->value;
	int year = token_at(reader, at + 2)->value;
	if (second <= 12)
		add_date(reader, year, second, first);
	if (first <= 12 && first != second)
		add_date(reader, year, first, second);
	return 3;
}

/* "2023年5月7日": each figure before its unit. */
static size_t read_ideographs(struct reader *reader, size_t at)
{
	size_t end = at;
	int year = 0, month = 0, day = 0;
	if (is_year(reader, end) && is_kind(reader, end + 1, DATE_YEAR_SIGN)) {
		year = token_at(reader, end)->value;
		end += 2;
	}
	if (is_number(reader, end, 1, 12) && is_kind(reader, end + 1, DATE_MONTH_SIGN)) {
		month = token_at(reader, end)->value;
		end += 2;
	}
	if (month > 0 && is_number(reader, end, 1, 31)) {
		day = token_at(reader, end)->value;
		end += 1;
	}
	if (year > 0)
		add_date(reader, year, month, day);
	else if (month > 0)
		add_every_year(reader, month, day);
	return end - at;
}

/* "7 May 2023", "May 7th, 2023", "7 de mayo de 2023", "in May". */
static size_t read_named_month(struct reader *reader, size_t at)
{
	size_t month = at;
	int day = 0;
	if (is_number(reader, at, 1, 31)) {
		day = token_at(reader, at)->value;
		month = skip_joint(reader, at + 1);
	}
	if (!is_kind(reader, month, DATE_MONTH) && !is_kind(reader, month, DATE_MODAL_MONTH))
		return 0;
	size_t end = month + 1;
	if (day == 0 && is_number(reader, end, 1, 31))
		day = token_at(reader, end++)->value;
	bool has_year = is_year(reader, skip_joint(reader, end));
	bool preceded = at > 0 &&
			(is_kind(reader, at - 1, DATE_JOINT) ||
			 is_kind(reader, at - 1, DATE_LAST) || is_kind(reader, at - 1, DATE_THIS));
	if (is_kind(reader, month, DATE_MODAL_MONTH) && day == 0 && !has_year && !preceded)
		return 0;
	int value = token_at(reader, month)->value;
	if (has_year) {
		end = skip_joint(reader, end);
		add_date(reader, token_at(reader, end++)->value, value, day);
	} else {
		add_every_year(reader, value, day);
	}
	return end - at;
}

/* "last week", "la semaine dernière", "this year". */
static size_t read_unit(struct reader *reader, size_t at)
{
	enum date_kind first = token_at(reader, at)->kind;
	enum date_kind second = token_at(reader, at + 1)->kind;
	size_t unit = first == DATE_UNIT ? at : at + 1;
	enum date_kind other = first == DATE_UNIT ? second : first;
	if (!is_kind(reader, unit, DATE_UNIT) || (other != DATE_LAST && other != DATE_THIS))
		return 0;
	add_unit(reader, (enum date_unit)token_at(reader, unit)->value, other == DATE_LAST);
	return 2;
}

/* "3 weeks ago", "vor 3 Wochen": people give such times roughly. */
static size_t read_ago(struct reader *reader, size_t at)
{
	static const int days[] = {
		[UNIT_DAY] = 1, [UNIT_WEEK] = 7, [UNIT_MONTH] = 30, [UNIT_YEAR] = 365};
	size_t number = is_kind(reader, at, DATE_AGO) ? at + 1 : at;
	size_t ago = number == at ? at + 2 : at;
	if (!is_number(reader, number, 1, 99) || !is_kind(reader, number + 1, DATE_UNIT) ||
	    !is_kind(reader, ago, DATE_AGO))
		return 0;
	int unit = days[token_at(reader, number + 1)->value];
	int back = token_at(reader, number)->value * unit;
	add_days(reader, back + unit / 2, unit);
	return 3;
}

/* "yesterday", "去年", "on Monday": the last one before today. */
static size_t read_single(struct reader *reader, size_t at)
{
	const struct date_token *token = token_at(reader, at);
	if (token->kind == DATE_DAYS_AGO)
		add_days(reader, token->value, 1);
	else if (token->kind == DATE_LAST_UNIT)
		add_unit(reader, (enum date_unit)token->value, 1);
	else if (token->kind == DATE_THIS_UNIT)
		add_unit(reader, (enum date_unit)token->value, 0);
	else if (token->kind == DATE_WEEKDAY)
		add_days(reader, (reader->today.tm_wday - token->value + 6) % 7 + 1, 1);
	else if (is_year(reader, at))
		add_date(reader, token->value, 0, 0);
	return 1;
}

size_t recall_read_dates(struct slice text, int64_t now, struct recall_period *periods)
{
	static size_t (*const readers[])(struct reader *, size_t) = {
		read_figures, read_ideographs, read_named_month, read_unit, read_ago, read_single,
	};
	struct reader reader = {.periods = periods, .now = now / 1000};
	time_t seconds = (time_t)reader.now;
	(void)gmtime_r(&seconds, &reader.today);
	text_words(text, take_word, &reader);
	for (size_t at = 0; at < reader.count;) {
		size_t used = 0;
		for (size_t i = 0; used == 0; i++)
			used = readers[i](&reader, at);
		at += used;
	}
	return reader.found;
}
