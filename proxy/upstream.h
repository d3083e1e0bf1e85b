/* The upstream: HTTP requests to the model provider over libcurl, driven by the event loop. The only
 * file that includes curl. One upstream belongs to one loop and shares nothing.
 *
 * Events come from the loop, never from within upstream_start(). In them the callee may call no
 * function of this header but upstream_cancel() in `end`, where it is not needed: they say what they want by what they return. */
#ifndef RECALLD_PROXY_UPSTREAM_H
#define RECALLD_PROXY_UPSTREAM_H

#include "core/bytes.h"
#include "proxy/http_parser.h"

#include <event2/event.h>

struct upstream;
struct transfer;

struct upstream *upstream_create(struct event_base *base, size_t max_idle_connections);
/* Cancels what is under way without events. */
void upstream_destroy(struct upstream *upstream);

struct upstream_request {
	struct slice method;
	const char *url;      /* absolute; its path and query go out as they are */
	const char *proxy;    /* empty: none; the environment's is never used */
	const char *ca_file;  /* empty: the system's */
	const struct http_field *fields; /* sent as they are, and no others but Host and Content-Length */
	size_t field_count;
	bool has_body;
	struct slice body; /* must outlive the transfer */
	uint64_t connect_timeout; /* milliseconds, all of them */
	uint64_t first_byte_timeout;
	uint64_t idle_timeout;
};

struct upstream_head {
	int status;
	struct slice reason;
	const struct http_field *fields; /* the final reply's, hop-by-hop ones left out; 1xx are passed over; trailers dropped */
	size_t field_count;
	bool has_length; /* a Content-Length is among the fields */
	uint64_t length;
	bool until_close; /* neither length nor chunked: the end cannot be told from a break */
};

enum upstream_result {
	UPSTREAM_OK,
	UPSTREAM_STOPPED,         /* an event asked for it */
	UPSTREAM_UNREACHABLE,     /* no address, no connection, no TLS */
	UPSTREAM_CONNECT_TIMEOUT,
	UPSTREAM_FIRST_BYTE_TIMEOUT,
	UPSTREAM_IDLE_TIMEOUT,
	UPSTREAM_BROKEN,          /* the connection broke off or spoke no HTTP */
};

enum upstream_next { UPSTREAM_GO_ON, UPSTREAM_STOP };

struct upstream_events {
	/* The reply's head. UPSTREAM_STOP: its body is not wanted. Slices are valid during the call. */
	enum upstream_next (*head)(void *cookie, const struct upstream_head *head);
	/* Body bytes, transfer coding removed, content coding as it came. */
	enum upstream_next (*data)(void *cookie, struct slice bytes);
	/* Asked before `data`: whether to wait. Then upstream_resume() sets it going. */
	bool (*full)(void *cookie);
	/* It is over, exactly once unless cancelled; the transfer is invalid afterwards. `detail` is one
	 * sentence without secrets. */
	void (*end)(void *cookie, enum upstream_result result, const char *detail);
};

/* Starts a transfer. Redirects are not followed; a reused connection that dies before any byte is tried once more on a fresh one
 * by libcurl itself; nothing else is. */
struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				const struct upstream_events *events, void *cookie);
void upstream_resume(struct transfer *transfer);
/* Ends it without an event, closing its connection. Not from within its events. NULL is fine. */
void upstream_cancel(struct transfer *transfer);

#endif
