/* Street addresses: a street's word with a house number, and something in the format of a postcode.
 * A likely address, no more. */
#include "core/pii/parts.h"

#include <string.h>

enum {
	HOUSE = 1 << 0,
	POSTCODE = 1 << 1,
	REACH = 100,      /* bytes between the street's word and the postcode */
	HOUSE_REACH = 72, /* and the house number */
};

static bool is_letter_pair(struct slice text, size_t at)
{
	return pii_is_letter(pii_at(text, at)) && pii_is_letter(pii_at(text, at + 1)) &&
	       !pii_goes_on_behind(text, at + 2);
}

/* "NW1 6XE": `at` is the first digit. */
static bool is_british(struct slice text, size_t at, struct pii_seen *number)
{
	size_t letters = 0;
	while (letters < 2 && letters < at && pii_is_letter(text.data[at - letters - 1]))
		letters++;
	size_t end = at + 1;
	end += pii_is_alnum(pii_at(text, end)); /* a second digit, or a letter */
	if (letters == 0 || pii_goes_on_before(text, at - letters) || pii_at(text, end) != ' ' ||
	    !pii_is_digit(pii_at(text, end + 1)) || !is_letter_pair(text, end + 2))
		return false;
	number->begin = at - letters;
	number->end = end + 4;
	return true;
}

/* "1012 JS" */
static bool is_dutch(const struct pii_number *digits, struct slice text, struct pii_seen *number)
{
	size_t end = digits->ends[0];
	end += pii_at(text, end) == ' ';
	if (digits->sizes[0] != 4 || !is_letter_pair(text, end))
		return false;
	number->end = end + 2;
	return true;
}

static bool follows_comma(struct slice text, size_t at)
{
	while (at > 0 && text.data[at - 1] == ' ')
		at--;
	return at > 0 && (text.data[at - 1] == ',' || text.data[at - 1] == '\n');
}

static unsigned kind_of(const struct pii_number *digits, struct slice text, size_t at,
			struct pii_seen *number)
{
	static const char *const postcodes[] = {"5-4", "5-3", "4-3", "3-4", "2-3", "5", "6", "8"};
	char before = at > 0 ? text.data[at - 1] : '\0';
	if (digits->groups == 0 || before == '$' || before == '.')
		return 0;
	number->end = digits->ends[0];
	if (is_british(text, at, number))
		return POSTCODE;
	if (pii_goes_on_before(text, at))
		return 0;
	if (is_dutch(digits, text, number))
		return POSTCODE;
	for (size_t i = 0; i < sizeof(postcodes) / sizeof(postcodes[0]); i++) {
		if (digits->sizes[0] == (size_t)(postcodes[i][0] - '0') &&
		    pii_number_has_format(digits, text, postcodes[i], &number->end))
			return POSTCODE;
	}
	number->end = digits->ends[0];
	if (digits->sizes[0] > 4 || (digits->gaps[0] == '.' && digits->sizes[1] > 2))
		return 0;
	/* "21/55", "7-9-20" */
	for (size_t i = 1;
	     i < digits->groups && digits->gaps[i - 1] != ' ' && digits->gaps[i - 1] != '.'; i++)
		number->end = digits->ends[i];
	bool may_be_code = digits->sizes[0] == 4 && pii_at(text, number->end) == ' ' &&
			   follows_comma(text, at);
	return may_be_code ? HOUSE | POSTCODE : HOUSE;
}

/* ---- together ---- */

static size_t distance(const struct pii_seen *a, const struct pii_seen *b)
{
	if (a->end <= b->begin)
		return b->begin - a->end;
	return b->end <= a->begin ? a->begin - b->end : 0;
}

/* The signs that separate the parts of an address on one line; a number in a sentence has none. */
static bool is_divided(struct slice text, size_t begin, size_t end)
{
	const struct slice house = SLICE("\u53f7"); /* behind a Chinese house number */
	struct slice between = slice_part(text, begin, end);
	if (between.size == 0)
		return false;
	return memchr(between.data, ',', between.size) != NULL ||
	       memchr(between.data, '\n', between.size) != NULL ||
	       slice_find(between, house, 0) < between.size ||
	       slice_find(between, SLICE("\u3012"), 0) < between.size;
}

/* "5 rue de Rivoli 75001 Paris", "Hauptstr. 5 12345 Berlin" */
static bool is_close(const struct pii_seen *street, const struct pii_seen *house,
		     const struct pii_seen *code)
{
	enum { BESIDE = 3, NEAR = 24 };
	return distance(street, house) <= BESIDE && code->begin >= house->end &&
	       distance(street, code) <= NEAR;
}

static bool fits(const struct pii_scan *scan, const struct pii_seen *street,
		 const struct pii_seen *house, const struct pii_seen *code, struct pii_span *span)
{
	size_t begin = size_min(street->begin, size_min(house->begin, code->begin));
	size_t end = size_max(street->end, size_max(house->end, code->end));
	*span = (struct pii_span){begin, end, PII_ADDRESS};
	return begin >= scan->from && distance(street, house) <= HOUSE_REACH &&
	       distance(street, code) <= REACH &&
	       (is_divided(scan->text, begin, end) || is_close(street, house, code));
}

static bool is_wordy(char c)
{
	return pii_is_letter(c) || (unsigned char)c >= 0x80 || c == '-';
}

/* The street's name stands before its word: "Lale Caddesi 5", "Anna-Schmidt-Weg 5". */
static size_t begin_of_name(const struct pii_scan *scan, size_t begin)
{
	enum { LONGEST = 64 };
	struct slice text = scan->text;
	size_t limit = begin > LONGEST ? begin - LONGEST : 0;
	limit = size_max(limit, scan->from);
	const struct pii_seen *compound = &scan->seen[PII_KIND(PII_WORD_COMPOUND)];
	bool is_compound = compound->is_there && compound->begin == begin;
	while (begin > limit && is_wordy(text.data[begin - 1]))
		begin--;
	if (is_compound || (begin > limit && text.data[begin] == '-'))
		return begin;
	size_t name = begin;
	if (name > limit && text.data[name - 1] == ' ')
		name--;
	while (name > limit && is_wordy(text.data[name - 1]))
		name--;
	return name;
}

/* A pattern with one street. */
static bool find(const struct pii_scan *scan, const struct pii_seen *street, size_t newest,
		 struct pii_span *span)
{
	const struct pii_seen *number = &scan->numbers[newest];
	for (size_t i = 0; i < PII_KEPT_NUMBERS; i++) {
		const struct pii_seen *other = &scan->numbers[i];
		unsigned kinds = scan->number_kinds[i];
		if (i == newest || !other->is_there)
			continue;
		if (((scan->number_kinds[newest] & POSTCODE) != 0 && (kinds & HOUSE) != 0 &&
		     fits(scan, street, other, number, span)) ||
		    ((scan->number_kinds[newest] & HOUSE) != 0 && (kinds & POSTCODE) != 0 &&
		     fits(scan, street, number, other, span)))
			return true;
	}
	return false;
}

/* "..., 12345 Town, apt. 7": a part of the house stands behind it. */
static bool goes_on(const struct pii_scan *scan, size_t at)
{
	enum { NEAR = 24 };
	const struct pii_seen *address = &scan->address;
	const struct pii_seen *flat = pii_seen_before(scan, PII_WORD_FLAT, at, 4);
	return address->is_there && at - address->end <= NEAR && flat != NULL &&
	       flat->begin >= address->end;
}

/* "rue de Lefort, 97493 Delannoy": a street without a house number. */
static bool stands_alone(const struct pii_scan *scan, const struct pii_seen *street, size_t newest,
			 struct pii_span *span)
{
	enum { NEAR = 40 };
	struct slice text = scan->text;
	const struct pii_seen *code = &scan->numbers[newest];
	bool is_plain = scan->number_kinds[newest] == POSTCODE && pii_at(text, code->end) == ' ' &&
			pii_goes_on_behind(text, code->end + 1) &&
			!pii_is_digit(pii_at(text, code->end + 1));
	*span = (struct pii_span){street->begin, code->end, PII_ADDRESS};
	return is_plain && street->begin >= scan->from && code->begin - street->end <= NEAR &&
	       follows_comma(text, code->begin);
}

/* Finds the address that the newest number completes. */
static bool complete(struct pii_scan *scan, size_t at, size_t newest, struct pii_span *span)
{
	const struct pii_seen *street = pii_seen_before(scan, PII_WORD_STREET, at, REACH);
	if (street != NULL && find(scan, street, newest, span)) {
		if (span->begin == street->begin)
			span->begin = begin_of_name(scan, span->begin);
		return true;
	}
	street = pii_seen_before(scan, PII_WORD_STREET_OF, at, REACH);
	return street != NULL &&
	       (find(scan, street, newest, span) || stands_alone(scan, street, newest, span));
}

bool pii_address(struct pii_scan *scan, const struct pii_number *digits, size_t at,
		 struct pii_span *span, size_t *behind)
{
	struct pii_seen number = {.begin = at, .is_there = true};
	unsigned kinds = kind_of(digits, scan->text, at, &number);
	if (kinds == 0)
		return false;
	size_t newest = scan->next_number++ % PII_KEPT_NUMBERS;
	scan->numbers[newest] = number;
	scan->number_kinds[newest] = kinds;
	*behind = number.end;
	bool found = goes_on(scan, at);
	if (found)
		*span = (struct pii_span){scan->address.end, number.end, PII_ADDRESS};
	else
		found = complete(scan, at, newest, span);
	if (found) {
		memset(scan->numbers, 0, sizeof(scan->numbers));
		scan->address = (struct pii_seen){span->begin, span->end, scan->words, true};
	}
	return found;
}
