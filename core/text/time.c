#include "core/text/text.h"

#include <time.h>

/* The years that RFC 3339 can express. */
#define FIRST_SECOND (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define LAST_SECOND 253402300799LL    /* 9999-12-31T23:59:59Z */

static struct tm broken_down(int64_t at)
{
	time_t seconds = (time_t)(at / 1000 - (at % 1000 < 0));
	struct tm tm = {0};
	(void)gmtime_r(&seconds, &tm);
	return tm;
}

/* Writes `count` digits of a number from 0 to 9999. */
static void put_digits(char *out, size_t count, int number)
{
	for (; count > 0; number /= 10)
		out[--count] = (char)('0' + number % 10);
}

/* RFC 3339 has the years 0 to 9999; only a damaged record has others. */
static void put_date(char *out, const struct tm *tm)
{
	int year = tm->tm_year + 1900;
	put_digits(out, 4, year < 0 || year > 9999 ? 0 : year);
	out[4] = '-';
	put_digits(out + 5, 2, tm->tm_mon + 1);
	out[7] = '-';
	put_digits(out + 8, 2, tm->tm_mday);
}

struct slice text_time(int64_t at, struct arena *arena)
{
	struct tm tm = broken_down(at);
	char text[] = "0000-00-00T00:00:00Z";
	put_date(text, &tm);
	put_digits(text + 11, 2, tm.tm_hour);
	put_digits(text + 14, 2, tm.tm_min);
	put_digits(text + 17, 2, tm.tm_sec);
	return arena_copy(arena, (struct slice){text, sizeof(text) - 1});
}

struct slice text_date(int64_t at, struct arena *arena)
{
	struct tm tm = broken_down(at);
	char text[10];
	put_date(text, &tm);
	return arena_copy(arena, (struct slice){text, sizeof(text)});
}

/* Each reader takes what it reads off the front of `rest`; false: the time is malformed. */
static bool read_digits(struct slice *rest, size_t count, int *number)
{
	if (rest->size < count)
		return false;
	*number = 0;
	for (size_t i = 0; i < count; i++) {
		char digit = rest->data[i];
		if (digit < '0' || digit > '9')
			return false;
		*number = *number * 10 + (digit - '0');
	}
	*rest = slice_part(*rest, count, rest->size);
	return true;
}

static bool read_one_of(struct slice *rest, const char *characters, char *read)
{
	for (const char *c = characters; rest->size > 0 && *c != '\0'; c++) {
		if (rest->data[0] != *c)
			continue;
		*read = *c;
		*rest = slice_part(*rest, 1, rest->size);
		return true;
	}
	return false;
}

static bool read_date(struct slice *rest, struct tm *tm)
{
	char dash;
	return read_digits(rest, 4, &tm->tm_year) && read_one_of(rest, "-", &dash) &&
	       read_digits(rest, 2, &tm->tm_mon) && read_one_of(rest, "-", &dash) &&
	       read_digits(rest, 2, &tm->tm_mday);
}

static bool read_clock(struct slice *rest, struct tm *tm)
{
	char colon;
	return read_digits(rest, 2, &tm->tm_hour) && read_one_of(rest, ":", &colon) &&
	       read_digits(rest, 2, &tm->tm_min) && read_one_of(rest, ":", &colon) &&
	       read_digits(rest, 2, &tm->tm_sec);
}

/* Reads milliseconds, truncating finer digits. The fraction may be missing. */
static bool read_fraction(struct slice *rest, int *milliseconds)
{
	char read;
	*milliseconds = 0;
	if (!read_one_of(rest, ".", &read))
		return true;
	int weight = 100;
	int digits = 0;
	for (; read_one_of(rest, "0123456789", &read); digits++) {
		*milliseconds += weight * (read - '0');
		weight /= 10;
	}
	return digits > 0;
}

/* Reads minutes east of UTC. */
static bool read_offset(struct slice *rest, int *minutes)
{
	char sign, colon;
	int hour, minute;
	*minutes = 0;
	if (read_one_of(rest, "Zz", &sign))
		return true;
	if (!read_one_of(rest, "+-", &sign) || !read_digits(rest, 2, &hour) ||
	    !read_one_of(rest, ":", &colon) || !read_digits(rest, 2, &minute))
		return false;
	*minutes = (sign == '-' ? -1 : 1) * (hour * 60 + minute);
	return hour <= 23 && minute <= 59;
}

/* timegm() would turn February 31 into a day in March. */
static bool is_date(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1)
		return false;
	bool leap = tm->tm_year % 4 == 0 && (tm->tm_year % 100 != 0 || tm->tm_year % 400 == 0);
	return tm->tm_mday <= days[tm->tm_mon - 1] + (tm->tm_mon == 2 && leap ? 1 : 0);
}

static bool is_clock(const struct tm *tm)
{
	bool leap_second = tm->tm_sec == 60 && tm->tm_min == 59;
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && (tm->tm_sec <= 59 || leap_second);
}

bool time_is_ahead(int64_t at, int64_t now)
{
	enum { DAY = 24 * 60 * 60 * 1000 };
	return at > now && at - now >= DAY;
}

bool text_read_time(struct slice text, int64_t *at)
{
	struct tm tm = {0};
	int milliseconds = 0;
	int offset = 0;
	char separator;
	if (!read_date(&text, &tm) || !is_date(&tm))
		return false;
	if (text.size > 0 &&
	    (!read_one_of(&text, "Tt ", &separator) || !read_clock(&text, &tm) || !is_clock(&tm) ||
	     !read_fraction(&text, &milliseconds) || !read_offset(&text, &offset) || text.size > 0))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t seconds = (int64_t)timegm(&tm) - (int64_t)offset * 60;
	*at = seconds * 1000 + milliseconds;
	return seconds >= FIRST_SECOND && seconds <= LAST_SECOND;
}
