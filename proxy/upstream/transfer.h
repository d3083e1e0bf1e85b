/* Within the upstream: one transfer. upstream.c starts and ends transfers, upstream_socket.c drives
 * curl from the event loop, upstream_handle.c keeps curl's handles, upstream_request.c tells them
 * what to send, upstream_head.c reads the reply's head. */
#ifndef RECALLD_PROXY_UPSTREAM_TRANSFER_H
#define RECALLD_PROXY_UPSTREAM_TRANSFER_H

#include "proxy/upstream/upstream.h"

#include <curl/curl.h>
#include <sys/queue.h>

enum { UPSTREAM_MAX_HEAD = 256 * 1024, UPSTREAM_MAX_FIELDS = 1024 };

/* For options that no value can make fail; out of memory ends the process elsewhere. */
#define UPSTREAM_SET(easy, option, value) ((void)curl_easy_setopt((easy), (option), (value)))

/* A reply's head while its lines come in. */
struct reply_head {
	struct buffer lines; /* of the reply at hand, each with its line end */
	bool whole;          /* the final one's was read: what follows are trailers */
};

/* curl's handle for one route: what is in it and how curl is to behave is set once, when it is
 * made. It serves only transfers that take the same route, one after another; all that differs
 * between those, and no less, is set for each by upstream_start(). */
struct upstream_handle {
	TAILQ_ENTRY(upstream_handle) siblings;
	CURL *easy;
	CURLU *parsed; /* `url`, or NULL */
	/* The route; each ends with a NUL, and what there is none of is empty. */
	struct slice url; /* a URL's beginning, up to its path; with a proxy all of it */
	struct slice proxy;
	struct slice local_socket;
	struct slice ca_file;
	struct arena arena; /* for these */
	char error[CURL_ERROR_SIZE];
};

/* Kept for the next transfer: to make one costs a tenth of an exchange. */
struct upstream_handles {
	TAILQ_HEAD(upstream_handle_list, upstream_handle) list; /* the last one used first */
	size_t count;
};

struct transfer {
	LIST_ENTRY(transfer) siblings;
	struct upstream *upstream;
	struct upstream_events events;
	void *cookie;
	struct upstream_handle *handle;
	struct arena arena; /* the request's strings */
	/* The request's body, when it does not go with the head, and up to where curl has read it.
	 */
	struct {
		const struct slice *pieces;
		size_t count;
		size_t piece, offset;
	} body;
	bool is_head_request;
	struct reply_head head;
	uint64_t missing; /* bytes of the reply's body; UINT64_MAX: it cannot be told */
	uint64_t first_byte_timeout, idle_timeout;
	struct event *timeout; /* for the first byte, then idle */
	/* When the request began, body bytes were last asked for or the reply's came, by
	 * clock_steady(): that does not set the timeout anew, which costs more; when it fires it
	 * sees that it is too early. */
	uint64_t moved_at;
	size_t taken; /* bytes of the reply's body in this dispatch of curl */
	uint64_t dispatch;
	bool paused;
	struct event *resume;
	bool sent;          /* once */
	bool sent_again;    /* curl counts that, for the handle's life */
	bool wants_fresh;   /* a reused connection died: the next one is to be a new one */
	bool stopped;       /* an event returned UPSTREAM_STOP */
	const char *broken; /* why the reply is refused, or NULL */
	bool went_well;
};

struct upstream {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* curl's own */
	LIST_HEAD(, transfer) transfers;
	bool inside;       /* curl is on the stack */
	uint64_t dispatch; /* how often it was */
	struct upstream_handles spare;
};

/* Has curl call back for its sockets and its timer. */
void upstream_socket_attach(struct upstream *upstream);
/* Around every call that lets curl work. */
void upstream_enter(struct upstream *upstream);
void upstream_leave(struct upstream *upstream);
/* Looks for transfers that curl has ended. For after every call that lets curl work. */
void upstream_collect(struct upstream *upstream);

/* A spare one for the request's route, or a new one. */
struct upstream_handle *upstream_handle_take(struct upstream_handles *spare,
					     const struct upstream_request *request);
/* After a transfer that did not go well, for what curl remembers of it. */
void upstream_handle_renew(struct upstream_handle *handle);
void upstream_handle_keep(struct upstream_handles *spare, struct upstream_handle *handle);
/* Frees the one that has been spare for longest; there must be one. */
void upstream_handle_drop_spare(struct upstream_handles *spare);

/* Sets the handle's options for this request: each one, also to "none", so that nothing is left of
 * the request before. */
void upstream_request_apply(struct transfer *transfer, const struct upstream_request *request);

/* The body is read from its beginning again. */
void upstream_request_rewind(struct transfer *transfer);

/* Takes one line in, line end included, as curl hands them out. 1: the final reply's head is whole
 * with it, 0: it is not, or was before; -1: it is malformed or too long. */
int reply_head_take(struct reply_head *head, struct slice line);
/* Reads the whole head; the fields are in the arena. NULL, or why it is refused. */
const char *reply_head_read(const struct reply_head *head, bool is_head_request,
			    struct upstream_head *result, struct arena *arena);
/* How long the body behind a head is that was read; UINT64_MAX: only its end tells. */
uint64_t reply_body_size(const struct upstream_head *head, bool is_head_request);

#endif
