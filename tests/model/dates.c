#include "tests/model/dates.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum unit { UNIT_NONE, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };

static struct tm civil(int64_t day)
{
	struct tm tm = {0};
	time_t at = (time_t)day * 86400;
	(void)gmtime_r(&at, &tm);
	return tm;
}

static bool read_number(struct slice text, size_t at, size_t digits, int *number)
{
	*number = 0;
	for (size_t i = at; i < at + digits; i++) {
		if (i >= text.size || text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (text.data[i] - '0');
	}
	return true;
}

bool date_read(struct slice text, int64_t *day)
{
	for (size_t at = 0; at + 10 <= text.size; at++) {
		struct tm tm = {0};
		if (!read_number(text, at, 4, &tm.tm_year) || text.data[at + 4] != '-' ||
		    !read_number(text, at + 5, 2, &tm.tm_mon) || text.data[at + 7] != '-' ||
		    !read_number(text, at + 8, 2, &tm.tm_mday))
			continue;
		tm.tm_year -= 1900;
		tm.tm_mon -= 1;
		*day = (int64_t)timegm(&tm) / 86400;
		return true;
	}
	return false;
}

/* The place of the set of synonyms that has the word, from 0, or -1. */
static int place_in(const char *const *sets, size_t count, struct slice word)
{
	for (size_t i = 0; i < count; i++) {
		if (word_in(sets[i], word))
			return (int)i;
	}
	return -1;
}

static int number_of(struct slice word)
{
	static const char *const numbers[] = {" a an one ein eine einem einer 一 ",
					      " two zwei couple 两 二 ",
					      " three drei 三 ",
					      " four vier 四 ",
					      " five fünf 五 ",
					      " six sechs 六 ",
					      " seven sieben 七 ",
					      " eight acht 八 ",
					      " nine neun 九 ",
					      " ten zehn 十 "};
	int number;
	if (word.size <= 3 && word.size > 0 && read_number(word, 0, word.size, &number))
		return number;
	return place_in(numbers, sizeof(numbers) / sizeof(numbers[0]), word) + 1;
}

static enum unit unit_of(struct slice word)
{
	static const char *const units[] = {
		" day days tag tage tagen 天 ", " week weeks woche wochen 周 ",
		" month months monat monate monaten 月 ", " year years jahr jahre jahren 年 "};
	return (enum unit)(place_in(units, sizeof(units) / sizeof(units[0]), word) + 1);
}

/* Monday is 0; -1: the word is no day of the week. */
static int weekday_of(struct slice word)
{
	static const char *const days[] = {" monday montag 一 ",      " tuesday dienstag 二 ",
					   " wednesday mittwoch 三 ", " thursday donnerstag 四 ",
					   " friday freitag 五 ",     " saturday samstag 六 ",
					   " sunday sonntag 日 "};
	return place_in(days, sizeof(days) / sizeof(days[0]), word);
}

static void set_day(struct relative_date *date, const char *lead, int64_t day)
{
	struct tm tm = civil(day);
	(void)snprintf(date->text, sizeof(date->text), "%s%04d-%02d-%02d", lead,
		       (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100);
}

/* `amount` months or years from today, no finer than was said. */
static void set_month_or_year(struct relative_date *date, int64_t today, enum unit unit, int amount)
{
	struct tm tm = civil(today);
	int months =
		(tm.tm_year + 1900) * 12 + tm.tm_mon + (unit == UNIT_YEAR ? 12 * amount : amount);
	if (unit == UNIT_YEAR)
		(void)snprintf(date->text, sizeof(date->text), "%04d", months / 12 % 10000);
	else
		(void)snprintf(date->text, sizeof(date->text), "%04d-%02d", months / 12 % 10000,
			       months % 12 + 1);
}

static int64_t monday_of(int64_t day)
{
	return day - (civil(day).tm_wday + 6) % 7;
}

/* "yesterday", "day after tomorrow", "后天": the number of tokens, or 0. */
static size_t match_named(const struct token *tokens, size_t count, int64_t today,
			  struct relative_date *date)
{
	static const struct {
		const char *name;
		int days;
	} names[] = {{"day after tomorrow", 2},
		     {"day before yesterday", -2},
		     {"last night", -1},
		     {"today", 0},
		     {"tonight", 0},
		     {"tomorrow", 1},
		     {"yesterday", -1},
		     {"heute", 0},
		     {"gestern", -1},
		     {"morgen", 1},
		     {"übermorgen", 2},
		     {"vorgestern", -2},
		     {"今天", 0},
		     {"明天", 1},
		     {"昨天", -1},
		     {"后天", 2},
		     {"前天", -2}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t length = 1; length <= 3 && length <= count; length++) {
			if (!slice_equal_nocase(tokens_span(tokens, 0, length),
						slice_of(names[i].name)))
				continue;
			set_day(date, "", today + names[i].days);
			date->is_today = names[i].days == 0;
			return length;
		}
	}
	return 0;
}

/* "next Monday", "letzte Woche", "this Friday", "下周一", "下个月", "去年". */
static size_t match_next(const struct token *tokens, size_t count, int64_t today,
			 struct relative_date *date)
{
	static const char *const steps[] = {
		" last previous letzte letzten letztes letzter 上 去 ",
		" this on am diese diesen dieses 本 今 ",
		" next coming nächste nächsten nächstes nächster kommende kommenden 下 明 "};
	int step = place_in(steps, 3, tokens[0].folded) - 1;
	size_t at = count > 1 && word_in(" 个 ", tokens[1].folded) ? 2 : 1;
	if (step == -2 || at >= count)
		return 0;
	enum unit unit = unit_of(tokens[at].folded);
	int weekday = weekday_of(tokens[unit == UNIT_WEEK && at + 1 < count ? at + 1 : at].folded);
	bool named = unit == UNIT_NONE && weekday >= 0 && tokens[at].folded.size > 3;
	bool chinese_weekday = unit == UNIT_WEEK && weekday >= 0;
	if (chinese_weekday)
		set_day(date, "", monday_of(today) + 7 * step + weekday);
	else if (unit == UNIT_WEEK && step != 0)
		set_day(date, "the week of ", monday_of(today) + 7 * step);
	else if (unit == UNIT_MONTH || unit == UNIT_YEAR)
		set_month_or_year(date, today, unit, step);
	else if (named && step == -1)
		set_day(date, "", today - 1 - (civil(today - 1).tm_wday + 6 - weekday) % 7);
	else if (named)
		set_day(date, "",
			today + 1 + (weekday + 7 - (civil(today + 1).tm_wday + 6) % 7) % 7);
	else
		return 0;
	return chinese_weekday ? at + 2 : at + 1;
}

/* "in two weeks", "three days ago", "vor einem Jahr", "两周后". */
static size_t match_distance(const struct token *tokens, size_t count, int64_t today,
			     struct relative_date *date)
{
	bool leads = word_in(" in vor ", tokens[0].folded);
	size_t at = leads ? 1 : 0;
	if (at + 1 >= count)
		return 0;
	int amount = number_of(tokens[at].folded);
	enum unit unit = unit_of(tokens[at + 1].folded);
	bool trails = at + 2 < count && word_in(" ago later 后 前 ", tokens[at + 2].folded);
	if (amount == 0 || unit == UNIT_NONE || (!leads && !trails))
		return 0;
	if (word_in(" vor ", tokens[0].folded) ||
	    (trails && word_in(" ago 前 ", tokens[at + 2].folded)))
		amount = -amount;
	if (unit == UNIT_DAY || unit == UNIT_WEEK)
		set_day(date, "", today + amount * (unit == UNIT_WEEK ? 7 : 1));
	else
		set_month_or_year(date, today, unit, amount);
	return trails ? at + 3 : at + 2;
}

bool date_find(const struct token *tokens, size_t count, int64_t today, struct relative_date *date)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && word_in(" guten every jeden ", tokens[i - 1].folded))
			continue;
		*date = (struct relative_date){.begin = i};
		size_t length = match_named(tokens + i, count - i, today, date);
		length = length > 0 ? length : match_next(tokens + i, count - i, today, date);
		length = length > 0 ? length : match_distance(tokens + i, count - i, today, date);
		date->end = i + length;
		if (length > 0)
			return true;
	}
	return false;
}
