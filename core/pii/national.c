/* National numbers of digits alone. Those that one in ten random numbers matches need their name
 * before them, or a format of their own. */
#include "core/pii/parts.h"

enum { REACH = 48 }; /* of a name, in bytes */

typedef bool check(const char *digits);

static const struct {
	size_t first; /* digits of the format's first group */
	const char *format;
	check *check;
	unsigned word; /* that must stand before it; 0: none */
} rows[] = {
	{3, "3-2-4", pii_is_ssn, 0},
	{3, "3 2 4", pii_is_ssn, PII_WORD_SSN},
	{9, "9", pii_is_ssn, PII_WORD_SSN},
	{9, "9", pii_is_bsn, PII_WORD_BSN},
	{3, "3 3 3", pii_is_bsn, PII_WORD_BSN},
	{4, "4.2.3", pii_is_bsn, PII_WORD_BSN},
	{3, "3.3.3-2", pii_is_cpf, 0},
	{11, "11", pii_is_cpf, PII_WORD_CPF},
	{11, "11", pii_is_pesel, PII_WORD_PESEL},
	{11, "11", pii_is_steuer_id, 0},
	{2, "2 3 3 3", pii_is_steuer_id, 0},
	{4, "4 4 4", pii_is_aadhaar, 0},
	{4, "4-4-4", pii_is_aadhaar, PII_WORD_AADHAAR},
	{12, "12", pii_is_aadhaar, PII_WORD_AADHAAR},
	{15, "15", pii_is_nir, 0},
	{1, "1 2 2 2 3 3 2", pii_is_nir, 0},
	{13, "13 2", pii_is_nir, 0},
};

/* The 8 digits of a DNI and its letter. */
static bool is_dni(const struct pii_number *number, struct slice text, struct pii_span *span)
{
	size_t letter = number->ends[0];
	if (number->sizes[0] != 8)
		return false;
	letter += pii_at(text, letter) == '-';
	span->end = letter + 1;
	return pii_is_letter(pii_at(text, letter)) && !pii_goes_on_behind(text, letter + 1) &&
	       pii_is_dni(number->digits, text.data[letter]);
}

static bool is_resident_id(const struct pii_number *number, struct slice text,
			   struct pii_span *span)
{
	char characters[18];
	size_t end = number->ends[0];
	bool has_x = number->sizes[0] == 17 && pii_at(text, end) == 'x';
	if (number->sizes[0] != 18 && !has_x)
		return false;
	span->end = end + has_x;
	for (size_t i = 0; i < 18; i++)
		characters[i] = i == 17 && has_x ? 'x' : number->digits[i];
	return !pii_goes_on_behind(text, span->end) && pii_is_resident_id(characters);
}

bool pii_national_id(const struct pii_scan *scan, const struct pii_number *number, size_t at,
		     struct pii_span *span)
{
	struct slice text = scan->text;
	char before = at > 0 ? text.data[at - 1] : '\0';
	*span = (struct pii_span){.begin = at, .class = PII_NATIONAL_ID};
	bool is_joined = before == '-' || before == '.' || before == '/' || before == '+';
	bool is_short = number->count < 9 && number->sizes[0] != 8;
	if (number->groups == 0 || is_short || is_joined || pii_goes_on_before(text, at))
		return false;
	bool follows_digit = before == ' ' && at > 1 && pii_is_digit(text.data[at - 2]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_grouped = rows[i].format[1] == ' ';
		if (number->sizes[0] == rows[i].first &&
		    pii_number_has_format(number, text, rows[i].format, &span->end) &&
		    rows[i].check(number->digits) && !(is_grouped && follows_digit) &&
		    (rows[i].word == 0 || pii_seen_before(scan, rows[i].word, at, REACH) != NULL))
			return true;
	}
	return is_dni(number, text, span) || is_resident_id(number, text, span);
}
