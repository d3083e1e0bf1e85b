/* Spellings that say the same: with and without the marks that people set or leave out. */
#include "core/facts/tombstone.h"

#include <ctype.h>
#include <string.h>

static bool is_digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

/* "7.5.1984", "2024-05-07" and "192.168.1.12": other parts make another one. */
static bool is_date_or_address(struct slice folded)
{
	size_t sizes[4] = {0};
	size_t part = 0;
	for (size_t i = 0; i < folded.size; i++) {
		const bool parts = strchr("./-", folded.data[i]) != NULL;
		if ((!parts && !is_digit(folded.data[i])) || (parts && ++part == 4))
			return false;
		sizes[part] += !parts;
	}
	return part == 3 ? folded.data[sizes[0]] == '.'
			 : part == 2 && (sizes[0] <= 2 || sizes[0] == 4) && sizes[1] <= 2;
}

/* Digits and what people put between them. */
static bool is_long_number(struct slice folded)
{
	enum { LEAST_DIGITS = 7 };
	size_t digits = 0;
	for (size_t i = 0; i < folded.size; i++) {
		if (strchr("0123456789 +-/.()", folded.data[i]) == NULL)
			return false;
		digits += is_digit(folded.data[i]);
	}
	return digits >= LEAST_DIGITS && !is_date_or_address(folded);
}

/* With "+49", "030" or "(030)" in front. */
bool spelling_is_phone(struct slice folded)
{
	const struct slice behind = slice_part(folded, folded.size > 0, folded.size);
	return is_long_number(folded) && strchr("+(0", folded.data[0]) != NULL &&
	       !slice_has(folded, SLICE(".")) && !slice_has(folded, SLICE("- ")) &&
	       !slice_has(folded, SLICE(" -")) && !slice_has(behind, SLICE("+"));
}

static char char_at(struct slice text, size_t i)
{
	return i < text.size ? text.data[i] : ' ';
}

static bool is_in_word(char c)
{
	return c != ' ' && !ispunct((unsigned char)c);
}

/* Marks that people set or not: in "New-York", "St. Gallen", "O'Brien" and "Acme, Inc."; not in
 * "she'll", "-5", ".NET" and "3.11". */
static bool is_loose(struct slice text, size_t i)
{
	const char c = text.data[i];
	const char before = char_at(text, i - 1);
	const char behind = char_at(text, i + 1);
	const bool in_number = is_digit(before) && is_digit(behind);
	if (c == '\'')
		return !is_in_word(before) || !is_in_word(behind) ||
		       (is_in_word(char_at(text, i + 2)) && is_in_word(char_at(text, i + 3)));
	return c == '(' || c == ')' ||
	       (is_in_word(before) && !in_number &&
		(c == '.' || c == ',' || (c == '-' && is_in_word(behind))));
}

/* White space counts for nothing in text_hash(). */
void spelling_append_loose(struct buffer *out, struct slice folded)
{
	const bool is_number = is_long_number(folded);
	const bool is_mail = slice_has(folded, SLICE("@"));
	if (is_number && folded.data[strspn(folded.data, "(")] == '+')
		buffer_append(out, SLICE("00"));
	for (size_t i = 0; i < folded.size; i++) {
		if (is_number ? is_digit(folded.data[i]) : is_mail || !is_loose(folded, i))
			buffer_append_byte(out, folded.data[i]);
	}
}
