/* The rules by which core/pii/secrets.c recognizes a secret. Each checks one position of a text
 * and reports the secret that begins, or is announced, there. None looks further than a bounded
 * number of bytes unless it finds one, so that a scan over all positions stays linear. */
#ifndef RECALLD_CORE_PII_RULES_H
#define RECALLD_CORE_PII_RULES_H

#include "core/pii/card.h"

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
