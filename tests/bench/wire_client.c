#include "tests/bench/wire_client.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { TAIL = 64 };

struct wire_client {
	struct bufferevent *wire;
	wire_handler *handler;
	void *cookie;
	struct wire_reply reply;
	bool in_body;
	bool chunked;
	bool begun;
	bool inside;         /* the handler */
	bool closed;         /* from inside it */
	size_t left;         /* of a Content-Length */
	char tail[TAIL + 1]; /* the body's last bytes */
	size_t tail_size;
};

static void client_free(struct wire_client *client)
{
	bufferevent_free(client->wire);
	free(client);
}

/* False: the handler has closed it. */
static bool tell(struct wire_client *client, enum wire_event event)
{
	client->inside = true;
	client->handler(client->cookie, event, &client->reply);
	client->inside = false;
	bool open = !client->closed;
	if (!open)
		client_free(client);
	return open;
}

static bool read_head(struct wire_client *client, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0)
		return false;
	size_t size = (size_t)end.pos + 4;
	char *head = malloc(size + 1);
	evbuffer_remove(in, head, size);
	head[size] = '\0';
	const char *length = strcasestr(head, "\r\nContent-Length:");
	client->reply = (struct wire_reply){.status = atoi(head + strlen("HTTP/1.1 "))};
	client->reply.is_stream = strcasestr(head, "\r\nContent-Type: text/event-stream") != NULL;
	client->chunked = strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL;
	client->left = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
	client->begun = false;
	client->tail_size = 0;
	/* A 100 is followed by the reply's own head. */
	client->in_body = client->reply.status >= 200;
	free(head);
	return true;
}

/* Keeps the last bytes, so that what is looked for may lie across two reads. */
static void look_at(struct wire_client *client, const char *bytes, size_t size)
{
	char *whole = malloc(client->tail_size + size);
	memcpy(whole, client->tail, client->tail_size);
	memcpy(whole + client->tail_size, bytes, size);
	size += client->tail_size;
	if (memmem(whole, size, "data: [DONE]", 12) != NULL)
		client->reply.has_done = true;
	if (memmem(whole, size, "{\"error\":", 9) != NULL)
		client->reply.has_error = true;
	client->tail_size = size < TAIL ? size : TAIL;
	memcpy(client->tail, whole + size - client->tail_size, client->tail_size);
	free(whole);
}

/* The stub's texts hold no line ends, so the last chunk is the only thing that looks like it. */
static bool is_whole(const struct wire_client *client)
{
	const char *end = client->tail + client->tail_size;
	if (!client->chunked)
		return client->left == 0;
	return (client->tail_size >= 7 && memcmp(end - 7, "\r\n0\r\n\r\n", 7) == 0) ||
	       (client->reply.bytes == 5 && memcmp(end - 5, "0\r\n\r\n", 5) == 0);
}

static void read_body(struct wire_client *client, struct evbuffer *in)
{
	size_t size = evbuffer_get_length(in);
	if (!client->chunked && size > client->left)
		size = client->left;
	if (size > 0)
		look_at(client, (const char *)evbuffer_pullup(in, (ev_ssize_t)size), size);
	evbuffer_drain(in, size);
	client->reply.bytes += size;
	if (!client->chunked)
		client->left -= size;
}

static void on_readable(struct bufferevent *wire, void *cookie)
{
	struct wire_client *client = cookie;
	struct evbuffer *in = bufferevent_get_input(wire);
	for (;;) {
		if (!client->in_body && !read_head(client, in))
			return;
		if (!client->in_body)
			continue;
		read_body(client, in);
		if (!client->begun && client->reply.bytes > 0) {
			client->begun = true;
			if (!tell(client, WIRE_BEGUN))
				return;
		}
		if (!is_whole(client))
			return;
		client->in_body = false;
		if (!tell(client, WIRE_REPLIED))
			return;
	}
}

static void on_end(struct bufferevent *wire, short what, void *cookie)
{
	struct wire_client *client = cookie;
	(void)wire;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	if (tell(client, WIRE_CLOSED))
		client_free(client);
}

struct wire_client *wire_open(struct event_base *base, int port, int receive, wire_handler *handler,
			      void *cookie)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (receive > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
	struct wire_client *client = calloc(1, sizeof(*client));
	client->handler = handler;
	client->cookie = cookie;
	client->wire = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client->wire, on_readable, NULL, on_end, client);
	bufferevent_enable(client->wire, EV_READ | EV_WRITE);
	/* A refusal comes through the callback. */
	(void)bufferevent_socket_connect(client->wire, (struct sockaddr *)&address,
					 sizeof(address));
	return client;
}

void wire_send(struct wire_client *client, const void *bytes, size_t size)
{
	bufferevent_write(client->wire, bytes, size);
}

void wire_read(struct wire_client *client, bool wanted)
{
	if (wanted)
		bufferevent_enable(client->wire, EV_READ);
	else
		bufferevent_disable(client->wire, EV_READ);
}

void wire_end(struct wire_client *client)
{
	(void)shutdown(bufferevent_getfd(client->wire), SHUT_WR);
}

void wire_close(struct wire_client *client)
{
	if (client == NULL)
		return;
	if (client->inside)
		client->closed = true;
	else
		client_free(client);
}
