/* Masks secrets before a text is stored or shown to the memory model: API keys, private keys,
 * bearer and other tokens, passwords in URLs, and payment card numbers (those that pass the Luhn
 * check). What nobody sees, such as U+200B, hides none. */
#ifndef RECALLD_CORE_SECRETS_SECRETS_H
#define RECALLD_CORE_SECRETS_SECRETS_H

#include "core/base/bytes.h"

/* The text with each secret replaced by "[redacted: KIND]"; the text itself when there is none.
 * `count` (may be NULL) receives how many were replaced. */
struct slice secrets_mask(struct slice text, struct arena *arena, size_t *count);

#endif
