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

static bool ends_there(struct slice text, size_t end, char separator)
{
	if (end == text.size)
		return true;
	char next = text.data[end];
	if (secret_is_word(next) && next != '-')
		return false;
	bool digit_follows = end + 1 < text.size && secret_is_digit(text.data[end + 1]);
	return !digit_follows || (next != '-' && next != '.' && next != separator);
}

static bool is_group_size(size_t size)
{
	return size >= 3 && size <= 7;
}

/* Either all in one, or in groups of 3 to 7 digits that one kind of separator joins. */
static bool read_number(struct slice text, size_t at, struct number *number)
{
	*number = (struct number){.end = at};
	if (!read_group(text, number, at))
		return false;
	size_t size = number->end - at;
	char separator = number->end < text.size ? text.data[number->end] : '\0';
	if (size >= SHORTEST_CARD || (separator != ' ' && separator != '-'))
		return ends_there(text, number->end, '\0');
	while (is_group_size(size) && number->end + 1 < text.size &&
	       text.data[number->end] == separator && secret_is_digit(text.data[number->end + 1])) {
		size_t group = number->end + 1;
		if (!read_group(text, number, group))
			return false;
		size = number->end - group;
	}
	return is_group_size(size) && ends_there(text, number->end, separator);
}

bool secret_card(struct slice text, size_t at, struct secret *secret)
{
	struct number number;
	bool joined = at > 0 && (text.data[at - 1] == '.' || text.data[at - 1] == '+');
	if (joined || !read_number(text, at, &number) || number.count < SHORTEST_CARD)
		return false;
	*secret = (struct secret){at, number.end, "card number"};
	return has_issuer(&number) && passes_luhn(&number);
}
