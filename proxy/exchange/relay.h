/* Moves a reply's bytes to the client unchanged, and reads along for learning. While it holds, the
 * end of the reply (the line that ends a stream, otherwise the last byte) stays here until the
 * exchange is on disk. */
#ifndef RECALLD_PROXY_EXCHANGE_RELAY_H
#define RECALLD_PROXY_EXCHANGE_RELAY_H

#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "proxy/http/decode.h"
#include "proxy/http/server.h"

#include <stdatomic.h>

struct relay {
	const struct dialect *dialect; /* NULL: memory takes no part, and nothing is learned */
	struct http_request *request;  /* NULL once the client has left */
	struct reply_reader *reader;   /* NULL: nothing is learned */
	struct decoder *decoder;       /* NULL: the reply has no content coding */
	bool is_coded;                 /* it has a content coding */
	bool undecodable;              /* the coding cannot be read, or not to the end */
	uint64_t decoded;              /* bytes */
	bool is_stream;
	bool holds;
	struct buffer held;
	atomic_size_t *all_held; /* bytes that all relays hold; NULL: they are not counted */
	size_t most_held;        /* of these */
	unsigned line_ends;      /* line ends at the end of the bytes sent so far; 2 at the start */
	bool after_return;       /* the last byte sent was a CR, which an LF would complete */
	uint64_t bytes;          /* sent */
};

/* `coding` is the reply's Content-Encoding, empty for none. */
void relay_start(struct relay *relay, struct http_request *request, const struct dialect *dialect,
		 bool is_stream, bool learns, bool holds, struct slice coding);
/* Counts what is held in `all_held`, and holds nothing that makes it more than `most`: it then goes
 * on, and so does the rest. `all_held` must outlive the relay. */
void relay_bound(struct relay *relay, atomic_size_t *all_held, size_t most);
void relay_finish(struct relay *relay);

void relay_feed(struct relay *relay, struct slice bytes);
/* Whether the stream's end has been read, so that the exchange can be journalled. */
bool relay_is_done(const struct relay *relay);
/* Whether it is a stream that is over, had to say its end and has not, not even without its last
 * line break. A client may take one for whole. */
bool relay_lacks_end(const struct relay *relay);
/* Holds nothing from now on. */
void relay_release(struct relay *relay);
/* Whether the relay should get no more bytes for now. */
bool relay_is_full(const struct relay *relay);
/* Ends a stream that broke off: drops held bytes that are not its end, and sends one error
 * event. */
void relay_error_event(struct relay *relay, int status, const char *code, struct slice message);

#endif
