/* Dates that are told by their distance: "tomorrow", "next Monday", "vor drei Tagen", "下周一". */
#ifndef RECALLD_TESTS_MODEL_DATES_H
#define RECALLD_TESTS_MODEL_DATES_H

#include "tests/model/words.h"

/* Reads the first YYYY-MM-DD of the text, as days since 1970-01-01. */
bool date_read(struct slice text, int64_t *day);

struct relative_date {
	size_t begin; /* the tokens that tell it */
	size_t end;
	bool is_today;
	char text[32]; /* "2026-11-23", "the week of 2026-11-23", "2026-12" or "2027" */
};

/* The first one in the tokens, counted from the day `today`. */
bool date_find(const struct token *tokens, size_t count, int64_t today, struct relative_date *date);

#endif
