/* Patterns over words for statements about oneself.
 *
 * A pattern is matched from the word after the subject ("I", "my sister Anna"). Its elements are
 * parted by spaces: "a|b" one of these words; "?a|b" the same or nothing; "{v}" one or more words,
 * as few as the rest allows; at the end all that is left. */
#ifndef RECALLD_TESTS_MODEL_PATTERNS_H
#define RECALLD_TESTS_MODEL_PATTERNS_H

#include "tests/model/words.h"

enum pattern_flag {
	PATTERN_ADD = 1,    /* one of several values: "tea, coffee and cake" are three */
	PATTERN_REMOVE = 2, /* it ends what was so */
	PATTERN_ANYONE = 4, /* also said of a third person */
	PATTERN_PROPER =
		8, /* the value is one thing: it ends before "and", and a date is none of it */
	PATTERN_FIRM = 16,     /* what is denied ends; otherwise a denial says nothing */
	PATTERN_CLASSIFY = 32, /* the key follows from what the value is */
	PATTERN_REPLACE = 64,  /* the key is that of the known value {k}, else the pattern's */
};

struct pattern {
	const char *elements;
	const char *key;   /* NULL: what {k} captured; "" with PATTERN_CLASSIFY */
	const char *key_2; /* of {w}; NULL: there is none */
	int flags;
};

struct span {
	size_t begin;
	size_t end;
};

struct match {
	const struct pattern *pattern;
	struct span value, key, second; /* {v}, {k}, {w}; an empty span was not captured */
};

/* After a subject, with only the patterns that have all of these flags; after "my"; without a
 * subject. */
bool match_predicate(const struct token *tokens, struct span range, int flags, struct match *match);
bool match_possession(const struct token *tokens, struct span range, struct match *match);
bool match_command(const struct token *tokens, struct span range, struct match *match);

/* Family, friends and pets: those that have a name. */
bool is_relation(struct slice folded);
bool is_animal(struct slice folded);
bool is_capitalised(const struct token *token);

/* The key for what follows "I am"; NULL: nothing that lasts. `is_kind`: it says what somebody is
 * ("a nurse", "Lehrer"), not how or who. */
const char *classify(const struct token *tokens, struct span value, bool is_kind);

#endif
