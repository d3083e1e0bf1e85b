/* One HTTP/1.1 client connection to 127.0.0.1, for the programs that hold or drive many: it sends
 * the bytes it is given and tells how the replies to them went. */
#ifndef RECALLD_TESTS_BENCH_WIRE_CLIENT_H
#define RECALLD_TESTS_BENCH_WIRE_CLIENT_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct wire_client;

enum wire_event {
	WIRE_BEGUN,   /* the head and something of the body came */
	WIRE_REPLIED, /* the reply is whole */
	WIRE_CLOSED,  /* by the other side, or it broke: no more calls come */
};

/* The reply at hand. */
struct wire_reply {
	int status;
	bool is_stream;
	bool has_done;  /* a stream's "data: [DONE]" came */
	bool has_error; /* an event or a body with "error" came */
	size_t bytes;   /* of the body, as framed */
};

typedef void wire_handler(void *cookie, enum wire_event event, const struct wire_reply *reply);

/* `receive` is the size of the socket's receive buffer, or 0. NULL: there are no more sockets. */
struct wire_client *wire_open(struct event_base *base, int port, int receive, wire_handler *handler,
			      void *cookie);
void wire_send(struct wire_client *client, const void *bytes, size_t size);
/* Stops reading, or goes on. */
void wire_read(struct wire_client *client, bool wanted);
/* No more will be sent. */
void wire_end(struct wire_client *client);
/* May be called from the handler; NULL is fine. */
void wire_close(struct wire_client *client);

#endif
