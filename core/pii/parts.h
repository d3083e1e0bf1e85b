/* Shared by the files of core/pii; no other wing includes it. All but the rules of secrets.c work
 * on the plain form of a text: lower case, without invisible characters, with ASCII in place of
 * full-width forms and of other scripts' digits, dashes and spaces. */
#ifndef RECALLD_CORE_PII_PARTS_H
#define RECALLD_CORE_PII_PARTS_H

#include "core/base/bytes.h"
#include "core/pii/pii.h"

/* ---- plain.c ---- */

struct pii_plain {
	struct slice text;
	struct buffer bytes;
	struct buffer
		stretches; /* where in the original each stretch was; empty: all is in place */
};

void pii_plain_init(struct pii_plain *plain, struct slice text);
void pii_plain_finish(struct pii_plain *plain);
/* The place in the original of the byte at `at` in the plain form. */
size_t pii_place(const struct pii_plain *plain, size_t at);

static inline bool pii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool pii_is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool pii_is_alnum(char c)
{
	return pii_is_digit(c) || pii_is_letter(c);
}

/* The byte at `at`, or a NUL behind the end. */
static inline char pii_at(struct slice text, size_t at)
{
	return at < text.size ? text.data[at] : '\0';
}

/* Whether a word or a number that begins, or ends, at the place goes on before it, or behind it.
 * Scripts without spaces have no words that could. */
bool pii_goes_on_before(struct slice text, size_t at);
bool pii_goes_on_behind(struct slice text, size_t at);

/* ---- number.c ---- */

enum { PII_MOST_DIGITS = 24, PII_MOST_GROUPS = 8 };

/* Groups of digits with one separator between two of them: one of " -./". */
struct pii_number {
	char digits[PII_MOST_DIGITS];
	size_t count;
	size_t groups;
	size_t sizes[PII_MOST_GROUPS];
	size_t ends[PII_MOST_GROUPS];
	char gaps[PII_MOST_GROUPS]; /* behind each group; a NUL behind the last */
};

void pii_number_read(struct pii_number *number, struct slice text, size_t at);
/* whether the number is written like the format, such as "3-2-4" or "11", and neither a letter nor
 * a further group with the same separator follows. `end` receives the place behind it. */
bool pii_number_has_format(const struct pii_number *number, struct slice text, const char *format,
			   size_t *end);

/* ---- checksum.c: `digits` has `count` of '0' to '9' ---- */

bool pii_is_iban(const char *characters, size_t count); /* with its country; lower case */
bool pii_is_aadhaar(const char *digits);                /* 12 */
bool pii_is_steuer_id(const char *digits);              /* 11 */
bool pii_is_nir(const char *digits);                    /* 15 */
bool pii_is_bsn(const char *digits);                    /* 9 */
bool pii_is_cpf(const char *digits);                    /* 11 */
bool pii_is_pesel(const char *digits);                  /* 11 */
bool pii_is_ssn(const char *digits);                    /* 9 */
bool pii_is_resident_id(const char *characters);        /* 18; the last may be an x */
bool pii_is_dni(const char *digits, char letter);       /* 8 */
bool pii_is_codice_fiscale(const char *characters);     /* 16 */

/* ---- pii_words.c ---- */

enum pii_word_bits {
	PII_WORD_PHONE = 1 << 0,
	PII_WORD_NO_PHONE = 1 << 1, /* a number behind it is another kind of number */
	PII_WORD_BORN = 1 << 2,
	PII_WORD_NOT_BORN = 1 << 3,  /* "born to run" */
	PII_WORD_STREET = 1 << 4,    /* its name stands before it: "Baker Street" */
	PII_WORD_STREET_OF = 1 << 5, /* its name stands behind it: "rue de Rivoli" */
	PII_WORD_VERSION = 1 << 6,
	PII_WORD_SSN = 1 << 7,
	PII_WORD_BSN = 1 << 8,
	PII_WORD_CPF = 1 << 9,
	PII_WORD_PESEL = 1 << 10,
	PII_WORD_AADHAAR = 1 << 11,
	PII_WORD_FLAT = 1 << 12,     /* a part of a house */
	PII_WORD_COMPOUND = 1 << 13, /* a street's name and its kind in one word */
};

enum { PII_WORD_KINDS = 14 };
#define PII_KIND(bit) ((size_t)__builtin_ctz(bit))

/* The bits of a word between spaces or signs. */
unsigned pii_word_bits(struct slice word);
/* The bits of the word of a script without spaces that begins at `at`, and its size. */
unsigned pii_sign_bits(struct slice text, size_t at, size_t *size);

/* Where a word of each kind was seen last. */
struct pii_seen {
	size_t begin;
	size_t end;
	size_t word; /* its number */
	bool is_there;
};

/* ---- scan.c ---- */

enum { PII_KEPT_NUMBERS = 4 };

struct pii_scan {
	struct slice text;
	struct buffer *spans; /* of struct pii_span */
	size_t from;          /* the end of the last span or date */
	size_t words;
	struct pii_seen last_word;
	struct pii_seen seen[PII_WORD_KINDS];
	struct pii_seen date; /* the last date that nothing calls a date of birth yet */
	struct pii_seen numbers[PII_KEPT_NUMBERS]; /* that an address may hold; see address.c */
	unsigned number_kinds[PII_KEPT_NUMBERS];
	size_t next_number;
	struct pii_seen address; /* the last one found */
};

void pii_add(struct pii_scan *scan, size_t begin, size_t end, enum pii_class class);
void pii_scan_text(struct pii_scan *scan);
/* The last word of the kind if it ends at most `reach` bytes before `at`; NULL: there is none. */
static inline const struct pii_seen *pii_seen_before(const struct pii_scan *scan, unsigned bit,
						     size_t at, size_t reach)
{
	const struct pii_seen *seen = &scan->seen[PII_KIND(bit)];
	return seen->is_there && seen->end <= at && at - seen->end <= reach ? seen : NULL;
}

/* ---- rules: each reports what begins at `at`, or what the place completes ---- */

bool pii_email(struct slice text, size_t at, struct pii_span *span);        /* at the "@" */
bool pii_ip(const struct pii_scan *scan, size_t at, struct pii_span *span); /* at a digit */
bool pii_hex(struct slice text, size_t at, struct pii_span *span);     /* MAC, IPv6, at a word */
bool pii_geo(struct slice text, size_t at, struct pii_span *span);     /* at its first digit */
bool pii_account(struct slice text, size_t at, struct pii_span *span); /* IBAN, at the digit
									  behind the country */
bool pii_lettered_id(struct slice text, size_t at, struct pii_span *span); /* the same */
bool pii_national_id(const struct pii_scan *scan, const struct pii_number *number, size_t at,
		     struct pii_span *span);
bool pii_phone(const struct pii_scan *scan, size_t at, struct pii_span *span); /* "+", "(", digit */
/* The date whose first digits stand from `at` to `end`; its month may stand before it. */
bool pii_date(const struct pii_scan *scan, size_t at, size_t end, struct pii_span *span);
/* Notes a number, and whether it completes an address. `behind` moves behind what was noted. */
bool pii_address(struct pii_scan *scan, const struct pii_number *number, size_t at,
		 struct pii_span *span, size_t *behind);

/* ---- the rules of secrets.c ----
 *
 * Each checks one position of a text, not of its plain form, and reports the secret that begins, or
 * is announced, there. None looks further than a bounded number of bytes unless it finds one, so
 * that a scan over all positions stays linear. */

struct secret {
	size_t begin;
	size_t end;
	const char *kind;
};

/* A payment card number that passes the Luhn check, at the first digit of a group. */
bool secret_card(struct slice text, size_t at, struct secret *secret);

/* A token known by its prefix ("ghp_..."), at the start of a word. */
bool secret_token(struct slice text, size_t at, struct secret *secret);
/* The value after "password=", "api_key:", "Authorization: Basic" or "Bearer", at the start of that
 * word. */
bool secret_assigned(struct slice text, size_t at, struct secret *secret);
/* A password stated in other words and languages: "mot de passe :", "the wifi key is", at the first
 * byte of the name. */
bool secret_said(struct slice text, size_t at, struct secret *secret);
/* The password in `curl -u user:password`, at the dash. */
bool secret_option(struct slice text, size_t at, struct secret *secret);
/* A Telegram bot's token, "123456789:AA...", at its first digit. */
bool secret_numbered_token(struct slice text, size_t at, struct secret *secret);
/* A password value that starts at `at`, of the kind that a program or a person makes up. */
bool secret_password_value(struct slice text, size_t at, struct secret *secret);
/* The password in scheme://user:password@host, at the "://"; includes the user if that is a
 * token. */
bool secret_in_url(struct slice text, size_t at, struct secret *secret);

/* ASCII character classes, one bit each. */
enum { SECRET_DIGIT = 1, SECRET_LETTER = 2, SECRET_JOINER = 4 };
extern const uint8_t secret_classes[256];

static inline bool secret_is(char c, unsigned classes)
{
	return (secret_classes[(unsigned char)c] & classes) != 0;
}

static inline bool secret_is_digit(char c)
{
	return secret_is(c, SECRET_DIGIT);
}

static inline bool secret_is_letter(char c)
{
	return secret_is(c, SECRET_LETTER);
}

static inline bool secret_is_alnum(char c)
{
	return secret_is(c, SECRET_DIGIT | SECRET_LETTER);
}

/* Letters, digits, "_" and "-". */
static inline bool secret_is_word(char c)
{
	return secret_is(c, SECRET_DIGIT | SECRET_LETTER | SECRET_JOINER);
}

#endif
