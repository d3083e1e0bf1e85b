/* The upstream: HTTP requests to the model provider over libcurl, driven by the event loop. Only
 * the upstream_*.c files include curl. One upstream belongs to one loop and shares nothing.
 *
 * Events come from the loop, never from within a function of this header. `head`, `data` and `full`
 * are called from within curl: in them the callee may call no function of this header, for any
 * transfer, and says what it wants by what it returns. In `end` it may start and cancel others. */
#ifndef RECALLD_PROXY_UPSTREAM_UPSTREAM_H
#define RECALLD_PROXY_UPSTREAM_UPSTREAM_H

#include "core/base/bytes.h"
#include "proxy/http/parser.h"

#include <event2/event.h>

struct upstream;
struct transfer;

/* The process ignores SIGPIPE from then on. */
struct upstream *upstream_create(struct event_base *base, size_t max_idle_connections);
/* Cancels what is under way without events. NULL is fine. */
void upstream_destroy(struct upstream *upstream);

/* A body in one piece of up to so many bytes is sent with the request's head. */
enum { UPSTREAM_WITH_HEAD = 64 * 1024 };

/* All but the bytes of the body is copied. */
struct upstream_request {
	struct slice method;
	const char *url;          /* absolute; its path and query go out as they are */
	const char *local_socket; /* a path to connect to in place of the URL's host; NULL: none */
	const char *proxy;        /* empty or NULL: none; the environment's is never used */
	const char *ca_file;      /* empty or NULL: the system's */
	/* Sent as they are, and no others but Host and Content-Length. Left out are those two,
	 * Expect and the hop-by-hop ones. */
	const struct http_field *fields;
	size_t field_count;
	bool has_body;
	const struct slice *body; /* in pieces, whose bytes must outlive the transfer */
	size_t body_count;
	uint64_t connect_timeout; /* milliseconds, all of them */
	/* To the reply's whole head, from the start or from when more of the body went up. */
	uint64_t first_byte_timeout;
	uint64_t idle_timeout; /* between pieces of the reply; not while `full` holds it */
};

struct upstream_head {
	int status;
	struct slice reason;
	/* The final reply's, in their order and case, hop-by-hop ones left out; interim replies are
	 * passed over, trailers dropped. */
	const struct http_field *fields;
	size_t field_count;
	bool has_length; /* a Content-Length, one, is among the fields */
	uint64_t length;
	bool until_close; /* neither length nor chunked: the end cannot be told from a break */
};

enum upstream_result {
	UPSTREAM_OK,      /* the reply is whole; the request need not have gone up whole */
	UPSTREAM_STOPPED, /* an event asked for it */
	/* Of these two the upstream has surely seen nothing of the request: no address, no
	 * connection, no TLS. */
	UPSTREAM_UNREACHABLE,
	UPSTREAM_CONNECT_TIMEOUT,
	UPSTREAM_FIRST_BYTE_TIMEOUT,
	UPSTREAM_IDLE_TIMEOUT,
	UPSTREAM_BROKEN, /* a connection broke off or spoke no HTTP */
};

enum upstream_next { UPSTREAM_GO_ON, UPSTREAM_STOP };

struct upstream_events {
	/* The reply's head, as soon as it is whole. UPSTREAM_STOP: its body is not wanted. Slices
	 * are valid during the call. */
	enum upstream_next (*head)(void *cookie, const struct upstream_head *head);
	/* Body bytes, transfer coding removed, content coding as it came. */
	enum upstream_next (*data)(void *cookie, struct slice bytes);
	/* Asked before `data`: whether to wait. Then upstream_resume() sets it going. */
	bool (*full)(void *cookie);
	/* It is over, exactly once unless cancelled; the transfer is invalid from here on. `detail`
	 * is one sentence without secrets, valid during the call. */
	void (*end)(void *cookie, enum upstream_result result, const char *detail);
};

/* Starts a transfer. Redirects are not followed; a reused connection that dies before any byte (for
 * libcurl: before the reply's first whole line) is tried again on a fresh one, once; nothing else
 * is.
 */
struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				const struct upstream_events *events, void *cookie);
/* Goes on after `full` had said true. */
void upstream_resume(struct transfer *transfer);
/* Ends it without an event, closing its connection. NULL is fine. */
void upstream_cancel(struct transfer *transfer);

#endif
