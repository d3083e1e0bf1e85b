#include "core/secrets_rules.h"

enum { SHORTEST_CARD = 13, LONGEST_CARD = 19 };

/* The digits of a number that may be written in groups. */
struct number {
	char digits[LONGEST_CARD];
	size_t count;
	size_t end;
};

/* The ranges that card networks number their issuers in: the first four digits, and how many digits
 * there are (ISO/IEC 7812; what the networks publish). */
static const struct {
	unsigned first;
	unsigned last;
	size_t least;
	size_t most;
} issuers[] = {
	{3000, 3059, 14, 19}, /* Diners Club */
	{3400, 3499, 15, 15}, /* American Express */
	{3528, 3589, 16, 19}, /* JCB */
	{3600, 3699, 14, 19}, /* Diners Club */
	{3700, 3799, 15, 15}, /* American Express */
	{3800, 3999, 14, 19}, /* Diners Club */
	{4000, 4999, 13, 19}, /* Visa */
	{5100, 5599, 16, 16}, /* Mastercard */
	{2221, 2720, 16, 16}, /* Mastercard */
	{6011, 6011, 16, 19}, /* Discover */
	{6200, 6299, 16, 19}, /* UnionPay */
	{6440, 6599, 16, 19}, /* Discover */
	{6759, 6763, 16, 19}, /* Maestro */
};

static bool has_issuer(const struct number *number)
{
	unsigned start = 0;
	for (size_t i = 0; i < 4; i++)
		start = start * 10 + (unsigned)(number->digits[i] - '0');
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		if (start >= issuers[i].first && start <= issuers[i].last &&
		    number->count >= issuers[i].least && number->count <= issuers[i].most)
			return true;
	}
	return false;
}

/* ISO/IEC 7812-1, annex B. */
static bool passes_luhn(const struct number *number)
{
	unsigned sum = 0;
	for (size_t i = 0; i < number->count; i++) {
		unsigned digit = (unsigned)(number->digits[number->count - 1 - i] - '0');
		digit *= i % 2 == 0 ? 1 : 2;
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

/* Reads one group of digits; false: it does not fit any more. */
static bool read_group(struct slice text, struct number *number, size_t at)
{
	for (; at < text.size && secret_is_digit(text.data[at]); at++) {
		if (number->count == LONGEST_CARD)
			return false;
		number->digits[number->count++] = text.data[at];
	}
	number->end = at;
	return true;
}

static bool goes_on(struct slice text, size_t end, char separator)
{
	return end + 1 < text.size && text.data[end] == separator &&
	       secret_is_digit(text.data[end + 1]);
}

static bool ends_there(struct slice text, size_t end)
{
	if (end < text.size && secret_is_word(text.data[end]) && text.data[end] != '-')
		return false;
	return !goes_on(text, end, '-') && !goes_on(text, end, '.');
}

static bool is_card(struct slice text, const struct number *number)
{
	return number->count >= SHORTEST_CARD && ends_there(text, number->end) &&
	       has_issuer(number) && passes_luhn(number);
}

/* Whether "DE89 " stands before it: its groups, which blanks join, are an account's, of which a
 * part may look like a card's number. */
static bool follows_iban_head(struct slice text, size_t at)
{
	return at >= 5 && text.data[at - 1] == ' ' && secret_is_digit(text.data[at - 2]) &&
	       secret_is_digit(text.data[at - 3]) && secret_is_letter(text.data[at - 4]) &&
	       secret_is_letter(text.data[at - 5]) &&
	       (at == 5 || !secret_is_word(text.data[at - 6]));
}

static bool is_group_size(size_t size)
{
	return size >= 3 && size <= 7;
}

/* Groups of 3 to 7 digits that one kind of separator joins, of which the first has been read; as
 * many as make a card's number, for a blank may also stand before a number of its own. */
static bool find_grouped(struct slice text, size_t at, struct number number, size_t *end)
{
	size_t group = at;
	char separator = number.end < text.size ? text.data[number.end] : '\0';
	*end = 0;
	if (separator != ' ' && separator != '-')
		return false;
	while (is_group_size(number.end - group)) {
		if (is_card(text, &number))
			*end = number.end;
		if (!goes_on(text, number.end, separator))
			break;
		group = number.end + 1;
		if (!read_group(text, &number, group))
			break;
	}
	bool is_account = separator == ' ' && follows_iban_head(text, at);
	return *end > 0 && !(is_account && goes_on(text, *end, ' '));
}

bool secret_card(struct slice text, size_t at, struct secret *secret)
{
	struct number number = {.end = at};
	bool joined = at > 0 && (text.data[at - 1] == '.' || text.data[at - 1] == '+');
	if (joined || !read_group(text, &number, at))
		return false;
	size_t end = number.end;
	bool found = number.count >= SHORTEST_CARD ? is_card(text, &number)
						   : find_grouped(text, at, number, &end);
	*secret = (struct secret){at, end, "card number"};
	return found;
}
