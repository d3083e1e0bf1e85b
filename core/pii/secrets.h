/* Masks secrets before a text is stored or shown to the memory model: API keys, private keys,
 * bearer and other tokens, passwords in URLs, and payment card numbers (that pass the Luhn check).
 * Invisible characters such as U+200B do not hide a secret. */
#ifndef RECALLD_CORE_PII_SECRETS_H
#define RECALLD_CORE_PII_SECRETS_H

#include "core/base/bytes.h"

/* Returns the text with each secret replaced by "[redacted: KIND]", or the text itself if there is
 * none. `count` (may be NULL) receives the number of replacements. */
struct slice secrets_mask(struct slice text, struct arena *arena, size_t *count);

#endif
