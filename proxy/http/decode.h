/* Undoes a reply's content coding for learning; the client gets the bytes as they came. gzip and
 * deflate; what has another coding is not learned from. */
#ifndef RECALLD_PROXY_HTTP_DECODE_H
#define RECALLD_PROXY_HTTP_DECODE_H

#include "core/base/bytes.h"

struct decoder;

/* NULL: the coding is not known here. */
struct decoder *decoder_create(struct slice coding);
void decoder_destroy(struct decoder *decoder); /* NULL is fine */

/* Feeds `take` with what the bytes decode to, until it says that it wants no more. False then, and
 * once the data is broken: nothing is to be fed any more. */
bool decoder_feed(struct decoder *decoder, struct slice bytes,
		  bool (*take)(void *cookie, struct slice decoded), void *cookie);

#endif
