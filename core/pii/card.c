#include "core/pii/parts.h"
#include "core/text/text.h"

#include <unictype.h>

enum { SHORTEST_CARD = 13, LONGEST_CARD = 19 };

/* The digits of a number that may be written in groups. */
struct number {
	char digits[LONGEST_CARD];
	size_t count;
	size_t end;
};

/* The number ranges of card networks: the first four digits, and how many digits there are (ISO/IEC
 * 7812; published by the networks). */
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

/* The ASCII character of the same kind: people and programs also write digits of other scripts,
 * spaces of all widths and typographic dashes. */
static char plain_character(uint32_t character)
{
	if (character < 0x80)
		return (char)character;
	int digit = uc_decimal_value(character);
	if (digit >= 0)
		return (char)('0' + digit);
	if (character == 0xA0 || (character >= 0x2000 && character <= 0x200A) ||
	    character == 0x202F || character == 0x205F || character == 0x3000)
		return ' ';
	if ((character >= 0x2010 && character <= 0x2015) || character == 0x2212 ||
	    character == 0xFE63 || character == 0xFF0D)
		return '-';
	return '\0';
}

/* The character at `at` in that form, and the place after it; '\0' at the end. */
static char read_plain(struct slice text, size_t at, size_t *behind)
{
	uint32_t character = 0;
	*behind = at;
	if (at < text.size)
		*behind += text_decode(text, at, &character);
	return plain_character(character);
}

/* The character before `at`, and its offset. */
static char read_plain_before(struct slice text, size_t at, size_t *begin)
{
	enum { LONGEST = 3 }; /* bytes of a character that is read as another */
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

/* Reads one group of digits; false: there are too many. */
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

/* Where the digits after a separator begin; 0: there are none. */
static size_t next_group(struct slice text, size_t end, char separator)
{
	size_t group;
	size_t behind;
	bool goes_on = read_plain(text, end, &group) == separator &&
		       secret_is_digit(read_plain(text, group, &behind));
	return goes_on ? group : 0;
}

/* A typographic dash may also separate a number from further text. */
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

/* Whether "DE89 " precedes: the following groups, separated by spaces, are an account number, part
 * of which may look like a card number. */
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

/* Separators between two groups of digits. */
struct gap {
	char sign;     /* one of "-./_", or a space if there is none */
	bool is_plain; /* a single space or dash, as in numbers of all kinds */
	bool has_line;
};

/* Where the digits after a gap begin; 0: there are none. */
static size_t read_gap(struct slice text, size_t end, struct gap *gap)
{
	enum { LONGEST = 4 };
	size_t count = 0;
	*gap = (struct gap){.sign = ' '};
	for (;; count++) {
		size_t behind;
		char c = read_plain(text, end, &behind);
		if (secret_is_digit(c) || count == LONGEST)
			break;
		bool is_sign = c == '-' || c == '.' || c == '/' || c == '_';
		if (is_sign ? gap->sign != ' ' : c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return 0;
		if (is_sign)
			gap->sign = c;
		gap->has_line |= c == '\n';
		gap->is_plain = c == ' ' || c == '-';
		end = behind;
	}
	gap->is_plain &= count == 1;
	return count > 0 && count < LONGEST ? end : 0;
}

/* How cards show their numbers: 4-4-4-4 and on, 4-6-5 or 4-6-4. */
static bool is_cards_grouping(const size_t *sizes, size_t count)
{
	if (count == 3)
		return sizes[0] == 4 && sizes[1] == 6 && (sizes[2] == 5 || sizes[2] == 4);
	for (size_t i = 0; i < count && i < 4; i++) {
		if (sizes[i] != 4)
			return false;
	}
	return count == 4 || (count == 5 && sizes[4] <= 3);
}

/* The groups read so far, and what joins them. */
struct groups {
	size_t sizes[LONGEST_CARD / 3];
	size_t count;
	char sign;     /* of the first gap */
	bool is_plain; /* all gaps are plain and alike */
};

static bool joins(const struct groups *groups, const struct gap *gap)
{
	return gap->sign == groups->sign || gap->has_line;
}

/* With unusual gaps, the groups must be a whole card number: a line break may split them, but a
 * table's numbers stand like this as well. */
static bool are_cards(struct slice text, const struct groups *groups, size_t end)
{
	struct gap next;
	if (groups->is_plain)
		return is_group_size(groups->sizes[groups->count - 1]);
	bool is_all = read_gap(text, end, &next) == 0 || !joins(groups, &next);
	return is_all && is_cards_grouping(groups->sizes, groups->count);
}

/* Finds groups of 3 to 7 digits joined by one kind of gap, after the first group has been read.
 * Takes as many as make a card number, since a space may also precede a separate number. */
static bool find_grouped(struct slice text, size_t at, struct number number, size_t *end)
{
	const size_t most = LONGEST_CARD / 3;
	struct groups groups = {.sizes = {number.count}, .count = 1, .is_plain = true};
	struct gap gap;
	size_t group = read_gap(text, number.end, &gap);
	groups.sign = gap.sign;
	*end = 0;
	while (group != 0 && joins(&groups, &gap) && groups.count < most &&
	       is_group_size(groups.sizes[groups.count - 1])) {
		size_t before = number.count;
		groups.is_plain = groups.is_plain && gap.is_plain && gap.sign == groups.sign;
		if (!read_group(text, &number, group))
			break;
		groups.sizes[groups.count++] = number.count - before;
		if (are_cards(text, &groups, number.end) && is_card(text, &number))
			*end = number.end;
		group = read_gap(text, number.end, &gap);
	}
	bool is_account = groups.sign == ' ' && follows_iban_head(text, at);
	return *end > 0 && !(is_account && next_group(text, *end, ' ') != 0);
}

bool secret_card(struct slice text, size_t at, struct secret *secret)
{
	struct number number = {.end = at};
	size_t begin;
	char before = read_plain_before(text, at, &begin);
	bool goes_on =
		begin + 1 < at && secret_is_digit(before); /* the caller knows about other places */
	bool joined = before == '.' || before == '+' || goes_on;
	if (joined || !read_group(text, &number, at))
		return false;
	size_t end = number.end;
	bool found = number.count >= SHORTEST_CARD ? is_card(text, &number)
						   : find_grouped(text, at, number, &end);
	*secret = (struct secret){at, end, "card number"};
	return found;
}
