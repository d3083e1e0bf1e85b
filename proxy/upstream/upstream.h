/* The upstream: HTTP requests to the model provider, driven by the event loop. Requests to plain
 * "http://" at an IP address, at localhost or on a local socket use a client of our own; TLS,
 * proxies and other host names use libcurl, and so does everything when the environment has
 * RECALLD_UPSTREAM_ENGINE=libcurl. Only the files of proxy/upstream include curl. An upstream
 * belongs to one loop and shares nothing.
 *
 * Events come from the loop, never from a function of this header. The engine is on the stack
 * during `head`, `data` and `full`: their callees must not call any function of this header, for
 * any transfer; they answer through the return value. `end` may start and cancel other transfers.
 */
#ifndef RECALLD_PROXY_UPSTREAM_UPSTREAM_H
#define RECALLD_PROXY_UPSTREAM_UPSTREAM_H

#include "core/base/bytes.h"
#include "proxy/http/parser.h"

#include <event2/event.h>

struct upstream;
struct transfer;

/* Makes the process ignore SIGPIPE. */
struct upstream *upstream_create(struct event_base *base, size_t max_idle_connections);
/* Cancels open transfers without events. NULL is fine. */
void upstream_destroy(struct upstream *upstream);

/* A one-piece body up to this size is sent together with the request's head. */
enum { UPSTREAM_WITH_HEAD = 64 * 1024 };

/* Everything is copied except the body's bytes. */
struct upstream_request {
	struct slice method;
	const char *url;          /* absolute; its path and query are sent unchanged */
	const char *local_socket; /* path of a socket to connect to instead of the URL's host; NULL:
				     none */
	const char *proxy;   /* empty or NULL: none; the environment's proxies are never used */
	const char *ca_file; /* empty or NULL: the system's authorities */
	/* Sent as given; the engine adds only Host and Content-Length. Those two, Expect and
	 * hop-by-hop fields are skipped. */
	const struct http_field *fields;
	size_t field_count;
	bool fresh; /* takes no kept connection */
	bool has_body;
	const struct slice *body; /* in pieces, whose bytes must outlive the transfer */
	size_t body_count;
	uint64_t connect_timeout; /* all timeouts are in milliseconds */
	/* To the reply's complete head, from the start or from the last progress in sending the
	 * body. */
	uint64_t first_byte_timeout;
	uint64_t idle_timeout; /* between pieces of the reply; stopped while `full` holds it back */
};

struct upstream_head {
	int status;
	struct slice reason;
	/* The final reply's fields in their order and case, without hop-by-hop fields. Interim
	 * replies are skipped, trailers dropped. */
	const struct http_field *fields;
	size_t field_count;
	bool has_length; /* exactly one Content-Length is among the fields */
	uint64_t length;
	bool until_close; /* neither length nor chunked: a normal end looks like a broken connection
			   */
};

enum upstream_result {
	UPSTREAM_OK,      /* the reply is whole, even if the request was not sent completely */
	UPSTREAM_STOPPED, /* an event returned UPSTREAM_STOP */
	/* With these two, the upstream has certainly seen nothing of the request: no address, no
	 * connection, no TLS, or one that closed before anything was written. */
	UPSTREAM_UNREACHABLE,
	UPSTREAM_CONNECT_TIMEOUT,
	UPSTREAM_FIRST_BYTE_TIMEOUT,
	UPSTREAM_IDLE_TIMEOUT,
	UPSTREAM_BROKEN, /* the connection broke or the peer did not speak HTTP */
};

enum upstream_next { UPSTREAM_GO_ON, UPSTREAM_STOP };

struct upstream_events {
	/* The reply's head, once complete. UPSTREAM_STOP: the body is not wanted. Slices are valid
	 * during the call. */
	enum upstream_next (*head)(void *cookie, const struct upstream_head *head);
	/* Body bytes without transfer coding, with content coding unchanged. */
	enum upstream_next (*data)(void *cookie, struct slice bytes);
	/* Asked before `data`. True pauses the transfer until upstream_resume(). */
	bool (*full)(void *cookie);
	/* The transfer has ended. Called exactly once unless cancelled; the transfer is invalid
	 * from here on. `detail` is one sentence without secrets, valid during the call. */
	void (*end)(void *cookie, enum upstream_result result, const char *detail);
};

/* An answer that is wanted whole, up to the limit of its body. The events' cookie must begin with
 * it. */
struct upstream_answer {
	int status; /* 0: none came */
	struct buffer body;
};

/* Members of struct upstream_events that fill it. */
enum upstream_next upstream_answer_head(void *cookie, const struct upstream_head *head);
enum upstream_next upstream_answer_data(void *cookie, struct slice bytes);
bool upstream_answer_full(void *cookie); /* never */

/* Starts a transfer. Does not follow redirects. A kept connection that was closed is found before
 * it is used. If one dies later, before any byte of the reply (in libcurl: before its first whole
 * line), the request is sent once more on a new connection, unless the upstream may have seen some
 * of it: then only if its method is safe or it has an Idempotency-Key. Nothing else is sent twice.
 */
struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				const struct upstream_events *events, void *cookie);
/* Continues a transfer that `full` paused. */
void upstream_resume(struct transfer *transfer);
/* Ends the transfer without an event and closes its connection. NULL is fine. */
void upstream_cancel(struct transfer *transfer);

#endif
