/* Internal to the upstream: one transfer. upstream.c starts transfers, transfer.c times and ends
 * them, and head.c reads the reply's head, for both engines.
 *
 * plain.c speaks HTTP/1.1 itself to servers on plain "http://" whose address needs no resolution,
 * such as a model on the same host; connection.c keeps its connections. Everything else is
 * libcurl's: curl.c. */
#ifndef RECALLD_PROXY_UPSTREAM_TRANSFER_H
#define RECALLD_PROXY_UPSTREAM_TRANSFER_H

#include "proxy/upstream/upstream.h"

#include <sys/queue.h>

enum { UPSTREAM_MAX_HEAD = 256 * 1024, UPSTREAM_MAX_FIELDS = 1024 };

/* A reply's head while its lines arrive. */
struct reply_head {
	struct buffer lines; /* of the current reply, each with its line ending */
	bool whole;          /* the final reply's head is complete; later lines are trailers */
	/* Once read: */
	bool chunked;
	bool other_coding; /* a transfer coding that is not a single "chunked" */
	bool persists;     /* the connection may serve another request */
};

struct curl_client;
struct curl_handle;
struct plain_connection;

/* An engine that carries out transfers. */
struct upstream_engine {
	/* Calls no event. */
	void (*start)(struct transfer *transfer, const struct upstream_request *request);
	/* The transfer is over, or cancelled. */
	void (*release)(struct transfer *transfer);
	event_callback_fn resume;
};
extern const struct upstream_engine upstream_curl_engine;
extern const struct upstream_engine upstream_plain_engine;

struct transfer {
	LIST_ENTRY(transfer) siblings;
	struct upstream *upstream;
	const struct upstream_engine *engine;
	struct upstream_events events;
	void *cookie;
	struct curl_handle *handle;          /* curl's */
	struct plain_connection *connection; /* plain.c's; NULL until there is one */
	struct slice request_head;           /* with plain.c */
	uint64_t connect_timeout;            /* while plain.c connects; otherwise 0 */
	uint64_t connect_began;              /* by clock_steady() */
	uint64_t connect_limit;              /* the timeout of each try */
	int fault;                           /* why plain.c cannot connect, as errno, or 0 */
	bool is_last;                        /* its connection may serve no further request */
	struct buffer line;                  /* a part of a line of the reply's head */
	struct buffer held;                  /* what was received while the reply is held back */
	struct http_chunks chunks;
	struct arena arena; /* owns the request's strings */
	/* The request's body if it is not sent with the head, and how far curl has read it. */
	struct {
		const struct slice *pieces;
		size_t count;
		size_t piece, offset;
	} body;
	bool is_head_request;
	struct reply_head head;
	uint64_t missing; /* bytes of the reply's body still to come; UINT64_MAX: unknown */
	uint64_t first_byte_timeout, idle_timeout;
	struct event *timeout; /* first for the first byte, then for idle time */
	/* When the request began, or its body was last read or the reply last grew, by
	 * clock_steady(). Updating this is cheaper than rescheduling the timeout: when it fires too
	 * early, it reschedules itself. */
	uint64_t moved_at;
	size_t taken; /* bytes of the reply's body in this dispatch of curl */
	uint64_t dispatch;
	bool paused;
	struct event *resume;
	bool repeatable;     /* the upstream may get the request twice */
	bool began;          /* curl has a connection for it */
	int socket;          /* the one that curl opened last for it */
	long written_before; /* what curl had written when it had one */
	bool sent;           /* some of the request may have left */
	bool sent_again;     /* curl's retry counter lasts as long as the handle */
	bool wants_fresh;    /* a reused connection died: the next one must be new */
	bool stopped;        /* an event returned UPSTREAM_STOP */
	const char *broken;  /* why the reply is refused, or NULL */
	bool went_well;
};

struct upstream {
	struct event_base *base;
	struct curl_client *curl;
	LIST_HEAD(, transfer) transfers;
	bool inside;       /* curl is on the call stack */
	uint64_t dispatch; /* counts the calls into curl */
	bool only_curl;
	size_t max_idle;
	/* Idle connections of plain.c, the most recently used first. */
	TAILQ_HEAD(plain_connection_list, plain_connection) idle;
	size_t idle_count;
};

/* curl's part of an upstream that is otherwise complete; the caller destroys it. */
struct curl_client *upstream_curl_create(struct upstream *upstream);
void upstream_curl_destroy(struct curl_client *client);

/* 0: none. */
void upstream_set_timeout(struct transfer *transfer, uint64_t milliseconds);
/* Callback of `timeout`. */
void upstream_on_timeout(evutil_socket_t fd, short what, void *cookie);
/* Hands the complete head over. False: the transfer is to end. */
bool upstream_deliver_head(struct transfer *transfer);
/* The whole reply has arrived while the request may still be on its way: an upstream that has
 * answered may stop reading and close. */
bool upstream_is_answered(const struct transfer *transfer);
/* `end` may start, cancel and free anything: the transfer no longer exists then. */
void upstream_finish(struct transfer *transfer, enum upstream_result result, const char *detail);

/* A reused connection died before its reply. Whether the request may be sent once more: its first
 * attempt was noted in `sent` and `sent_again`. */
bool upstream_may_send_again(const struct transfer *transfer);

/* Whether a kept connection is open and nothing waits there to be read: a byte that nobody asked
 * for would be taken for the next reply's. */
bool upstream_is_quiet(int fd);

/* Whether plain.c can carry the request out: plain HTTP, no proxy, an address. */
bool upstream_plain_takes(const struct upstream_request *request);
void upstream_plain_drop_idle(struct upstream *upstream);

/* Wrap every call that lets curl work in these two. */
void upstream_enter(struct upstream *upstream);
void upstream_leave(struct upstream *upstream);
/* Fields that upstreams get from the engines alone, or never. */
bool upstream_writes_itself(const struct upstream_request *request, struct slice name);
/* Methods whose body no server ignores. */
bool upstream_always_has_body(struct slice method);
/* Copies the list of the body's pieces. */
void upstream_keep_pieces(struct transfer *transfer, const struct upstream_request *request);

/* Takes one line as curl delivers it, line ending included. Returns 1 when it completes the final
 * reply's head, 0 while the head is incomplete or if it was complete before, -1 if the line is
 * malformed or the head too long. */
int reply_head_take(struct reply_head *head, struct slice line);
/* Parses the complete head; the fields live in the arena. Returns NULL, or why the head is
 * refused. */
const char *reply_head_read(struct reply_head *head, bool is_head_request,
			    struct upstream_head *result, struct arena *arena);
/* The length of the body that follows the head. UINT64_MAX: only the body's end tells. */
uint64_t reply_body_size(const struct upstream_head *head, bool is_head_request);

#endif
