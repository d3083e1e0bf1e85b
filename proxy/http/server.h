/* The HTTP/1.1 server. It parses requests strictly, reads each one whole with its body, handles one
 * at a time per connection, and streams replies.
 *
 * A server belongs to one event loop; nothing is shared. It answers the requests that it refuses
 * itself (OpenAI-shaped JSON error, then close) and never passes them to the handler.
 *
 * The handler gets a request once its body has arrived and owns it until http_reply_end() or
 * http_reply_abort() or, if the client leaves first, until the `gone` callback returns. Exactly one
 * of these ends each request; the pointer is invalid afterwards. */
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
	/* Connections of all servers that share this counter. Beyond max_connections, the first
	 * request of a new connection gets 503 with Retry-After. */
	atomic_size_t *connections;
	size_t max_connections;
	/* Bytes of requests and unsent replies held by all servers that share this counter. A
	 * request whose body would exceed max_in_flight gets 503 with Retry-After. NULL: no
	 * limit. */
	atomic_size_t *in_flight;
	uint64_t max_in_flight;
	/* Deadline in seconds for a whole request, from its first byte; not a gap between bytes.
	 * Each 64 KB of body received adds one second. */
	unsigned read_timeout;
	unsigned idle_timeout; /* seconds that a connection may wait for its next request */
	/* NULL: plain HTTP. Must live until http_server_set_options() replaces it. */
	struct tls_context *tls;
	/* Whether a client that asks for another protocol continues with HTTP after a 426. Such a
	 * client gets 426 instead of 501. NULL: none does. */
	bool (*goes_on_with_http)(const struct http_head *head);
	unsigned write_timeout; /* seconds without progress in sending a reply, after which the
				   client counts as gone */
};

/* Called for every request. The handler may reply at once. If it replies later, it must set the
 * request's events before it returns. */
typedef void http_handler(void *cookie, struct http_request *request);

struct http_server *http_server_create(struct event_base *base,
				       const struct http_server_options *options,
				       http_handler *handler, void *cookie);
/* Applies to requests that arrive from now on. */
void http_server_set_options(struct http_server *server, const struct http_server_options *options);
/* Accepts on a listening, non-blocking socket, which the server then owns and closes. Pauses for
 * half a second when the process runs out of descriptors. */
void http_server_listen(struct http_server *server, int fd);
/* Stops accepting and closes idle connections. A connection with a request in progress closes after
 * its reply. Calls `drained(cookie)` from the loop once none is left, unless the server is
 * destroyed before. */
void http_server_drain(struct http_server *server, void (*drained)(void *cookie), void *cookie);
/* The number of open connections. */
size_t http_server_connections(const struct http_server *server);
/* Closes everything at once; requests in progress get their `gone` callback. Must not be called
 * from a handler or an event. NULL is fine. */
void http_server_destroy(struct http_server *server);

/* Opens a listening socket: TCP on "HOST:PORT" ("[::1]:80" too; port 0: any) with SO_REUSEADDR,
 * TCP_NODELAY and, on request, SO_REUSEPORT; or a local socket on "unix:/path" with mode 0660,
 * which replaces an abandoned one that nobody listens on. Returns -1 on failure; `error` says
 * why. */
int http_listen_socket(const char *address, bool reuse_port, char *error, size_t error_size);
/* Removes the file of a local socket that nobody listens on any more, and nothing else. */
void http_listen_clear(const char *address);

const struct http_head *http_request_head(const struct http_request *request);
struct slice http_request_body(const struct http_request *request);
/* Gives the body away, to be released by the caller: it then outlives the request. */
struct buffer http_request_take_body(struct http_request *request);
/* The peer as "203.0.113.9:4711", "[2001:db8::9]:4711" or "unix". Valid as long as the request. */
const char *http_request_peer(const struct http_request *request);
/* Whether the peer uses this machine's loopback interface or a local socket. */
bool http_request_is_local(const struct http_request *request);

/* Counts `bytes` as in flight until the request's reply ends: memory that the handler holds for
 * it. */
void http_request_hold(struct http_request *request, size_t bytes);

/* The loop calls both, never a function of this header (except http_server_destroy(), which calls
 * `gone`). */
struct http_request_events {
	/* The client has left (a half-close counts) or has not read for write_timeout. The callback
	 * may read the request but must not reply. */
	void (*gone)(void *cookie);
	/* The output has fallen below the low mark after http_reply_full() returned true. */
	void (*drained)(void *cookie);
};
void http_request_set_events(struct http_request *request, const struct http_request_events *events,
			     void *cookie);

/* How the reply's body is delimited. */
enum http_framing {
	HTTP_FRAMING_NONE,   /* no body (204, 304); a 304 may still have a Content-Length */
	HTTP_FRAMING_LENGTH, /* the fields include a Content-Length (HEAD too) */
	HTTP_FRAMING_STREAM, /* chunked for HTTP/1.1 clients, until close for HTTP/1.0 clients */
};

/* Sends the head. `fields` must not contain Connection, Transfer-Encoding or, unless framing is
 * LENGTH, Content-Length. Adds a missing Date. Skips any field that is not valid. */
void http_reply_head(struct http_request *request, int status, struct slice reason,
		     const struct http_field *fields, size_t field_count,
		     enum http_framing framing);
/* Sends body bytes (copied). Ignores bytes of a reply to HEAD and beyond the Content-Length. */
void http_reply_body(struct http_request *request, struct slice bytes);
/* Sends pending output now, as far as the socket accepts it, instead of after the current callbacks
 * return. Call it before lengthy work. */
void http_reply_send_now(struct http_request *request);
/* Whether more than the high mark (128 KB) is pending. If so, stop feeding until `drained`, which
 * fires below the low mark (32 KB). */
bool http_reply_full(const struct http_request *request);
/* Ends a whole reply. The connection proceeds to its next request or closes. */
void http_reply_end(struct http_request *request);
/* Ends a reply that cannot be completed: sends what is pending, then closes without the framing's
 * end. */
void http_reply_abort(struct http_request *request);
/* Sends a whole reply in one call: head with Content-Length, body, end. `content_type` is for
 * example "application/json"; NULL: none. */
void http_reply(struct http_request *request, int status, const char *content_type,
		const struct http_field *fields, size_t field_count, struct slice body);
/* Sends an OpenAI-shaped error as a whole reply, with "x-should-retry: false" unless a retry may
 * succeed: after a request that arrived too slowly (408), or with Retry-After in `fields`. `code`
 * may be NULL. */
void http_reply_error(struct http_request *request, int status, const char *code,
		      struct slice message, const struct http_field *fields, size_t field_count);
/* Answers an error with another body. */
void http_reply_error_body(struct http_request *request, int status, struct slice body,
			   const struct http_field *fields, size_t field_count);

#endif
