/* Percent-encoding, RFC 3986 section 2.1. */
#ifndef RECALLD_PROXY_HTTP_PERCENT_H
#define RECALLD_PROXY_HTTP_PERCENT_H

#include "core/base/bytes.h"

/* Undoes it; points into `text` when there is nothing to undo, else into the arena. False, and
 * empty: a "%" without two hexadecimal digits. */
bool percent_decode(struct slice text, struct slice *decoded, struct arena *arena);
/* Appends `text` with everything but RFC 3986's unreserved characters encoded. */
void percent_encode(struct buffer *out, struct slice text);

#endif
