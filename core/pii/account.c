/* Numbers with letters: IBAN, codice fiscale, DNI and NIE. */
#include "core/pii/parts.h"

#include <string.h>

/* Countries and the lengths of their IBANs: SWIFT's registry, release 98. */
static const struct {
	char country[3];
	unsigned char length;
} registry[] = {
	{"ad", 24}, {"ae", 23}, {"al", 28}, {"at", 20}, {"az", 28}, {"ba", 20}, {"be", 16},
	{"bg", 22}, {"bh", 22}, {"bi", 27}, {"br", 29}, {"by", 28}, {"ch", 21}, {"cr", 22},
	{"cy", 28}, {"cz", 24}, {"de", 22}, {"dj", 27}, {"dk", 18}, {"do", 28}, {"ee", 20},
	{"eg", 29}, {"es", 24}, {"fi", 18}, {"fk", 18}, {"fo", 18}, {"fr", 27}, {"gb", 22},
	{"ge", 22}, {"gi", 23}, {"gl", 18}, {"gr", 27}, {"gt", 28}, {"hr", 21}, {"hu", 28},
	{"ie", 22}, {"il", 23}, {"iq", 23}, {"is", 26}, {"it", 27}, {"jo", 30}, {"kw", 30},
	{"kz", 20}, {"lb", 28}, {"lc", 32}, {"li", 21}, {"lt", 20}, {"lu", 20}, {"lv", 21},
	{"ly", 25}, {"mc", 27}, {"md", 24}, {"me", 22}, {"mk", 19}, {"mn", 20}, {"mr", 27},
	{"mt", 31}, {"mu", 30}, {"ni", 28}, {"nl", 18}, {"no", 15}, {"om", 23}, {"pk", 24},
	{"pl", 28}, {"ps", 29}, {"pt", 25}, {"qa", 29}, {"ro", 24}, {"rs", 22}, {"ru", 33},
	{"sa", 24}, {"sc", 31}, {"sd", 18}, {"se", 24}, {"si", 19}, {"sk", 24}, {"sm", 27},
	{"so", 23}, {"st", 25}, {"sv", 28}, {"tl", 23}, {"tn", 24}, {"tr", 26}, {"ua", 29},
	{"va", 22}, {"vg", 24}, {"xk", 20}, {"ye", 30},
};

enum { LONGEST_IBAN = 33 };

static size_t iban_length(const char *country)
{
	for (size_t i = 0; i < sizeof(registry) / sizeof(registry[0]); i++) {
		if (memcmp(registry[i].country, country, 2) == 0)
			return registry[i].length;
	}
	return 0;
}

/* Reads `count` letters and digits with single spaces or dashes between them. */
static bool read_joined(struct slice text, size_t at, char *out, size_t count, size_t *end)
{
	for (size_t i = 0; i < count; i++) {
		char c = pii_at(text, at);
		if (i > 0 && (c == ' ' || c == '-'))
			c = pii_at(text, ++at);
		if (!pii_is_alnum(c))
			return false;
		out[i] = c;
		at++;
	}
	*end = at;
	return !pii_goes_on_behind(text, at);
}

/* The number of ASCII letters directly before `at`, where a word begins; 0: none does. */
static size_t letters_before(struct slice text, size_t at)
{
	enum { MOST = 6 };
	size_t count = 0;
	while (count < at && count < MOST && pii_is_letter(text.data[at - count - 1]))
		count++;
	return count > 0 && pii_goes_on_before(text, at - count) ? 0 : count;
}

bool pii_account(struct slice text, size_t at, struct pii_span *span)
{
	char characters[LONGEST_IBAN];
	if (letters_before(text, at) != 2 || !pii_is_digit(pii_at(text, at + 1)))
		return false;
	size_t begin = at - 2;
	size_t length = iban_length(text.data + begin);
	*span = (struct pii_span){.begin = begin, .class = PII_IBAN};
	return length > 0 && read_joined(text, begin, characters, length, &span->end) &&
	       pii_is_iban(characters, length);
}

/* A foreigner's number in Spain begins with X, Y or Z, which stands for 0, 1 or 2. */
static bool is_nie(struct slice text, size_t at, struct pii_span *span)
{
	char characters[9];
	size_t begin = at - (text.data[at - 1] == '-' ? 2 : 1);
	char first = text.data[begin];
	if (first < 'x' || !read_joined(text, begin, characters, 9, &span->end))
		return false;
	characters[0] = (char)('0' + (first - 'x'));
	for (size_t i = 0; i < 8; i++) {
		if (!pii_is_digit(characters[i]))
			return false;
	}
	span->begin = begin;
	return pii_is_dni(characters, characters[8]);
}

bool pii_lettered_id(struct slice text, size_t at, struct pii_span *span)
{
	char characters[16];
	size_t letters = letters_before(text, at);
	bool has_dash = at > 1 && text.data[at - 1] == '-' && letters_before(text, at - 1) == 1;
	span->class = PII_NATIONAL_ID;
	if (letters == 1 || has_dash)
		return is_nie(text, at, span);
	span->begin = at - letters;
	return letters == 6 && read_joined(text, at - 6, characters, 16, &span->end) &&
	       span->end == at + 10 && pii_is_codice_fiscale(characters);
}
