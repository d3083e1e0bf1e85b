#include "core/pii/parts.h"

static bool is_gap(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/';
}

void pii_number_read(struct pii_number *number, struct slice text, size_t at)
{
	*number = (struct pii_number){0};
	while (number->groups < PII_MOST_GROUPS) {
		size_t begin = at;
		while (pii_is_digit(pii_at(text, at)) && number->count < PII_MOST_DIGITS)
			number->digits[number->count++] = text.data[at++];
		if (pii_is_digit(pii_at(text, at))) { /* too many: this group is none */
			number->count -= at - begin;
			return;
		}
		number->sizes[number->groups] = at - begin;
		number->ends[number->groups++] = at;
		if (!is_gap(pii_at(text, at)) || !pii_is_digit(pii_at(text, at + 1)))
			return;
		number->gaps[number->groups - 1] = text.data[at++];
	}
}

bool pii_number_has_format(const struct pii_number *number, struct slice text, const char *format,
			   size_t *end)
{
	char gap = '\0'; /* before the group */
	size_t group = 0;
	for (;; group++) {
		size_t size = 0;
		while (pii_is_digit(*format))
			size = size * 10 + (size_t)(*format++ - '0');
		if (group >= number->groups || number->sizes[group] != size)
			return false;
		if (*format == '\0')
			break;
		gap = *format++;
		if (number->gaps[group] != gap)
			return false;
	}
	*end = number->ends[group];
	return (gap == '\0' || number->gaps[group] != gap) && !pii_goes_on_behind(text, *end);
}
