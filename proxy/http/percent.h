/* Percent-encoding, RFC 3986 section 2.1. */
#ifndef RECALLD_PROXY_HTTP_PERCENT_H
#define RECALLD_PROXY_HTTP_PERCENT_H

#include "core/base/bytes.h"

/* Decodes `text`. The result points into `text` if nothing is encoded, otherwise into the arena.
 * False, with an empty result, if a "%" lacks two hexadecimal digits. */
bool percent_decode(struct slice text, struct slice *decoded, struct arena *arena);
/* Appends `text`, encoding everything except RFC 3986's unreserved characters. */
void percent_encode(struct buffer *out, struct slice text);

#endif
