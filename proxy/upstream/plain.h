/* Internal to the upstream: connections to servers that plain.c speaks HTTP/1.1 to. */
#ifndef RECALLD_PROXY_UPSTREAM_PLAIN_H
#define RECALLD_PROXY_UPSTREAM_PLAIN_H

#include "proxy/upstream/transfer.h"

#include <sys/socket.h>

enum { PLAIN_MOST_ADDRESSES = 2 };

/* Where a request goes. */
struct plain_route {
	struct slice authority; /* of the URL */
	struct slice local_socket;
	struct sockaddr_storage addresses[PLAIN_MOST_ADDRESSES]; /* tried in turn */
	socklen_t sizes[PLAIN_MOST_ADDRESSES];
	size_t count;
};

struct plain_connection {
	TAILQ_ENTRY(plain_connection) siblings; /* in the list of idle ones, without a transfer */
	struct upstream *upstream;
	struct transfer *transfer; /* NULL: idle */
	struct plain_route route;
	struct arena arena; /* owns the route's strings */
	size_t next;        /* the address to try next */
	int fd;
	struct event *readable; /* awaited unless the transfer is held back */
	struct event *writable;
	bool connected;
	bool reused;
	bool heard;       /* of this reply, a byte has come */
	bool send_failed; /* the reply may still have come */
	bool is_last;     /* may serve no further request */
	/* How much of the request is sent: the head is piece 0. */
	size_t piece, offset;
	uint64_t idle_since; /* by clock_steady() */
};

/* False: the URL has no address that plain.c knows. */
bool plain_route_read(const struct upstream_request *request, struct plain_route *route);
/* An idle connection that is still good, or NULL. */
struct plain_connection *plain_take_idle(struct upstream *upstream,
					 const struct plain_route *route);
/* Begins to connect; plain_connect_next() tells whether there is hope. */
struct plain_connection *plain_connection_new(struct upstream *upstream,
					      const struct plain_route *route);
/* Connects to the next address. False: none is left, and errno tells about the last one. */
bool plain_connect_next(struct plain_connection *connection);
/* Keeps the connection for another request. */
void plain_keep(struct plain_connection *connection);
void plain_close(struct plain_connection *connection);

enum plain_progress {
	PLAIN_MORE,    /* more of the reply must come */
	PLAIN_HELD,    /* the rest of the input waits until the transfer is resumed */
	PLAIN_WHOLE,   /* the reply is whole */
	PLAIN_REFUSED, /* by the caller, or because of what `transfer->broken` says */
};
/* Takes what was received and hands it over. */
enum plain_progress plain_reply_take(struct transfer *transfer, struct slice input);

/* Callbacks of the connection's events, in plain.c. */
void plain_on_readable(evutil_socket_t fd, short what, void *cookie);
void plain_on_writable(evutil_socket_t fd, short what, void *cookie);

#endif
