/* Decodes a reply's content coding for learning. The client still gets the original bytes. Supports
 * gzip and deflate; replies in other codings are not learned from. */
#ifndef RECALLD_PROXY_HTTP_DECODE_H
#define RECALLD_PROXY_HTTP_DECODE_H

#include "core/base/bytes.h"

struct decoder;

/* Returns NULL for an unknown coding. The caller frees the result with decoder_destroy(). */
struct decoder *decoder_create(struct slice coding);
void decoder_destroy(struct decoder *decoder); /* NULL is fine */

/* Passes decoded bytes to `take` until `take` returns false. Returns false then, and when the data
 * is corrupt: do not feed any more. */
bool decoder_feed(struct decoder *decoder, struct slice bytes,
		  bool (*take)(void *cookie, struct slice decoded), void *cookie);

#endif
