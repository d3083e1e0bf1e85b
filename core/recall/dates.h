/* The dates that a question names, in words or figures. */
#ifndef RECALLD_CORE_RECALL_DATES_H
#define RECALLD_CORE_RECALL_DATES_H

#include "core/base/bytes.h"
#include "core/recall/recall.h"

/* Writes the periods that the text names, at most RECALL_MAX_PERIODS. A day or month without a year
 * stands for the latest ones that had begun by `now`. */
size_t recall_read_dates(struct slice text, int64_t now, struct recall_period *periods);

/* The words of dates: months, weekdays, "last", "ago", in the languages of many users. */

enum date_kind {
	DATE_OTHER,
	DATE_NUMBER,
	DATE_MONTH,       /* its value: 1 to 12 */
	DATE_MODAL_MONTH, /* "may", "mars": a month only next to other parts of a date */
	DATE_WEEKDAY,     /* 0: Sunday */
	DATE_UNIT,        /* enum date_unit */
	DATE_LAST,
	DATE_THIS,
	DATE_AGO,
	DATE_JOINT, /* "of", "in": may stand between the parts of a date, or before it */
	DATE_DAYS_AGO,
	DATE_LAST_UNIT, /* last week, month or year in one word */
	DATE_THIS_UNIT,
	DATE_YEAR_SIGN,
	DATE_MONTH_SIGN,
};

enum date_unit { UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };

struct date_token {
	enum date_kind kind;
	int value;
};

/* Looks up a word in the form that text_words() gives it. */
bool date_word_find(struct slice word, struct date_token *token);

#endif
