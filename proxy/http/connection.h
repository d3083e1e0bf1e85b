/* Internal to the HTTP server: the life of one connection. server.c accepts and ends connections,
 * events.c answers their events, reply.c writes replies, and connection.c, which calls none of
 * these, moves their states and their bytes.
 *
 * The server uses plain events and recv(), not bufferevents: a bufferevent reads at most 4 KB at a
 * time, so a 20 KB chat would take five turns of the loop.
 *
 * Only the loop's own callbacks call a handler or free anything. A reply function appends to the
 * output and wakes its connection, whose turn comes after the current callbacks return. Closed
 * connections are freed at the end of such a turn. */
#ifndef RECALLD_PROXY_HTTP_CONNECTION_H
#define RECALLD_PROXY_HTTP_CONNECTION_H

#include "proxy/http/server.h"
#include "proxy/http/tls.h"
#include "proxy/runtime/loop.h"

#include <event2/buffer.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	HTTP_INPUT_LIMIT = HTTP_MAX_HEAD, /* bytes read ahead of the parser */
	HTTP_OUTPUT_HIGH = 128 * 1024,
	HTTP_OUTPUT_LOW = 32 * 1024,
	HTTP_LINGER_SECONDS = 2,
};

enum connection_state {
	CONNECTION_HANDSHAKE, /* of TLS */
	CONNECTION_WAITING,   /* idle: waits for the first byte of a request */
	CONNECTION_HEAD,      /* reads a request head */
	CONNECTION_BODY,      /* reads a request body */
	CONNECTION_REPLYING,  /* the handler owns the request; further input waits */
	CONNECTION_CLOSING,   /* sends the remaining output; drops input */
	CONNECTION_LINGERING, /* output sent and shut down; waits for the client to close */
	CONNECTION_CLOSED,    /* waits to be freed */
};

struct http_request {
	struct http_connection *connection;
	struct arena arena; /* owns the head's bytes and fields */
	struct http_head head;
	struct http_chunks chunks;
	struct buffer body;
	size_t beside; /* bytes that the handler holds for this request */
	struct http_request_events events;
	void *cookie;
	/* The reply: */
	enum http_framing framing;
	bool head_sent;
	uint64_t body_left; /* remaining bytes of the Content-Length, with HTTP_FRAMING_LENGTH */
};

struct http_connection {
	LIST_ENTRY(http_connection) siblings; /* in the server's `open` or `closed` list */
	STAILQ_ENTRY(http_connection) waking; /* in the server's `awake` list, while `awake` */
	struct http_server *server;
	enum connection_state state;
	int fd;
	bool awake;
	bool surplus;   /* exceeds max_connections: its request gets 503 */
	bool ended;     /* the client has sent its last byte */
	bool reading;   /* on_readable is pending */
	bool writing;   /* on_writable is pending: the socket is full */
	bool throttled; /* http_reply_full() returned true, so `drained` is due */
	bool is_local;
	bool cut_off; /* the last reply is incomplete: TLS must not send close_notify */
	struct tls_connection *tls; /* NULL: plain */
	struct event *readable;
	struct event *writable;
	struct event *deadline;
	int64_t begun;  /* start of the current request, in monotonic milliseconds */
	bool hurried;   /* the deadline for its head was shortened by moving `begun` back */
	size_t dropped; /* bytes dropped while closing and lingering */
	size_t counted; /* bytes added to the in-flight counter */
	struct buffer input;
	size_t taken;   /* bytes of `input` already parsed */
	size_t scanned; /* see http_head_end() */
	struct evbuffer *output;
	struct http_request *request; /* from its complete head to the end of its reply */
	char peer[INET6_ADDRSTRLEN + sizeof("[]:65535")];
};

struct http_listener;

struct http_server {
	struct event_base *base;
	struct http_server_options options;
	http_handler *handler;
	void *cookie;
	LIST_HEAD(, http_listener) listeners;
	LIST_HEAD(, http_connection) open;
	LIST_HEAD(, http_connection) closed;
	STAILQ_HEAD(, http_connection) awake;
	struct event *turn;
	size_t connection_count;
	size_t surplus_count;
	bool draining;
	struct event *drain_check;
	void (*drained)(void *cookie);
	void *drained_cookie;
	char *scratch;      /* buffer for recv() */
	struct buffer head; /* buffer for a reply's head */
	int64_t date_at;    /* the second that `date` shows */
	char date[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
};

enum { HTTP_SCRATCH = 64 * 1024 };

/* Takes ownership of an accepted socket. */
void http_connection_open(struct http_server *server, int fd, const struct sockaddr *peer,
			  bool surplus);
/* The only function that changes the state and, with it, the deadline. */
void http_connection_change(struct http_connection *connection, enum connection_state state);
/* Schedules the connection's turn. */
void http_connection_wake(struct http_connection *connection);
/* Sends pending output, then proceeds as the state requires. Called by the server's turn event. */
void http_connection_turn(struct http_connection *connection);
/* The reply has ended. Proceeds to the next request if the reply is whole and the connection may
 * persist; otherwise closes. */
void http_connection_replied(struct http_connection *connection, bool whole);
/* Closes after sending pending output. No request may be in progress. */
void http_connection_close(struct http_connection *connection);
/* Gives a partial request head two seconds, so that it cannot delay a drain. */
void http_connection_hurry(struct http_connection *connection);
/* Closes at once. A request in progress gets its `gone` callback. */
void http_connection_lost(struct http_connection *connection);
/* Updates the in-flight counter with the bytes that the connection holds. True: the total is within
 * the limit, or would be without this connection's input and output. */
bool http_connection_count(struct http_connection *connection);
/* Whether `more` bytes would fit the limit, going by the last count. */
bool http_connection_fits(const struct http_connection *connection, uint64_t more);
/* Frees a closed connection. Called by the server's turn event. */
void http_connection_free(struct http_connection *connection);

/* Like recv(), into the server's scratch buffer. */
ssize_t http_connection_receive(struct http_connection *connection, size_t size);
/* Sends until nothing is pending or the socket is full. False: the connection is broken; its turn
 * handles that. */
bool http_connection_send(struct http_connection *connection);
/* Whether the writable event is awaited; its deadline is write_timeout. */
void http_connection_await_writable(struct http_connection *connection, bool wanted);
void http_connection_drop_input(struct http_connection *connection);
void http_connection_drop_tls(struct http_connection *connection);

/* Callback of the readable event. */
void http_connection_ready(evutil_socket_t fd, short what, void *cookie);

#endif
