/* Telephone numbers: international ones (E.164), and others behind a word that announces them. */
#include "core/pii/parts.h"

#include <string.h>

enum {
	MOST_DIGITS = 15, /* of E.164 */
	FEWEST_AFTER_PLUS = 8,
	FEWEST_GROUPED = 6,
	FEWEST_PLAIN = 7,
	SURELY_PLAIN = 9,
	REACH = 64,     /* of the word, in bytes */
	MOST_WORDS = 5, /* between the word and the number */
};

struct phone {
	char digits[MOST_DIGITS + 1];
	size_t count;
	size_t end;
	bool is_grouped;
};

static bool is_gap(char c)
{
	return c != '\0' && strchr(" -./()", c) != NULL;
}

/* At most two signs stand between two digits: "+49 (0) 30". */
static bool read_phone(struct slice text, size_t at, struct phone *phone)
{
	enum { MOST_SIGNS = 2 };
	*phone = (struct phone){.end = at};
	for (size_t signs = 0;; at++) {
		char c = pii_at(text, at);
		if (pii_is_digit(c)) {
			if (phone->count > MOST_DIGITS)
				return false;
			phone->is_grouped |= signs > 0 && phone->count > 0;
			phone->digits[phone->count++] = c;
			phone->end = at + 1;
			signs = 0;
		} else if (!is_gap(c) || ++signs > MOST_SIGNS) {
			return true;
		}
	}
}

/* "x123", "ext. 123" */
static size_t behind_extension(struct slice text, size_t at)
{
	enum { MOST = 6 };
	static const struct slice marks[] = {SLICE("x"), SLICE(" x"), SLICE(" ext. "),
					     SLICE(" ext ")};
	struct slice rest = slice_part(text, at, text.size);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t end = at + marks[i].size;
		if (!slice_starts_with(rest, marks[i]) || !pii_is_digit(pii_at(text, end)))
			continue;
		while (pii_is_digit(pii_at(text, end)) && end - at < marks[i].size + MOST)
			end++;
		return end;
	}
	return at;
}

static bool is_round(const struct phone *phone)
{
	enum { NOUGHTS = 6 };
	size_t count = 0;
	while (count < phone->count && phone->digits[phone->count - 1 - count] == '0')
		count++;
	return count >= NOUGHTS;
}

static bool is_international(const struct phone *phone)
{
	return phone->count >= FEWEST_AFTER_PLUS && phone->digits[0] != '0' && !is_round(phone);
}

/* "Tel. 5551234": nothing but signs in between. */
static bool is_direct(struct slice text, size_t from, size_t at)
{
	while (from < at && strchr(" .:-(", text.data[from]) != NULL)
		from++;
	return from == at;
}

static bool is_announced(const struct pii_scan *scan, const struct phone *phone, size_t at)
{
	const struct pii_seen *word = pii_seen_before(scan, PII_WORD_PHONE, at, REACH);
	const struct pii_seen *other = pii_seen_before(scan, PII_WORD_NO_PHONE, at, REACH);
	if (word == NULL || scan->words - word->word > MOST_WORDS ||
	    (other != NULL && other->begin > word->begin))
		return false;
	if (phone->is_grouped)
		return phone->count >= FEWEST_GROUPED;
	return phone->count >= SURELY_PLAIN ||
	       (phone->count >= FEWEST_PLAIN &&
		(phone->digits[0] == '0' || is_direct(scan->text, word->end, at)));
}

static bool may_begin(struct slice text, size_t at)
{
	char before = at > 0 ? text.data[at - 1] : '\0';
	return !pii_goes_on_before(text, at) &&
	       (before == '\0' || strchr("+$#.-/", before) == NULL);
}

static bool may_end(struct slice text, size_t at)
{
	char c = pii_at(text, at);
	return !pii_goes_on_behind(text, at) && (c == '\0' || strchr("%$@", c) == NULL) &&
	       !((c == ':' || c == ',') && pii_is_digit(pii_at(text, at + 1)));
}

bool pii_phone(const struct pii_scan *scan, size_t at, struct pii_span *span)
{
	struct slice text = scan->text;
	struct phone phone;
	bool has_plus = text.data[at] == '+';
	bool is_named = pii_seen_before(scan, PII_WORD_PHONE, at, REACH) != NULL;
	if (!(has_plus || is_named) || !may_begin(text, at) ||
	    !read_phone(text, at + has_plus, &phone))
		return false;
	*span = (struct pii_span){at, behind_extension(text, phone.end), PII_PHONE};
	return phone.count <= MOST_DIGITS + 1 && may_end(text, span->end) &&
	       (has_plus ? is_international(&phone) : is_announced(scan, &phone, at));
}
