/* The HTTP/1.1 server: reads requests strictly, whole with their bodies, one at a time per
 * connection, and sends replies as they come.
 *
 * One server belongs to one event loop and is not shared. It answers by itself what it refuses
 * (OpenAI-shaped JSON error, connection closed) and never hands such a request out.
 *
 * A request is handed to the handler once its body is there. From then on the handler owns it until
 * http_reply_end() or http_reply_abort() or, when the client leaves first, until its `gone`
 * callback returns: exactly one of these ends each request, and the pointer is invalid after any.
 */
#ifndef RECALLD_PROXY_HTTP_SERVER_H
#define RECALLD_PROXY_HTTP_SERVER_H

#include "proxy/http/parser.h"

#include <event2/event.h>
#include <stdatomic.h>

struct http_server;
struct tls_context;
struct http_request;

struct http_server_options {
	uint64_t max_body;
	/* Connections of all servers that share the counter; at max_connections a new one's first
	 * request gets 503 with Retry-After. */
	atomic_size_t *connections;
	size_t max_connections;
	/* Bytes of requests and unsent replies that all servers with this counter hold; a request
	 * whose body would take them above max_in_flight gets 503 with Retry-After. NULL: no limit.
	 */
	atomic_size_t *in_flight;
	uint64_t max_in_flight;
	/* Seconds in which a request, once begun, must have come: a deadline, not the time between
	 * bytes. Every 64 KB of the body that came add a second. */
	unsigned read_timeout;
	unsigned idle_timeout; /* seconds that a connection may wait for its next request */
	/* NULL: plain. Must last until http_server_set_options() gives another. */
	struct tls_context *tls;
	/* Whether a client that asks for another protocol, which is answered 501, is to be told 426
	 * instead: it goes on with HTTP then. NULL: none is. */
	bool (*goes_on_with_http)(const struct http_head *head);
	unsigned write_timeout; /* seconds without progress of a reply: the client counts as gone */
};

/* Called for every request. It may reply at once; if it replies later, it must set the request's
 * events before it returns. */
typedef void http_handler(void *cookie, struct http_request *request);

struct http_server *http_server_create(struct event_base *base,
				       const struct http_server_options *options,
				       http_handler *handler, void *cookie);
/* Limits for requests that come from now on. */
void http_server_set_options(struct http_server *server, const struct http_server_options *options);
/* Accepts on a listening socket (non-blocking; the server closes it). Pauses for half a second when
 * descriptors run out. */
void http_server_listen(struct http_server *server, int fd);
/* Stops accepting, closes idle connections; those with a request under way close after its reply.
 */
void http_server_drain(struct http_server *server);
/* Connections that are open. */
size_t http_server_connections(const struct http_server *server);
/* Closes everything at once; requests under way get their `gone` callback. Not from within a
 * handler or an event. NULL is fine. */
void http_server_destroy(struct http_server *server);

/* Opens a listening TCP socket on "HOST:PORT" ("[::1]:80" too; port 0: any), with SO_REUSEADDR,
 * TCP_NODELAY and, if asked, SO_REUSEPORT; or a local one on "unix:/path" (mode 0660), in place of
 * a socket that was left there and nobody listens on. -1: `error` says why. */
int http_listen_socket(const char *address, bool reuse_port, char *error, size_t error_size);
/* Removes the file of a local socket that is no longer listened on; nothing else. */
void http_listen_clear(const char *address);

const struct http_head *http_request_head(const struct http_request *request);
struct slice http_request_body(const struct http_request *request);
/* "203.0.113.9:4711", "[2001:db8::9]:4711" or "unix"; and whether the peer is on this machine's
 * loopback interface or local socket. */
const char *http_request_peer(const struct http_request *request);
bool http_request_is_local(const struct http_request *request);

/* So many bytes are held beside the request until its reply is over; they count as in flight. */
void http_request_hold(struct http_request *request, size_t bytes);

/* Both come from the loop, never from within a function of this header (http_server_destroy()
 * excepted, which calls `gone`). */
struct http_request_events {
	/* The client left (a half-close counts), or stopped reading for write_timeout. It may look
	 * at the request, but not reply. */
	void (*gone)(void *cookie);
	/* The output has fallen below the low mark after http_reply_full() had said true. */
	void (*drained)(void *cookie);
};
void http_request_set_events(struct http_request *request, const struct http_request_events *events,
			     void *cookie);

/* How the reply's body is delimited. */
enum http_framing {
	HTTP_FRAMING_NONE,   /* no body (204, 304); a 304 may have a Content-Length all the same */
	HTTP_FRAMING_LENGTH, /* a Content-Length is among the fields (HEAD too) */
	HTTP_FRAMING_STREAM, /* chunked for an HTTP/1.1 client, until close for an HTTP/1.0 one */
};

/* Sends the head. `fields` must hold no Connection, Transfer-Encoding or, unless framing is LENGTH,
 * Content-Length; Date is added when missing; a field that could not be sent as one is left out. */
void http_reply_head(struct http_request *request, int status, struct slice reason,
		     const struct http_field *fields, size_t field_count,
		     enum http_framing framing);
/* Sends body bytes (copied). Ignored for HEAD, and beyond the Content-Length. */
void http_reply_body(struct http_request *request, struct slice bytes);
/* Sends what waits as far as the socket has room, where that is done once the callbacks at hand
 * have returned otherwise: for who sets out on something longer. */
void http_reply_send_now(struct http_request *request);
/* Whether more waits to be sent than the high mark (128 KB): stop feeding until `drained`, which
 * comes below the low mark (32 KB). */
bool http_reply_full(const struct http_request *request);
/* The reply is whole; the connection goes on to its next request or closes. */
void http_reply_end(struct http_request *request);
/* The reply cannot be made whole: what was sent goes out, then the connection closes without the
 * framing's end. */
void http_reply_abort(struct http_request *request);
/* A whole reply in one call: head with Content-Length, body, end. `content_type` for example
 * "application/json"; NULL: none. */
void http_reply(struct http_request *request, int status, const char *content_type,
		const struct http_field *fields, size_t field_count, struct slice body);
/* An OpenAI-shaped error as a whole reply, with "x-should-retry: false" unless the same request may
 * fare better: one that came too slowly (408), or with a Retry-After in `fields`. `code` may be
 * NULL. */
void http_reply_error(struct http_request *request, int status, const char *code,
		      struct slice message, const struct http_field *fields, size_t field_count);
/* That error's JSON, without a reply: {"error":{"message","type","param":null,"code"}}. */
void http_error_json(struct buffer *out, int status, const char *code, struct slice message);
const char *http_status_reason(int status);

#endif
