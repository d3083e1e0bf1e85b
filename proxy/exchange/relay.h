/* Moves a reply's bytes to the client, unchanged, and reads along for learning. While it holds, the
 * end of the reply stays here until the exchange is on disk: from the line that ends a
 * stream, the last byte of anything else. */
#ifndef RECALLD_PROXY_EXCHANGE_RELAY_H
#define RECALLD_PROXY_EXCHANGE_RELAY_H

#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "proxy/http/decode.h"
#include "proxy/http/server.h"

struct relay {
	const struct dialect *dialect; /* NULL: one without memory; nothing is learned */
	struct http_request *request;  /* NULL once the client left */
	struct reply_reader *reader;   /* NULL: nothing is learned */
	struct decoder *decoder;       /* NULL: the reply comes as it is */
	bool is_coded;                 /* it has a content coding... */
	bool undecodable;              /* ...that cannot be read, or not to its end */
	uint64_t decoded;              /* bytes */
	bool is_stream;
	bool holds;
	struct buffer held;
	unsigned line_ends; /* how many line ends the bytes sent so far end in, 2 at the start */
	bool after_return;  /* the last byte sent was a CR, which a LF would complete */
	uint64_t bytes;     /* sent */
};

/* `coding` is the reply's Content-Encoding, empty for none. */
void relay_start(struct relay *relay, struct http_request *request, const struct dialect *dialect,
		 bool is_stream, bool learns, bool holds, struct slice coding);
void relay_finish(struct relay *relay);

void relay_feed(struct relay *relay, struct slice bytes);
/* Whether the stream's end was read: the exchange can be journalled. */
bool relay_is_done(const struct relay *relay);
/* Whether it is a stream that had to say its end and has not. A client may take one for whole. */
bool relay_lacks_end(const struct relay *relay);
/* Nothing is held from now on. */
void relay_release(struct relay *relay);
/* Whether no more should be fed for now. */
bool relay_is_full(const struct relay *relay);
/* The stream broke off: what is held without being its end is dropped, and one error event sent.
 */
void relay_error_event(struct relay *relay, int status, const char *code, struct slice message);

#endif
