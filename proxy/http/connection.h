/* Within the HTTP server: one connection's life. http_server.c accepts and ends connections,
 * http_connection.c moves their bytes and states, http_reply.c writes replies.
 *
 * Plain events and recv() rather than bufferevents, whose read of at most 4 KB at a time would take
 * five turns of the loop for a chat of 20 KB.
 *
 * Only the loop's own callbacks call a handler or free: a reply function appends to the output and
 * wakes its connection, whose turn comes once the callbacks at hand have returned. What was closed
 * is freed at the end of such a turn. */
#ifndef RECALLD_PROXY_HTTP_CONNECTION_H
#define RECALLD_PROXY_HTTP_CONNECTION_H

#include "proxy/http/server.h"
#include "proxy/http/tls.h"

#include <event2/buffer.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	HTTP_INPUT_LIMIT = HTTP_MAX_HEAD, /* bytes read ahead of what was taken */
	HTTP_OUTPUT_HIGH = 128 * 1024,
	HTTP_OUTPUT_LOW = 32 * 1024,
};

enum connection_state {
	CONNECTION_HANDSHAKE, /* of TLS */
	CONNECTION_WAITING,   /* for the first byte of a request */
	CONNECTION_HEAD,      /* reads a head */
	CONNECTION_BODY,      /* reads its body */
	CONNECTION_REPLYING,  /* the handler has the request; what comes in waits */
	CONNECTION_CLOSING,   /* sends what is left; what comes in is dropped */
	CONNECTION_LINGERING, /* has sent all and said so; waits for the client to close */
	CONNECTION_CLOSED,    /* waits to be freed */
};

struct http_request {
	struct http_connection *connection;
	struct arena arena; /* the head's bytes and fields */
	struct http_head head;
	struct http_chunks chunks;
	struct buffer body;
	size_t beside; /* bytes that the handler holds for it */
	struct http_request_events events;
	void *cookie;
	/* Of the reply: */
	enum http_framing framing;
	bool head_sent;
	uint64_t body_left; /* of the Content-Length, with HTTP_FRAMING_LENGTH */
};

struct http_connection {
	LIST_ENTRY(http_connection) siblings; /* in the server's open or closed */
	STAILQ_ENTRY(http_connection) waking; /* in the server's awake, while `awake` */
	struct http_server *server;
	enum connection_state state;
	int fd;
	bool awake;
	bool surplus;   /* beyond max_connections: its request is answered 503 */
	bool ended;     /* the client has sent its last byte */
	bool reading;   /* on_readable is pending */
	bool writing;   /* on_writable is pending: the socket is full */
	bool throttled; /* http_reply_full() said so, and `drained` is due */
	bool is_local;
	bool cut_off; /* its last reply is not whole, and TLS must not say that it is */
	struct tls_connection *tls; /* NULL: plain */
	struct event *readable;
	struct event *writable;
	struct event *deadline;
	int64_t begun;  /* when the request at hand began, in monotonic milliseconds */
	bool hurried;   /* its head had less time, and that was taken off `begun` */
	size_t dropped; /* bytes, while closing and lingering */
	size_t counted; /* of the bytes in flight */
	struct buffer input;
	size_t taken;   /* of the input; the rest is yet to be parsed */
	size_t scanned; /* see http_head_end() */
	struct evbuffer *output;
	struct http_request *request; /* from its whole head to the end of its reply */
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
	char *scratch;      /* where recv() puts what it reads */
	struct buffer head; /* where a reply's head is put together */
	int64_t date_at;    /* the second that `date` is of */
	char date[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
};

enum { HTTP_SCRATCH = 64 * 1024 };

/* Takes an accepted socket over. */
void http_connection_open(struct http_server *server, int fd, const struct sockaddr *peer,
			  bool surplus);
/* The one place where the state, and with it the deadline, changes. */
void http_connection_change(struct http_connection *connection, enum connection_state state);
/* Sends what finds room in the socket now; what is left, or broke, is for the connection's turn. */
void http_connection_send(struct http_connection *connection);
/* Has the connection's turn come. */
void http_connection_wake(struct http_connection *connection);
/* Sends what waits, then goes on as the state asks. For the server's turn event. */
void http_connection_turn(struct http_connection *connection);
/* The request's reply is over; goes on to the next request if it was whole and may. */
void http_connection_replied(struct http_connection *connection, bool whole);
/* Closes after what waits to be sent; no request may be under way. */
void http_connection_close(struct http_connection *connection);
/* Half a head is to be whole in two seconds, so that it holds up no drain. */
void http_connection_hurry(struct http_connection *connection);
/* Closes at once; a request under way gets its `gone` callback. */
void http_connection_lost(struct http_connection *connection);
/* Brings the bytes in flight up to date with what the connection holds. True: they are within the
 * limit, or would be without its input and output. */
bool http_connection_count(struct http_connection *connection);
/* Whether so many bytes more would be within the limit, by what was counted last. */
bool http_connection_fits(const struct http_connection *connection, uint64_t more);
/* For the server's turn event, once closed. */
void http_connection_free(struct http_connection *connection);

/* As recv() into the server's scratch. */
ssize_t http_connection_receive(struct http_connection *connection, size_t size);
/* Goes on with the handshake of TLS, and with what comes after it. */
void http_connection_handshake(struct http_connection *connection);

/* The readable event's callback. */
void http_input_ready(evutil_socket_t fd, short what, void *cookie);
/* Parses as far as the input goes, at most to the end of one request, and hands that out. */
void http_input_advance(struct http_connection *connection);
/* Reads while there is room; when not, what the client sends waits in its socket. */
void http_input_update(struct http_connection *connection);
void http_input_drop(struct http_connection *connection);
/* Answers the request by itself, then closes. Always false. */
bool http_input_refuse(struct http_connection *connection, struct http_refusal refusal);

#endif
