/* Payment card numbers, which core/pii knows as well. */
#ifndef RECALLD_CORE_PII_CARD_H
#define RECALLD_CORE_PII_CARD_H

#include "core/base/bytes.h"

struct secret {
	size_t begin;
	size_t end;
	const char *kind;
};

/* A payment card number that passes the Luhn check, at the first digit of a group. */
bool secret_card(struct slice text, size_t at, struct secret *secret);

#endif
