/* The pass over a plain text: words are noted, and the rules tried where something may begin. */
#include "core/pii/parts.h"
#include "core/text/text.h"

#include <string.h>
#include <unictype.h>

void pii_add(struct pii_scan *scan, size_t begin, size_t end, enum pii_class class)
{
	struct pii_span span = {begin, end, class};
	buffer_append(scan->spans, (struct slice){(const char *)&span, sizeof(span)});
	if (end > scan->from)
		scan->from = end;
}

/* ---- dates of birth ---- */

enum { BORN_REACH = 56, BORN_WORDS = 5 };

/* Whether a sentence ends there; the point of "geb." ends none. */
static bool has_end(struct slice text, size_t begin, size_t end)
{
	for (size_t at = begin; at + 1 < end; at++) {
		bool is_point = text.data[at] == '.' && at > begin && text.data[at + 1] == ' ' &&
				!pii_is_digit(text.data[at - 1]);
		if (is_point || text.data[at] == '!' || text.data[at] == '?')
			return true;
	}
	return false;
}

static bool is_born_before(const struct pii_scan *scan, size_t at)
{
	const struct pii_seen *born = pii_seen_before(scan, PII_WORD_BORN, at, BORN_REACH);
	const struct pii_seen *other = pii_seen_before(scan, PII_WORD_NOT_BORN, at, BORN_REACH);
	return born != NULL && scan->words - born->word <= BORN_WORDS &&
	       (other == NULL || other->word != born->word + 1) &&
	       !has_end(scan->text, born->end, at);
}

/* "On 5 May 1990 I was born" */
static void note_birth(struct pii_scan *scan, size_t at)
{
	const struct pii_seen *date = &scan->date;
	bool is_over = date->is_there && pii_at(scan->text, date->end) == '.' &&
		       pii_at(scan->text, date->end + 1) == ' ';
	if (date->is_there && !is_over && at - date->end <= BORN_REACH &&
	    scan->words - date->word <= BORN_WORDS && !has_end(scan->text, date->end, at))
		pii_add(scan, date->begin, date->end, PII_BIRTH_DATE);
	scan->date.is_there = false;
}

/* ---- words ---- */

static void note_bits(struct pii_scan *scan, unsigned bits, size_t begin, size_t end)
{
	if ((bits & PII_WORD_BORN) != 0)
		note_birth(scan, begin);
	for (; bits != 0; bits &= bits - 1)
		scan->seen[PII_KIND(bits)] = (struct pii_seen){begin, end, scan->words, true};
}

/* A character that is no ASCII: part of a word, a sign of a script without spaces, or else. */
static bool is_of_word(struct slice text, size_t at, size_t *size)
{
	uint32_t character;
	*size = text_decode(text, at, &character);
	return !text_is_unspaced(character) &&
	       uc_is_general_category_withtable((ucs4_t)character,
						UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M);
}

static size_t end_of_word(struct slice text, size_t at)
{
	for (;;) {
		size_t size = 1;
		char c = pii_at(text, at);
		if (pii_is_letter(c) || c == '_' ||
		    ((unsigned char)c >= 0x80 && is_of_word(text, at, &size)))
			at += size;
		else
			return at;
	}
}

static size_t take_word(struct pii_scan *scan, size_t at)
{
	struct pii_span span;
	if (pii_hex(scan->text, at, &span)) {
		pii_add(scan, span.begin, span.end, span.class);
		return span.end;
	}
	size_t end = end_of_word(scan->text, at);
	scan->words++;
	scan->last_word = (struct pii_seen){at, end, scan->words, true};
	note_bits(scan, pii_word_bits(slice_part(scan->text, at, end)), at, end);
	return end;
}

static size_t take_sign(struct pii_scan *scan, size_t at)
{
	uint32_t character;
	size_t size = text_decode(scan->text, at, &character);
	note_bits(scan, pii_sign_bits(scan->text, at, &size), at, at + size);
	return at + size;
}

/* ---- numbers ---- */

static bool take_card(struct slice text, const struct pii_number *number, size_t at,
		      struct pii_span *span)
{
	struct secret secret;
	bool is_short = number->groups > 0 && number->sizes[0] < 3;
	if (is_short || pii_goes_on_before(text, at) || !secret_card(text, at, &secret))
		return false;
	*span = (struct pii_span){secret.begin, secret.end, PII_CARD};
	return true;
}

static bool take_date(struct pii_scan *scan, size_t at, size_t *end)
{
	struct pii_span span;
	if (!pii_date(scan, at, *end, &span) || span.begin < scan->from)
		return false;
	*end = span.end;
	if (is_born_before(scan, span.begin))
		pii_add(scan, span.begin, span.end, PII_BIRTH_DATE);
	else
		scan->date = (struct pii_seen){span.begin, span.end, scan->words, true};
	return true;
}

static bool find_number(struct pii_scan *scan, const struct pii_number *number, size_t at,
			struct pii_span *span, size_t *behind)
{
	struct slice text = scan->text;
	return pii_account(text, at, span) || pii_lettered_id(text, at, span) ||
	       pii_hex(text, at, span) || pii_ip(scan, at, span) || pii_geo(text, at, span) ||
	       pii_national_id(scan, number, at, span) || take_card(text, number, at, span) ||
	       pii_phone(scan, at, span) || pii_address(scan, number, at, span, behind);
}

static size_t end_of_digits(struct slice text, size_t at)
{
	while (pii_is_digit(pii_at(text, at)))
		at++;
	return at;
}

static size_t take_number(struct pii_scan *scan, size_t at)
{
	struct pii_number number;
	struct pii_span span;
	size_t end = end_of_digits(scan->text, at);
	if (pii_at(scan->text, end) == '@' || take_date(scan, at, &end))
		return end;
	pii_number_read(&number, scan->text, at);
	if (!find_number(scan, &number, at, &span, &end) || span.begin < scan->from)
		return end;
	pii_add(scan, span.begin, span.end, span.class);
	return span.end > end ? span.end : end;
}

static size_t take_mark(struct pii_scan *scan, size_t at)
{
	struct slice text = scan->text;
	struct pii_span span;
	bool found = false;
	char c = text.data[at];
	if (c == '@')
		found = pii_email(text, at, &span);
	else if ((c == '+' || c == '(') && pii_is_digit(pii_at(text, at + 1)))
		found = pii_phone(scan, at, &span);
	if (!found || span.begin < scan->from)
		return at + 1;
	pii_add(scan, span.begin, span.end, span.class);
	return span.end;
}

void pii_scan_text(struct pii_scan *scan)
{
	for (size_t at = 0; at < scan->text.size;) {
		char c = scan->text.data[at];
		size_t size;
		if (pii_is_letter(c))
			at = take_word(scan, at);
		else if (pii_is_digit(c))
			at = take_number(scan, at);
		else if ((unsigned char)c < 0x80)
			at = take_mark(scan, at);
		else
			at = is_of_word(scan->text, at, &size) ? take_word(scan, at)
							       : take_sign(scan, at);
	}
}
