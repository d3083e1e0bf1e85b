/* The check digits of accounts' and people's numbers. */
#include "core/pii/parts.h"

#include <string.h>

static unsigned digit(char c)
{
	return (unsigned)(c - '0');
}

static unsigned read_number(const char *digits, size_t count)
{
	unsigned number = 0;
	for (size_t i = 0; i < count; i++)
		number = number * 10 + digit(digits[i]);
	return number;
}

static unsigned weigh(const char *digits, const unsigned char *weights, size_t count)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += digit(digits[i]) * weights[i];
	return sum;
}

static bool is_month_and_day(unsigned month, unsigned day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* ISO 13616: the first four characters move to the end, letters count 10 to 35, and the number
 * modulo 97 is 1. */
bool pii_is_iban(const char *characters, size_t count)
{
	unsigned rest = 0;
	for (size_t i = 0; i < count; i++) {
		char c = characters[(i + 4) % count];
		if (pii_is_digit(c))
			rest = (rest * 10 + digit(c)) % 97;
		else
			rest = (rest * 100 + (unsigned)(c - 'a') + 10) % 97;
	}
	return rest == 1;
}

/* Verhoeff's check digit: the dihedral group of ten. */
bool pii_is_aadhaar(const char *digits)
{
	static const unsigned char product[10][10] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
		{2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
		{4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
		{6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
		{8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
	};
	static const unsigned char places[8][10] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
		{5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
		{9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
		{2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
	};
	unsigned check = 0;
	for (size_t i = 0; i < 12; i++)
		check = product[check][places[i % 8][digit(digits[11 - i])]];
	return check == 0 && digits[0] >= '2';
}

/* ISO 7064, MOD 11,10. One digit stands twice or three times among the first ten, each other digit
 * at most once. */
bool pii_is_steuer_id(const char *digits)
{
	unsigned counts[10] = {0};
	unsigned missing = 0;
	unsigned product = 10;
	for (size_t i = 0; i < 10; i++) {
		counts[digit(digits[i])]++;
		unsigned sum = (digit(digits[i]) + product) % 10;
		product = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	for (size_t i = 0; i < 10; i++)
		missing += counts[i] == 0;
	return digits[0] != '0' && (missing == 1 || missing == 2) &&
	       (11 - product) % 10 == digit(digits[10]);
}

/* The key is 97 minus the first 13 digits modulo 97; they name sex, year, month and place. */
bool pii_is_nir(const char *digits)
{
	unsigned rest = 0;
	unsigned month = read_number(digits + 3, 2);
	for (size_t i = 0; i < 13; i++)
		rest = (rest * 10 + digit(digits[i])) % 97;
	bool is_month = (month >= 1 && month <= 12) || (month >= 20 && month <= 42);
	return (digits[0] == '1' || digits[0] == '2') && is_month &&
	       97 - rest == read_number(digits + 13, 2);
}

bool pii_is_bsn(const char *digits)
{
	static const unsigned char weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
	unsigned sum = weigh(digits, weights, 8);
	return sum > 0 && sum % 11 == digit(digits[8]);
}

/* A number of one digit only passes the check, but is nobody's. */
static bool is_one_digit(const char *digits, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (digits[i] != digits[0])
			return false;
	}
	return true;
}

bool pii_is_cpf(const char *digits)
{
	static const unsigned char weights[] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
	unsigned first = weigh(digits, weights + 1, 9) * 10 % 11 % 10;
	unsigned second = weigh(digits, weights, 10) * 10 % 11 % 10;
	return !is_one_digit(digits, 11) && first == digit(digits[9]) &&
	       second == digit(digits[10]);
}

/* The month tells the century: 80 more for the 19th, and 20, 40 and 60 more for the 21st to the
 * 23rd. */
bool pii_is_pesel(const char *digits)
{
	static const unsigned char weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
	unsigned month = read_number(digits + 2, 2) % 20;
	return is_month_and_day(month, read_number(digits + 4, 2)) &&
	       weigh(digits, weights, 11) % 10 == 0;
}

/* It has no check digit; these were never given out. */
bool pii_is_ssn(const char *digits)
{
	unsigned area = read_number(digits, 3);
	return area != 0 && area != 666 && area < 900 && read_number(digits + 3, 2) != 0 &&
	       read_number(digits + 5, 4) != 0;
}

/* GB 11643: ISO 7064, MOD 11-2, over place, date of birth and serial number. */
bool pii_is_resident_id(const char *characters)
{
	static const unsigned char weights[] = {7, 9, 10, 5,  8, 4, 2, 1, 6,
						3, 7, 9,  10, 5, 8, 4, 2};
	static const char checks[] = "10x98765432";
	unsigned year = read_number(characters + 6, 4);
	return characters[0] >= '1' && characters[0] <= '8' && year >= 1850 && year < 2100 &&
	       is_month_and_day(read_number(characters + 10, 2), read_number(characters + 12, 2)) &&
	       checks[weigh(characters, weights, 17) % 11] == characters[17];
}

bool pii_is_dni(const char *digits, char letter)
{
	static const char letters[] = "trwagmyfpdxbnjzsqvhlcke";
	return letters[read_number(digits, 8) % 23] == letter;
}

/* Decree of 23 December 1976: characters at odd places count by a table. A name's number that
 * another person has already takes letters for digits. */
bool pii_is_codice_fiscale(const char *characters)
{
	static const unsigned char odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
					    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
	static const char format[] = "lllllldd"
				     "mddlddd";
	static const char months[] = "abcdehlmprst";
	static const char instead_of_digits[] = "lmnpqrstuv";
	unsigned sum = 0;
	for (size_t i = 0; i < 15; i++) {
		char c = characters[i];
		bool fits =
			format[i] == 'l' ? pii_is_letter(c)
			: format[i] == 'm'
				? memchr(months, c, sizeof(months) - 1) != NULL
				: pii_is_digit(c) || memchr(instead_of_digits, c,
							    sizeof(instead_of_digits) - 1) != NULL;
		if (!fits)
			return false;
		unsigned value = pii_is_digit(c) ? digit(c) : (unsigned)(c - 'a');
		sum += i % 2 == 0 ? odd[value] : value;
	}
	return characters[15] == (char)('a' + sum % 26);
}
