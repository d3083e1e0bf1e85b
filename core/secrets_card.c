#include "core/secrets_rules.h"
#include "core/text.h"

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

/* ASCII's character of the kind: people and programs also write full-width digits, blanks of
 * all widths and typographic dashes. */
static char plain_character(uint32_t character)
{
	if (character < 0x80)
		return (char)character;
	if (character >= 0xFF10 && character <= 0xFF19)
		return (char)('0' + (character - 0xFF10));
	if (character == 0xA0 || (character >= 0x2000 && character <= 0x200A) ||
	    character == 0x202F || character == 0x205F || character == 0x3000)
		return ' ';
	if ((character >= 0x2010 && character <= 0x2015) || character == 0x2212 ||
	    character == 0xFE63 || character == 0xFF0D)
		return '-';
	return '\0';
}

/* The character at `at`, so read, and the place behind it; at the end '\0'. */
static char read_plain(struct slice text, size_t at, size_t *behind)
{
	uint32_t character = 0;
	*behind = at;
	if (at < text.size)
		*behind += text_decode(text, at, &character);
	return plain_character(character);
}

/* The same for the character before `at`, and its own place. */
static char read_plain_before(struct slice text, size_t at, size_t *begin)
{
	enum { LONGEST = 3 }; /* bytes, of those that are read as another one */
	for (size_t size = 1; size <= LONGEST && size <= at; size++) {
		size_t behind;
		*begin = at - size;
		char c = read_plain(text, *begin, &behind);
		if (c != '\0' && behind == at)
			return c;
	}
	*begin = at;
	return '\0';
}

/* Reads one group of digits; false: it does not fit any more. */
static bool read_group(struct slice text, struct number *number, size_t at)
{
	size_t behind;
	for (char c; secret_is_digit(c = read_plain(text, at, &behind)); at = behind) {
		if (number->count == LONGEST_CARD)
			return false;
		number->digits[number->count++] = c;
	}
	number->end = at;
	return true;
}

/* Where the digits behind a separator begin; 0: there are none. */
static size_t next_group(struct slice text, size_t end, char separator)
{
	size_t group;
	size_t behind;
	bool goes_on = read_plain(text, end, &group) == separator &&
		       secret_is_digit(read_plain(text, group, &behind));
	return goes_on ? group : 0;
}

/* A typographic dash may also stand between a number and what is said next. */
static bool ends_there(struct slice text, size_t end)
{
	size_t behind;
	char c = read_plain(text, end, &behind);
	if (behind > end + 1 && c == '-')
		return true;
	if (secret_is_word(c) && c != '-')
		return false;
	return next_group(text, end, '-') == 0 && next_group(text, end, '.') == 0;
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
	size_t end;
	return read_plain_before(text, at, &end) == ' ' && end >= 4 &&
	       secret_is_digit(text.data[end - 1]) && secret_is_digit(text.data[end - 2]) &&
	       secret_is_letter(text.data[end - 3]) && secret_is_letter(text.data[end - 4]) &&
	       (end == 4 || !secret_is_word(text.data[end - 5]));
}

static bool is_group_size(size_t size)
{
	return size >= 3 && size <= 7;
}

/* Groups of 3 to 7 digits that one kind of separator joins, of which the first has been read; as
 * many as make a card's number, for a blank may also stand before a number of its own. */
static bool find_grouped(struct slice text, size_t at, struct number number, size_t *end)
{
	size_t before = 0; /* digits, before the last group */
	size_t group;
	char separator = read_plain(text, number.end, &group);
	*end = 0;
	if (separator != ' ' && separator != '-')
		return false;
	while (is_group_size(number.count - before)) {
		if (is_card(text, &number))
			*end = number.end;
		group = next_group(text, number.end, separator);
		before = number.count;
		if (group == 0 || !read_group(text, &number, group))
			break;
	}
	bool is_account = separator == ' ' && follows_iban_head(text, at);
	return *end > 0 && !(is_account && next_group(text, *end, ' ') != 0);
}

bool secret_card(struct slice text, size_t at, struct secret *secret)
{
	struct number number = {.end = at};
	size_t begin;
	char before = read_plain_before(text, at, &begin);
	bool goes_on = begin + 1 < at && secret_is_digit(before); /* of others the caller knows */
	bool joined = before == '.' || before == '+' || goes_on;
	if (joined || !read_group(text, &number, at))
		return false;
	size_t end = number.end;
	bool found = number.count >= SHORTEST_CARD ? is_card(text, &number)
						   : find_grouped(text, at, number, &end);
	*secret = (struct secret){at, end, "card number"};
	return found;
}
